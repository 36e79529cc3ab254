// safetensors: a length, a JSON header that says where each tensor lies, and the tensors, one after
// another without holes. Little-endian, as every platform that runs JavaScript is.

import { check, EvenkeelError } from "../errors.ts";
import { bfloatToFloat, floatToBfloat, floatToHalf, halfToFloat } from "./half.ts";
import { checkUniqueKeys } from "./json-keys.ts";

export type SafetensorsDType =
	| "F64"
	| "F32"
	| "F16"
	| "BF16"
	| "I64"
	| "U64"
	| "I32"
	| "U32"
	| "I16"
	| "U16"
	| "I8"
	| "U8"
	| "BOOL";

export type SafetensorsData =
	| Float64Array
	| Float32Array
	| BigInt64Array
	| BigUint64Array
	| Int32Array
	| Uint32Array
	| Int16Array
	| Uint16Array
	| Int8Array
	| Uint8Array;

/** A tensor in a file: row-major. F16 and BF16 are held as float32, BOOL as bytes 0 and 1. */
export interface SafetensorsTensor {
	dtype: SafetensorsDType;
	shape: readonly number[];
	data: SafetensorsData;
}

interface ArrayType {
	new (length: number): SafetensorsData;
	new (buffer: ArrayBufferLike, at: number, length: number): SafetensorsData;
}

interface Format {
	/** Bytes an element takes in the file. */
	bytes: number;
	/** How it is held in memory. */
	array: ArrayType;
	/** Where the file holds it otherwise: 16 bits of it, to and from a float. */
	unpack?: (stored: number) => number;
	pack?: (value: number) => number;
}

const formats: Record<SafetensorsDType, Format> = {
	F64: { bytes: 8, array: Float64Array },
	F32: { bytes: 4, array: Float32Array },
	F16: { bytes: 2, array: Float32Array, unpack: halfToFloat, pack: floatToHalf },
	BF16: { bytes: 2, array: Float32Array, unpack: bfloatToFloat, pack: floatToBfloat },
	I64: { bytes: 8, array: BigInt64Array },
	U64: { bytes: 8, array: BigUint64Array },
	I32: { bytes: 4, array: Int32Array },
	U32: { bytes: 4, array: Uint32Array },
	I16: { bytes: 2, array: Int16Array },
	U16: { bytes: 2, array: Uint16Array },
	I8: { bytes: 1, array: Int8Array },
	U8: { bytes: 1, array: Uint8Array },
	BOOL: { bytes: 1, array: Uint8Array },
};

/** What the format allows at most. */
const MAX_HEADER = 100_000_000;

interface Entry {
	dtype: SafetensorsDType;
	shape: readonly number[];
	data_offsets: [number, number];
}

/**
 * The bytes of a safetensors file. Tensors are listed in the order given and laid out by falling element size, so that
 * each is aligned.
 *
 * @param tensors by name
 * @param metadata strings by name, for the header's `__metadata__`
 * @throws EvenkeelError if data does not fit its shape or type
 * @see https://huggingface.co/docs/safetensors
 */
export function encodeSafetensors(
	tensors: Readonly<Record<string, SafetensorsTensor>>,
	metadata?: Readonly<Record<string, string>>,
): Uint8Array {
	const names = Object.keys(tensors);
	for (const name of names) checkTensor(name, tensors[name]);
	const offsets = new Map<string, [number, number]>();
	let end = 0;
	for (const name of [...names].sort((a, b) => formats[tensors[b].dtype].bytes - formats[tensors[a].dtype].bytes)) {
		const { dtype, data } = tensors[name];
		const begin = end;
		end += data.length * formats[dtype].bytes;
		offsets.set(name, [begin, end]);
	}
	const entries = names.map((name): [string, unknown] => {
		const { dtype, shape } = tensors[name];
		return [name, { dtype, shape, data_offsets: offsets.get(name) }];
	});
	if (metadata) entries.unshift(["__metadata__", metadata]);
	const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
	const start = 8 + Math.ceil(header.length / 8) * 8;
	check(
		start - 8 <= MAX_HEADER,
		() => `safetensors: the header takes ${start - 8} bytes, the format allows ${MAX_HEADER}`,
	);
	const bytes = new Uint8Array(start + end);
	new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
	bytes.fill(0x20, 8, start);
	bytes.set(header, 8);
	for (const name of names) writeData(bytes, start + (offsets.get(name)?.[0] ?? 0), tensors[name]);
	return bytes;
}

