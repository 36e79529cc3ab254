// Reading the structures of an HDF5 file: blocks of bytes at addresses, every access within bounds.
// The format: https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html

import { check, EvenkeelError } from "../../errors.ts";
import type { ByteSource } from "../byte-source.ts";

/** The widths that a file chose for its numbers, where its addresses count from, and how much of it may be read. */
export interface Widths {
	/** Bytes of an address. */
	readonly offset: number;
	/** Bytes of a length. */
	readonly length: number;
	/** What is added to an address. */
	readonly base: number;
	/**
	 * How many more bytes of structure may be read. Parts that refer to the same others over and over make a small
	 * file a long one to read; no sound file is read more than a few times.
	 */
	readonly budget: { left: number };
}

/** The budget for a file: what sound files take, several times. */
export function budgetOf(source: ByteSource): Widths["budget"] {
	return { left: 8 * source.size + 65536 };
}

/** What an error calls damage: which file, where, what. */
export function damaged(source: ByteSource, at: number, what: string): EvenkeelError {
	return new EvenkeelError(`${source.name}: not a sound HDF5 file: at byte ${at}: ${what}; copy or save it again`);
}

/** Bytes of a file, read from the first to the last. */
export class Block {
	readonly source: ByteSource;
	readonly widths: Widths;
	/** Where it begins in the file. */
	readonly begin: number;
	readonly #bytes: Uint8Array;
	readonly #what: string;
	#at = 0;

	/** `bytes` stand at `begin` in the file; `what` says in errors what they are. */
	constructor(source: ByteSource, widths: Widths, begin: number, bytes: Uint8Array, what: string) {
		this.source = source;
		this.widths = widths;
		this.begin = begin;
		this.#bytes = bytes;
		this.#what = what;
	}

	/** The place in the file of the next byte. */
	get position(): number {
		return this.begin + this.#at;
	}

	/** How many bytes are left. */
	get rest(): number {
		return this.#bytes.length - this.#at;
	}

	fail(what: string): never {
		throw damaged(this.source, this.position, `${this.#what}: ${what}`);
	}

	bytes(length: number): Uint8Array {
		if (length > this.rest) this.fail(`${length} bytes are expected, ${this.rest} are left`);
		const begin = this.#at;
		this.#at += length;
		return this.#bytes.subarray(begin, this.#at);
	}

	skip(length: number): void {
		this.bytes(length);
	}

	/** Goes to the next multiple of `width`, counted from the beginning of the block. */
	align(width: number): void {
		this.skip(Math.min(this.rest, (width - (this.#at % width)) % width));
	}

	/** A little-endian whole number; null where all its bits are set, which stands for "undefined". */
	uint(width: number): number | null {
		const bytes = this.bytes(width);
		if (width >= 2 && bytes.every((byte) => byte === 0xff)) return null;
		let value = 0;
		for (let i = width - 1; i >= 0; i--) value = value * 256 + bytes[i];
		if (!Number.isSafeInteger(value)) this.fail("a number is too large");
		return value;
	}

	u8(): number {
		return this.bytes(1)[0];
	}

	u16(): number {
		return this.uint(2) ?? 0xffff;
	}

	u32(): number {
		return this.uint(4) ?? 0xffffffff;
	}

	/** A length, of the width that the file has for them. */
	length(): number {
		const length = this.uint(this.widths.length);
		if (length === null) this.fail("a length is undefined");
		return length;
	}

	/** An address, as the place in the file; null if it is undefined. */
	address(): number | null {
		const address = this.uint(this.widths.offset);
		return address === null ? null : address + this.widths.base;
	}

	/** An address that must be there. */
	place(): number {
		const address = this.address();
		if (address === null) this.fail("an address is undefined");
		return address;
	}

	/** Checks the four letters that a structure begins with. */
	signature(letters: string): void {
		const found = String.fromCharCode(...this.bytes(letters.length));
		if (found !== letters) this.fail(`it must begin with ${letters}`);
	}

	/** Checks a version that this reader knows. */
	version(...known: number[]): number {
		const version = this.u8();
		check(
			known.includes(version),
			() =>
				`${this.source.name}: ${this.#what} at byte ${this.position - 1} is of version ${version}, and ${known.join(", ")} can be read; ` +
				'save it again with h5py.File(path, "w")',
		);
		return version;
	}

	/** Another block of the same file: the `length` bytes from `begin`. */
	other(begin: number, length: number, what: string): Block {
		return blockAt(this.source, this.widths, begin, length, what);
	}

	/** The next `length` bytes as a block of their own. */
	part(length: number, what: string): Block {
		const begin = this.position;
		return new Block(this.source, this.widths, begin, this.bytes(length), what);
	}
}

/** Reads a block, which must lie within the file. */
export function blockAt(source: ByteSource, widths: Widths, begin: number, length: number, what: string): Block {
	if (!(begin >= 0 && length >= 0 && begin + length <= source.size)) {
		throw damaged(source, begin, `${what} of ${length} bytes goes beyond the end at ${source.size}`);
	}
	widths.budget.left -= length;
	if (widths.budget.left < 0) throw damaged(source, begin, "its parts refer to the same others too often");
	return new Block(source, widths, begin, source.read(begin, begin + length), what);
}

const decoder = new TextDecoder();

/** Text up to the first NUL, or all of `bytes`. */
export function textOf(bytes: Uint8Array): string {
	const end = bytes.indexOf(0);
	return decoder.decode(end === -1 ? bytes : bytes.subarray(0, end));
}

/** How many bytes it takes to write numbers up to `largest`. */
export function bytesFor(largest: number): number {
	return Math.floor(Math.log2(Math.max(1, largest)) / 8) + 1;
}
