// The header of a safetensors file: JSON of one fixed form. It is read by that form, byte by byte, so that
// what does not belong there is refused where it stands, before anything is made of it.

import { check, EvenkeelError } from "../../errors.ts";
import type { ByteSource } from "../byte-source.ts";
import { quote, shorten, showShape } from "../show.ts";
import { formats, isDType, type SafetensorsDType } from "./dtypes.ts";

/** What the format allows at most. */
export const MAX_HEADER = 100_000_000;

/** A tensor's type, shape, and where it lies in the file. */
export interface SafetensorsEntry {
	readonly dtype: SafetensorsDType;
	readonly shape: readonly number[];
	/** The first byte, counted from the beginning of the file. */
	readonly begin: number;
	/** The byte after the last. */
	readonly end: number;
}

/** What a file says of itself. */
export interface SafetensorsHeader {
	/** In the header's order. */
	readonly entries: ReadonlyMap<string, SafetensorsEntry>;
	readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads and checks the header; of the tensors it touches nothing.
 *
 * @throws EvenkeelError if the file breaks any of the format's rules
 */
export function readHeader(source: ByteSource): SafetensorsHeader {
	const { name, size } = source;
	check(size >= 8, () => `${name}: cut short: a safetensors file has at least 8 bytes, found ${size}`);
	const prefix = source.read(0, 8);
	const length = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true);
	check(
		length <= MAX_HEADER,
		() => `${name}: not a safetensors file: its header would take ${length} bytes, the format allows ${MAX_HEADER}`,
	);
	const start = 8 + Number(length);
	check(
		size >= start,
		() => `${name}: cut short: with its header it takes at least ${start} bytes, found ${size}; copy it again`,
	);
	const bytes = source.read(8, start);
	check(
		bytes.length > 0 && bytes[0] === 0x7b,
		() => `${name}: not a safetensors file: the header does not begin with {`,
	);
	const { entries, metadata } = new HeaderReader(bytes, start, name).read();
	checkLayout(entries, size, start, name);
	return { entries, metadata };
}

const decoder = new TextDecoder("utf-8", { fatal: true });
const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_LIST, CLOSE_LIST, OPEN, CLOSE] = [0x5b, 0x5d, 0x7b, 0x7d];

const isSpace = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
const isDigit = (byte: number) => byte >= 0x30 && byte <= 0x39;

class HeaderReader {
	readonly #bytes: Uint8Array;
	/** Where the tensors begin in the file. */
	readonly #start: number;
	readonly #name: string;
	#at = 0;

	constructor(bytes: Uint8Array, start: number, name: string) {
		this.#bytes = bytes;
		this.#start = start;
		this.#name = name;
	}

