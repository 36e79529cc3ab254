// What the messages of an object header say: shape, element type, where the data lie, attributes.

import { EvenkeelError } from "../../errors.ts";
import type { SafetensorsDType } from "../safetensors/dtypes.ts";
import { quote } from "../show.ts";
import { type Block, textOf } from "./block.ts";

/** What an element is. */
export type ElementType =
	| { readonly kind: "number"; readonly dtype: SafetensorsDType; readonly size: number; readonly bigEndian: boolean }
	| { readonly kind: "text"; readonly size: number }
	| { readonly kind: "vlen text"; readonly size: number }
	/** Bytes without a meaning that HDF5 knows: bfloat16, in files of h5py. */
	| { readonly kind: "opaque"; readonly size: number }
	| { readonly kind: "other"; readonly size: number; readonly name: string };

/** Where the elements of a data set lie. */
export type Layout =
	| { readonly kind: "stored"; readonly begin: number; readonly length: number | null }
	| { readonly kind: "nowhere" }
	| { readonly kind: "chunked" };

/** An attribute: its value is read when it is asked for. */
export interface Attribute {
	readonly name: string;
	readonly type: ElementType;
	readonly count: number;
	/** The elements, to be read once. */
	readonly data: () => Block;
}

/** The lengths of the axes; null for a data set without elements. */
export function readDataspace(block: Block): number[] | null {
	const version = block.version(1, 2);
	const rank = block.u8();
	block.skip(1);
	const type = block.u8();
	if (version === 1) block.skip(4);
	else if (type === 2) return null;
	if (rank > 32) block.fail(`${rank} dimensions`);
	return Array.from({ length: rank }, () => block.length());
}

const floats: Record<string, SafetensorsDType> = {
	"2 5 10": "F16",
	"2 8 7": "BF16",
	"4 8 23": "F32",
	"8 11 52": "F64",
};

const classes = ["", "", "time", "", "bit field", "", "compound", "reference", "", "sequence", "array", "complex"];

export function readDatatype(block: Block): ElementType {
	const first = block.u8();
	const [version, kind] = [first >> 4, first & 15];
	const bits = block.uint(3) ?? 0xffffff;
	const size = block.u32();
	if (version < 1 || version > 5) block.fail(`an element type of version ${version}`);
	if (size === 0) block.fail("elements of no bytes");
	const bigEndian = (bits & 1) === 1;
	if (kind === 0) return wholeNumber(size, (bits & 8) !== 0, bigEndian);
	if (kind === 1) {
		block.skip(5);
		const exponent = block.u8();
		block.skip(1);
		const dtype = floats[`${size} ${exponent} ${block.u8()}`];
		// Bit 6 and bit 0 together: the order of the VAX.
		if (dtype && (bits & 0x40) === 0) return { kind: "number", dtype, size, bigEndian };
		return { kind: "other", size, name: `float of ${8 * size} bits` };
	}
	if (kind === 3) return { kind: "text", size };
	if (kind === 5) return { kind: "opaque", size };
	// Booleans, as h5py writes them, are an enumeration of bytes: what is enumerated comes first.
	if (kind === 8) return readDatatype(block);
	if (kind === 9 && (bits & 15) === 1) return { kind: "vlen text", size };
	return { kind: "other", size, name: classes[kind] || `class ${kind}` };
}

function wholeNumber(size: number, signed: boolean, bigEndian: boolean): ElementType {
	if (![1, 2, 4, 8].includes(size)) return { kind: "other", size, name: `integer of ${8 * size} bits` };
	const dtype = `${signed ? "I" : "U"}${8 * size}` as SafetensorsDType;
	return { kind: "number", dtype, size, bigEndian };
}

export function readLayout(block: Block): Layout {
	const version = block.version(1, 2, 3, 4);
	if (version < 3) return readOldLayout(block);
	const kind = block.u8();
	if (kind === 0) {
		const length = block.u16();
		return { kind: "stored", begin: block.part(length, "the data").begin, length };
	}
	if (kind !== 1) return { kind: "chunked" };
	const begin = block.address();
	const length = block.length();
	return begin === null ? { kind: "nowhere" } : { kind: "stored", begin, length };
}

/** Versions 1 and 2, of HDF5 before 1.6.3. */
function readOldLayout(block: Block): Layout {
	const rank = block.u8();
	const kind = block.u8();
	block.skip(5);
	if (kind === 1) {
		const begin = block.address();
		return begin === null ? { kind: "nowhere" } : { kind: "stored", begin, length: null };
	}
	if (kind !== 0) return { kind: "chunked" };
	block.skip(4 * rank);
	const length = block.u32();
	return { kind: "stored", begin: block.part(length, "the data").begin, length };
}

export function readAttribute(block: Block): Attribute {
	const version = block.version(1, 2, 3);
	const flags = block.u8();
	const [nameLength, typeLength, spaceLength] = [block.u16(), block.u16(), block.u16()];
	if (version === 3) block.skip(1);
	const pad = () => {
		if (version === 1) block.align(8);
	};
	const name = textOf(block.bytes(nameLength));
	if (version > 1 && (flags & 3) !== 0) {
		throw new EvenkeelError(
			`${block.source.name}: attribute ${quote(name)} has a type of its own name, which is not read here`,
		);
	}
	pad();
	const type = readDatatype(block.part(typeLength, "an attribute's type"));
	pad();
	const shape = readDataspace(block.part(spaceLength, "an attribute's shape"));
	pad();
	const count = shape === null ? 0 : shape.reduce((a, b) => a * b, 1);
	if (count * type.size > block.rest) block.fail(`attribute ${quote(name)} has more elements than bytes`);
	const [begin, length] = [block.position, count * type.size];
	return { name, type, count, data: () => block.other(begin, length, `attribute ${quote(name)}`) };
}