/**
 * Reads a safetensors file. Where the alignment allows it, `data` are views of `bytes`, not copies.
 *
 * @param bytes the file
 * @param name what to call it in errors: its path
 * @throws EvenkeelError if the file breaks any of the format's rules: a header too long or no JSON object, a name
 *   twice, a type unknown, offsets that do not fit type and shape, or leave holes, or overlap, or end elsewhere
 *   than the file
 */
export function decodeSafetensors(
	bytes: Uint8Array,
	name = "safetensors file",
): { tensors: Record<string, SafetensorsTensor>; metadata: Record<string, string> } {
	const { text, start } = readHeader(bytes, name);
	const header = parseHeader(text, name);
	const metadata = checkMetadata(header.__metadata__, name);
	const entries = Object.entries(header)
		.filter(([key]) => key !== "__metadata__")
		.map(([key, value]): [string, Entry] => [key, checkEntry(value, `${name}: tensor "${key}"`)]);
	checkLayout(entries, bytes.length - start, name);
	const tensors = entries.map(([key, { dtype, shape, data_offsets }]): [string, SafetensorsTensor] => [
		key,
		{ dtype, shape, data: readData(bytes, start + data_offsets[0], dtype, elements(shape)) },
	]);
	return { tensors: Object.fromEntries(tensors), metadata };
}

function elements(shape: readonly number[]): number {
	return shape.reduce((size, length) => size * length, 1);
}

function isCount(value: unknown): value is number {
	return Number.isSafeInteger(value) && Number(value) >= 0;
}

function checkTensor(name: string, { dtype, shape, data }: SafetensorsTensor): void {
	const what = `safetensors: tensor "${name}"`;
	check(name !== "__metadata__", `${what}: that name is the format's own; choose another`);
	check(formats[dtype], () => `${what}: unknown type ${dtype}; there are ${Object.keys(formats).join(", ")}`);
	const { array } = formats[dtype];
	check(data instanceof array, () => `${what}: ${dtype} is given as ${array.name}, got ${data?.constructor.name}`);
	check(
		shape.every(isCount) && elements(shape) === data.length,
		() => `${what}: shape [${shape.join(", ")}] holds ${elements(shape)} values, got ${data.length}`,
	);
}

function writeData(bytes: Uint8Array, at: number, { dtype, data }: SafetensorsTensor): void {
	const { pack } = formats[dtype];
	if (pack) new Uint16Array(bytes.buffer, at, data.length).set(Array.from(data as Float32Array, pack));
	else bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
}

function readData(bytes: Uint8Array, at: number, dtype: SafetensorsDType, length: number): SafetensorsData {
	const { bytes: size, array, unpack } = formats[dtype];
	const begin = bytes.byteOffset + at;
	const aligned = begin % size === 0;
	// Not slice(): that of Node's Buffer does not copy.
	const buffer = aligned ? bytes.buffer : new Uint8Array(bytes.subarray(at, at + length * size)).buffer;
	const from = aligned ? begin : 0;
	if (!unpack) return new array(buffer, from, length);
	return Float32Array.from(new Uint16Array(buffer, from, length), unpack);
}

