// IDX, the format of MNIST and its kin: 00 00, a type, the number of dimensions, each length as a
// big-endian u32, then the elements in row-major order, big-endian too.

import { check, EvenkeelError } from "../errors.ts";
import { formatShape, sizeOf } from "../tensor/shape.ts";
import { gunzip, isGzip } from "./gzip.ts";

export type IdxType = "uint8" | "int8" | "int16" | "int32" | "float32" | "float64";
export type IdxData = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

/** The contents of an IDX file. */
export interface Idx {
	type: IdxType;
	shape: number[];
	/** Row-major. For uint8 a view of the file's bytes, otherwise a copy in the machine's byte order. */
	data: IdxData;
}

interface Format {
	code: number;
	bytes: number;
	make(length: number): IdxData;
	get(view: DataView, at: number): number;
}

const formats: Record<IdxType, Format> = {
	uint8: { code: 0x08, bytes: 1, make: (n) => new Uint8Array(n), get: (view, at) => view.getUint8(at) },
	int8: { code: 0x09, bytes: 1, make: (n) => new Int8Array(n), get: (view, at) => view.getInt8(at) },
	int16: { code: 0x0b, bytes: 2, make: (n) => new Int16Array(n), get: (view, at) => view.getInt16(at) },
	int32: { code: 0x0c, bytes: 4, make: (n) => new Int32Array(n), get: (view, at) => view.getInt32(at) },
	float32: { code: 0x0d, bytes: 4, make: (n) => new Float32Array(n), get: (view, at) => view.getFloat32(at) },
	float64: { code: 0x0e, bytes: 8, make: (n) => new Float64Array(n), get: (view, at) => view.getFloat64(at) },
};

const types = Object.keys(formats) as IdxType[];

/**
 * Reads an IDX file, gzip'ed or not.
 *
 * @param bytes the file
 * @param name what to call it in errors: its path
 * @throws EvenkeelError if the magic number, the type, the sizes or the length are wrong, naming what was found
 * @see http://yann.lecun.com/exdb/mnist/ (at the end: "the IDX file format")
 */
export async function readIdx(bytes: Uint8Array, name = "IDX file"): Promise<Idx> {
	return parseIdx(isGzip(bytes) ? await gunzip(bytes, name) : bytes, name);
}

/** Reads the bytes of an IDX file that is not compressed. As {@link readIdx}, at once. */
export function parseIdx(bytes: Uint8Array, name = "IDX file"): Idx {
	const type = checkMagic(bytes, name);
	const dimensions = bytes[3];
	const header = 4 + 4 * dimensions;
	check(
		bytes.length >= header,
		() =>
			`${name}: cut short: the header of ${dimensions} dimensions takes ${header} bytes, found ${bytes.length}; ${again}`,
	);
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const shape = Array.from({ length: dimensions }, (_, axis) => view.getUint32(4 + 4 * axis));
	const expected = header + sizeOf(shape) * formats[type].bytes;
	checkLength(bytes.length, expected, `${type} ${formatShape(shape)}`, name);
	return { type, shape, data: elements(bytes, view, type, header, sizeOf(shape)) };
}

/** The bytes of an IDX file: the inverse of {@link parseIdx}, for uint8. */
export function encodeIdx(shape: readonly number[], data: Uint8Array): Uint8Array {
	check(
		sizeOf(shape) === data.length && shape.length < 256,
		() => `encodeIdx: shape ${formatShape(shape)} holds ${sizeOf(shape)} values, got ${data.length}`,
	);
	const header = 4 + 4 * shape.length;
	const bytes = new Uint8Array(header + data.length);
	bytes.set([0, 0, formats.uint8.code, shape.length]);
	const view = new DataView(bytes.buffer);
	shape.forEach((length, axis) => {
		view.setUint32(4 + 4 * axis, length);
	});
	bytes.set(data, header);
	return bytes;
}

const again = "fetch or copy the file again";

function checkMagic(bytes: Uint8Array, name: string): IdxType {
	check(
		bytes.length >= 4,
		() => `${name}: cut short: an IDX file has at least 4 bytes, found ${bytes.length}; ${again}`,
	);
	const found = `found ${hex(bytes.subarray(0, 4))}`;
	check(
		bytes[0] === 0 && bytes[1] === 0,
		() =>
			`${name}: not an IDX file: it should begin with 00 00, a type and the number of dimensions, ${found}${guess(bytes)}`,
	);
	const type = types.find((candidate) => formats[candidate].code === bytes[2]);
	check(
		type,
		() =>
			`${name}: wrong magic number, ${found}: the third byte names the type and is one of ` +
			`${types.map((known) => `${hex([formats[known].code])} ${known}`).join(", ")}; check that this is the right file`,
	);
	return type;
}

/** What a file that is not IDX seems to be. */
function guess(bytes: Uint8Array): string {
	const start = String.fromCharCode(...bytes.subarray(0, 64))
		.trimStart()
		.toLowerCase();
	if (start.startsWith("<")) return " (a web page: the download was answered by something else); fetch the file again";
	if (start.startsWith("pk")) return " (a ZIP archive); unpack it first";
	if (start.startsWith("\x93numpy")) return " (a NumPy file)";
	return "; check that this is the right file";
}

function checkLength(found: number, expected: number, what: string, name: string): void {
	if (found === expected) return;
	const difference = Math.abs(found - expected);
	throw new EvenkeelError(
		found < expected
			? `${name}: cut short: its header says ${what}, which takes ${expected} bytes, found ${found} (${difference} missing); ${again}`
			: `${name}: ${difference} ${difference === 1 ? "byte" : "bytes"} too many: its header says ${what}, which takes ${expected} bytes, found ${found}; ${again}`,
	);
}

function elements(bytes: Uint8Array, view: DataView, type: IdxType, header: number, count: number): IdxData {
	if (type === "uint8") return new Uint8Array(bytes.buffer, bytes.byteOffset + header, count);
	const { bytes: size, make, get } = formats[type];
	const data = make(count);
	for (let i = 0; i < count; i++) data[i] = get(view, header + i * size);
	return data;
}

function hex(bytes: ArrayLike<number>): string {
	return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
