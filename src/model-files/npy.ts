// NumPy's .npy: a magic string, a Python dict as text that gives type, order and shape, the elements.

import { check, EvenkeelError } from "../errors.ts";
import { shorten, showShape } from "./show.ts";

export type NpyData =
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

/** An array as it stood in a .npy file, row-major whatever order the file had. */
export interface NpyArray {
	shape: readonly number[];
	/** Booleans are bytes 0 and 1. Where the file's order, alignment and bytes are this machine's, a view of the file. */
	data: NpyData;
}

interface ArrayType {
	new (buffer: ArrayBufferLike, at: number, length: number): NpyData;
}

/** By type and size, as NumPy spells them. */
const arrays: Record<string, ArrayType> = {
	f8: Float64Array,
	f4: Float32Array,
	i8: BigInt64Array,
	u8: BigUint64Array,
	i4: Int32Array,
	u4: Uint32Array,
	i2: Int16Array,
	u2: Uint16Array,
	i1: Int8Array,
	u1: Uint8Array,
	b1: Uint8Array,
};

/** As numpy.lib.format.read_array: the header of an array of numbers takes some hundred bytes. */
const MAX_HEADER = 10_000;

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/**
 * Reads a .npy file of version 1, 2 or 3: floats of 4 and 8 bytes, whole numbers of 1 to 8, booleans; either byte
 * order, either axis order.
 *
 * @param bytes the file
 * @param name what to call it in errors: its path
 * @throws EvenkeelError if it is none, of another type, or its length does not fit its shape
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function decodeNpy(bytes: Uint8Array, name = ".npy file"): NpyArray {
	const { header, start } = readHeader(bytes, name);
	const { array, size, big } = readType(header, name);
	const fortran = readOrder(header, name);
	const shape = readShape(header, name);
	const count = shape.reduce((a, b) => a * b, 1);
	check(
		bytes.length - start === count * size,
		() =>
			`${name}: ${bytes.length - start < count * size ? "cut short" : "bytes too many"}: shape ${showShape(shape)} of ` +
			`${size} bytes each takes ${start + count * size} bytes with the header, found ${bytes.length}`,
	);
	if (fortran && shape.length > 1) return { shape, data: toRowMajor(bytes, start, shape, array, size, big) };
	// Not slice(): that of Node's Buffer does not copy.
	const isView = !big && (bytes.byteOffset + start) % size === 0;
	const raw = isView ? bytes.subarray(start) : new Uint8Array(bytes.subarray(start));
	if (big) reverseEach(raw, size);
	return { shape, data: new array(raw.buffer, raw.byteOffset, count) };
}

/**
 * The bytes of a .npy file, version 1, little-endian, row-major.
 *
 * @throws EvenkeelError if the shape does not hold the values
 */
export function encodeNpy({ shape, data }: NpyArray): Uint8Array {
	const count = shape.reduce((a, b) => a * b, 1);
	check(count === data.length, () => `npy: shape (${shape.join(", ")}) holds ${count} values, got ${data.length}`);
	const [code] = Object.entries(arrays).find(([, array]) => data instanceof array) ?? [];
	const descr = `${data.BYTES_PER_ELEMENT === 1 ? "|" : "<"}${code}`;
	const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
	const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
	// The elements begin at a multiple of 64, after a line break.
	const start = Math.ceil((10 + dict.length + 1) / 64) * 64;
	check(start - 10 <= 0xffff, () => `npy: a shape of ${shape.length} dimensions does not fit into the header`);
	const bytes = new Uint8Array(start + data.byteLength);
	bytes.set([...MAGIC, 1, 0, (start - 10) & 255, (start - 10) >> 8]);
	bytes.set(new TextEncoder().encode(`${dict.padEnd(start - 11)}\n`), 10);
	bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
	return bytes;
}

function readHeader(bytes: Uint8Array, name: string): { header: string; start: number } {
	check(
		bytes.length >= 10 && MAGIC.every((byte, i) => bytes[i] === byte),
		() =>
			`${name}: not a .npy file: it does not begin with \\x93NUMPY; write it with numpy.save(), or give a .csv file`,
	);
	const version = bytes[6];
	check(
		version >= 1 && version <= 3,
		() => `${name}: .npy version ${version}.${bytes[7]} is unknown; there are 1, 2 and 3`,
	);
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const at = version === 1 ? 10 : 12;
	check(bytes.length >= at, () => `${name}: cut short: found ${bytes.length} bytes`);
	const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
	check(
		length <= MAX_HEADER,
		() => `${name}: not a .npy file: its header would take ${length} bytes; NumPy reads ${MAX_HEADER} at most`,
	);
	const start = at + length;
	check(
		bytes.length >= start,
		() => `${name}: cut short: with its header it takes at least ${start} bytes, found ${bytes.length}`,
	);
	return { header: new TextDecoder().decode(bytes.subarray(at, start)), start };
}

function readType(header: string, name: string): { array: ArrayType; size: number; big: boolean } {
	const descr = /['"]descr['"]\s*:\s*['"]([^'"]*)['"]/.exec(header)?.[1];
	const match = /^([<>|=])([fiub]\d+)$/.exec(descr ?? "");
	const array = match && arrays[match[2]];
	if (!match || !array) {
		const found = descr === undefined ? shorten(header.trim()) : `'${shorten(descr)}'`;
		throw new EvenkeelError(
			`${name}: elements of type ${found} cannot be read, only ${Object.keys(arrays).join(", ")}; ` +
				"convert them with array.astype('f4')",
		);
	}
	return { array, size: Number(match[2].slice(1)), big: match[1] === ">" };
}

function readOrder(header: string, name: string): boolean {
	const order = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(header)?.[1];
	check(order, () => `${name}: the header does not say fortran_order: ${shorten(header.trim())}`);
	return order === "True";
}

function readShape(header: string, name: string): number[] {
	const tuple = /['"]shape['"]\s*:\s*\(([\d\s,L]*)\)/.exec(header)?.[1];
	check(tuple !== undefined, () => `${name}: the header does not give a shape: ${shorten(header.trim())}`);
	// Python 2 wrote 3L for 3.
	const shape = tuple
		.split(",")
		.map((length) => length.replace("L", "").trim())
		.filter((length) => length !== "")
		.map(Number);
	check(shape.every(Number.isSafeInteger), () => `${name}: shape ${showShape(shape)} is not one of whole numbers`);
	return shape;
}

/** Turns the bytes of each element around. */
function reverseEach(bytes: Uint8Array, size: number): void {
	for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
}

/** From first-axis-fastest to last-axis-fastest: each element's bytes go to their place. */
function toRowMajor(
	bytes: Uint8Array,
	start: number,
	shape: readonly number[],
	array: ArrayType,
	size: number,
	big: boolean,
): NpyData {
	const out = new Uint8Array(bytes.length - start);
	const steps = shape.map((_, axis) => size * shape.slice(0, axis).reduce((a, b) => a * b, 1));
	const index = new Array<number>(shape.length).fill(0);
	let from = start;
	for (let at = 0; at < out.length; at += size) {
		for (let byte = 0; byte < size; byte++) out[at + byte] = bytes[from + byte];
		for (let axis = shape.length - 1; axis >= 0; axis--) {
			from += steps[axis];
			if (++index[axis] < shape[axis]) break;
			from -= steps[axis] * shape[axis];
			index[axis] = 0;
		}
	}
	if (big) reverseEach(out, size);
	return new array(out.buffer, 0, out.length / size);
}