function readHeader(bytes: Uint8Array, name: string): { text: string; start: number } {
	check(bytes.length >= 8, () => `${name}: cut short: a safetensors file has at least 8 bytes, found ${bytes.length}`);
	const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
	check(
		length <= MAX_HEADER,
		() => `${name}: not a safetensors file: its header would take ${length} bytes, the format allows ${MAX_HEADER}`,
	);
	const start = 8 + Number(length);
	check(
		bytes.length >= start,
		() => `${name}: cut short: with its header it takes at least ${start} bytes, found ${bytes.length}; copy it again`,
	);
	check(bytes[8] === 0x7b && length > 0, () => `${name}: not a safetensors file: the header does not begin with {`);
	try {
		return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, start)), start };
	} catch {
		throw new EvenkeelError(`${name}: the header is not UTF-8; the file is damaged`);
	}
}

function parseHeader(text: string, name: string): Record<string, unknown> {
	try {
		const header: Record<string, unknown> = JSON.parse(text);
		checkUniqueKeys(text, `${name}: the header`);
		return header;
	} catch (error) {
		if (error instanceof EvenkeelError) throw error;
		throw new EvenkeelError(`${name}: the header is not JSON (${(error as Error).message}); the file is damaged`);
	}
}

function checkMetadata(value: unknown, name: string): Record<string, string> {
	if (value === undefined) return {};
	check(isObject(value), () => `${name}: __metadata__ must be an object of strings, got ${JSON.stringify(value)}`);
	for (const [key, text] of Object.entries(value)) {
		check(
			typeof text === "string",
			() => `${name}: __metadata__ "${key}" must be a string, got ${JSON.stringify(text)}`,
		);
	}
	return value as Record<string, string>;
}

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

function checkEntry(value: unknown, what: string): Entry {
	check(isObject(value), () => `${what}: expected an object, got ${JSON.stringify(value)}`);
	const { dtype, shape, data_offsets: offsets, ...others } = value;
	const [unknown] = Object.keys(others);
	check(unknown === undefined, () => `${what}: unknown field "${unknown}"`);
	check(
		typeof dtype === "string" && Object.hasOwn(formats, dtype),
		() =>
			`${what}: type ${JSON.stringify(dtype)} cannot be read; convert it to one of ${Object.keys(formats).join(", ")}`,
	);
	check(
		Array.isArray(shape) && shape.every(isCount) && isCount(elements(shape)),
		() => `${what}: shape must be whole numbers, got ${JSON.stringify(shape)}`,
	);
	check(
		Array.isArray(offsets) && offsets.length === 2 && offsets.every(isCount) && offsets[0] <= offsets[1],
		() => `${what}: data_offsets must be [begin, end], got ${JSON.stringify(offsets)}`,
	);
	const expected = elements(shape) * formats[dtype as SafetensorsDType].bytes;
	check(
		offsets[1] - offsets[0] === expected,
		() =>
			`${what}: ${dtype} [${shape.join(", ")}] takes ${expected} bytes, data_offsets ${JSON.stringify(offsets)} hold ${offsets[1] - offsets[0]}`,
	);
	return { dtype: dtype as SafetensorsDType, shape, data_offsets: [offsets[0], offsets[1]] };
}

/** Sorted by their offsets, each tensor begins where the one before ends, and the last ends with the file. */
function checkLayout(entries: readonly [string, Entry][], length: number, name: string): void {
	const sorted = entries
		.map(([key, { data_offsets }]) => ({ key, begin: data_offsets[0], end: data_offsets[1] }))
		.sort((a, b) => a.begin - b.begin || a.end - b.end);
	let end = 0;
	let before = "the header";
	for (const tensor of sorted) {
		const what = `${name}: tensor "${tensor.key}" begins at byte ${tensor.begin} of the data`;
		check(tensor.begin <= end, () => `${what}, which leaves a hole after ${before}, that ends at ${end}`);
		check(tensor.begin >= end, () => `${what}, within ${before}, that ends at ${end}`);
		end = tensor.end;
		before = `tensor "${tensor.key}"`;
	}
	check(
		end === length,
		() =>
			`${name}: ${end > length ? "cut short" : "bytes too many"}: ` +
			`its header describes ${end} bytes of data, found ${length}; copy it again`,
	);
}