	read(): { entries: Map<string, SafetensorsEntry>; metadata: Record<string, string> } {
		const entries = new Map<string, SafetensorsEntry>();
		let metadata: Record<string, string> | null = null;
		for (const key of this.#keys("the header")) {
			if (key === "__metadata__") {
				check(metadata === null, () => this.#twice("the header", key));
				metadata = this.#metadata();
			} else {
				check(!entries.has(key), () => this.#twice("the header", key));
				entries.set(key, this.#entry(`${this.#name}: tensor ${quote(key)}`));
			}
		}
		this.#skipSpace();
		if (this.#at < this.#bytes.length) this.#fail("nothing more");
		return { entries, metadata: metadata ?? {} };
	}

	#metadata(): Record<string, string> {
		const metadata = new Map<string, string>();
		if (this.#next() !== OPEN) this.#refuse(`${this.#name}: __metadata__ must be an object of strings`);
		for (const key of this.#keys("__metadata__")) {
			check(!metadata.has(key), () => this.#twice("__metadata__", key));
			if (this.#next() !== QUOTE) this.#refuse(`${this.#name}: __metadata__ ${quote(key)} must be a string`);
			metadata.set(key, this.#string());
		}
		return Object.fromEntries(metadata);
	}

	#entry(what: string): SafetensorsEntry {
		let dtype: SafetensorsDType | undefined;
		let shape: number[] | undefined;
		let offsets: number[] | undefined;
		if (this.#next() !== OPEN) this.#refuse(`${what}: expected an object`);
		for (const field of this.#keys(what)) {
			if (field === "dtype") {
				check(dtype === undefined, () => this.#twice(what, field));
				dtype = this.#dtype(what);
			} else if (field === "shape") {
				check(shape === undefined, () => this.#twice(what, field));
				shape = this.#counts(`${what}: shape must be whole numbers`);
			} else if (field === "data_offsets") {
				check(offsets === undefined, () => this.#twice(what, field));
				offsets = this.#counts(`${what}: data_offsets must be [begin, end]`);
			} else throw new EvenkeelError(`${what}: unknown field ${quote(field)}`);
		}
		check(dtype !== undefined, () => `${what}: it has no dtype`);
		check(shape !== undefined, () => `${what}: it has no shape`);
		check(
			offsets?.length === 2 && offsets[0] <= offsets[1],
			() => `${what}: data_offsets must be [begin, end], got ${showShape(offsets ?? [])}`,
		);
		const [begin, end] = offsets;
		checkSize(what, dtype, shape, end - begin);
		return { dtype, shape, begin: this.#start + begin, end: this.#start + end };
	}

	#dtype(what: string): SafetensorsDType {
		if (this.#next() !== QUOTE) this.#refuse(`${what}: dtype must be a string`);
		const dtype = this.#string();
		check(
			isDType(dtype),
			() => `${what}: type ${quote(dtype)} cannot be read; convert it to one of ${Object.keys(formats).join(", ")}`,
		);
		return dtype;
	}

	/** A list of whole numbers. `what` opens the message if it is none. */
	#counts(what: string): number[] {
		if (this.#next() !== OPEN_LIST) this.#refuse(what);
		this.#at++;
		const counts: number[] = [];
		if (this.#next() === CLOSE_LIST) {
			this.#at++;
			return counts;
		}
		for (;;) {
			counts.push(this.#count(what));
			const byte = this.#next();
			if (byte !== COMMA && byte !== CLOSE_LIST) this.#refuse(what);
			this.#at++;
			if (byte === CLOSE_LIST) return counts;
		}
	}

	#count(what: string): number {
		this.#skipSpace();
		const begin = this.#at;
		let value = 0;
		while (isDigit(this.#bytes[this.#at])) value = 10 * value + this.#bytes[this.#at++] - 0x30;
		const digits = this.#at - begin;
		const whole = digits > 0 && Number.isSafeInteger(value) && !(digits > 1 && this.#bytes[begin] === 0x30);
		// 1.5 and 1e3 are numbers in JSON, and none here.
		if (!whole || [0x2e, 0x65, 0x45].includes(this.#bytes[this.#at])) this.#refuse(what, begin);
		return value;
	}

	/** The names of an object, each up to its value, which the caller reads. */
	*#keys(what: string): Generator<string> {
		this.#expect(OPEN, "{");
		if (this.#next() === CLOSE) {
			this.#at++;
			return;
		}
		for (;;) {
			if (this.#next() !== QUOTE) this.#fail(`a name in ${shorten(what)}`);
			const key = this.#string();
			this.#expect(COLON, ":");
			yield key;
			const byte = this.#next();
			if (byte !== COMMA && byte !== CLOSE) this.#fail('"," or "}"');
			this.#at++;
			if (byte === CLOSE) return;
		}
	}

	/** The string that begins here, at its quote. */
	#string(): string {
		const begin = ++this.#at;
		let escaped = false;
		for (; this.#bytes[this.#at] !== QUOTE; this.#at++) {
			const byte = this.#bytes[this.#at];
			if (byte === undefined || byte < 0x20) this.#fail("the end of a string");
			if (byte === BACKSLASH) {
				escaped = true;
				this.#at++;
			}
		}
		const text = this.#decode(begin, this.#at++);
		if (!escaped) return text;
		try {
			return JSON.parse(`"${text}"`);
		} catch {
			throw new EvenkeelError(
				`${this.#name}: the header is not JSON: the string ${quote(text)} has an escape that is none; the file is damaged`,
			);
		}
	}

	#decode(begin: number, end: number): string {
		try {
			return decoder.decode(this.#bytes.subarray(begin, end));
		} catch {
			throw new EvenkeelError(`${this.#name}: the header is not UTF-8; the file is damaged`);
		}
	}

	#skipSpace(): void {
		while (isSpace(this.#bytes[this.#at])) this.#at++;
	}

	/** The next byte that is not space, without taking it; undefined at the end. */
	#next(): number | undefined {
		this.#skipSpace();
		return this.#bytes[this.#at];
	}

	#expect(byte: number, name: string): void {
		if (this.#next() !== byte) this.#fail(JSON.stringify(name));
		this.#at++;
	}

	#found(at = this.#at): string {
		if (at >= this.#bytes.length) return "its end";
		return shorten(new TextDecoder().decode(this.#bytes.subarray(at, at + 24)).trimEnd());
	}

	#fail(expected: string): never {
		throw new EvenkeelError(
			`${this.#name}: the header is not JSON as the format has it: at byte ${8 + this.#at} expected ${expected}, ` +
				`found ${this.#found()}; the file is damaged`,
		);
	}

	#refuse(what: string, at = this.#at): never {
		throw new EvenkeelError(`${what}, got ${this.#found(at)}`);
	}

	#twice(where: string, key: string): string {
		const start = where.startsWith(this.#name) ? where : `${this.#name}: ${where}`;
		return `${start} has the name ${quote(key)} twice; the file is damaged`;
	}
}

/** Throws unless a type and shape take so many bytes. */
function checkSize(what: string, dtype: SafetensorsDType, shape: readonly number[], bytes: number): void {
	let bits = formats[dtype].bits;
	for (const length of shape) {
		bits *= length;
		check(
			Number.isSafeInteger(bits),
			() => `${what}: shape must be whole numbers of which the product is one too, got ${showShape(shape)}`,
		);
	}
	check(
		bits % 8 === 0,
		() => `${what}: ${dtype} ${showShape(shape)} takes ${bits} bits, which are no whole number of bytes`,
	);
	check(
		bytes === bits / 8,
		() => `${what}: ${dtype} ${showShape(shape)} takes ${bits / 8} bytes, data_offsets hold ${bytes}`,
	);
}

/** Sorted by their offsets, each tensor begins where the one before ends, and the last ends with the file. */
function checkLayout(entries: ReadonlyMap<string, SafetensorsEntry>, size: number, start: number, name: string): void {
	const sorted = [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
	let end = start;
	let before = "the header";
	for (const [key, entry] of sorted) {
		const what = () => `${name}: tensor ${quote(key)} begins at byte ${entry.begin - start} of the data`;
		check(entry.begin <= end, () => `${what()}, which leaves a hole after ${before}, that ends at ${end - start}`);
		check(entry.begin >= end, () => `${what()}, within ${before}, that ends at ${end - start}`);
		end = entry.end;
		before = `tensor ${quote(key)}`;
	}
	check(
		end === size,
		() =>
			`${name}: ${end > size ? "cut short" : "bytes too many"}: ` +
			`its header describes ${end - start} bytes of data, found ${size - start}; copy it again`,
	);
}
