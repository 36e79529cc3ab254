import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
	decodeSafetensors,
	encodeSafetensors,
	type SafetensorsData,
	type SafetensorsDType,
	type SafetensorsTensor,
} from "./safetensors.ts";

const integers: Partial<Record<SafetensorsDType, fc.Arbitrary<number>>> = {
	I32: fc.integer(),
	U32: fc.nat(),
	I16: fc.integer({ min: -32768, max: 32767 }),
	U16: fc.integer({ min: 0, max: 65535 }),
	I8: fc.integer({ min: -128, max: 127 }),
	U8: fc.integer({ min: 0, max: 255 }),
	BOOL: fc.integer({ min: 0, max: 1 }),
};

const makers: Record<SafetensorsDType, (values: fc.Arbitrary<number>, size: number) => fc.Arbitrary<SafetensorsData>> =
	{
		F64: (_, n) => fc.array(fc.double(), { minLength: n, maxLength: n }).map((v) => Float64Array.from(v)),
		F32: (_, n) => fc.array(fc.float(), { minLength: n, maxLength: n }).map((v) => Float32Array.from(v)),
		// What 16 bits hold, so that it comes back.
		F16: (_, n) =>
			fc.array(fc.integer({ min: -2048, max: 2048 }), { minLength: n, maxLength: n }).map((v) => Float32Array.from(v)),
		BF16: (_, n) =>
			fc.array(fc.integer({ min: -256, max: 256 }), { minLength: n, maxLength: n }).map((v) => Float32Array.from(v)),
		I64: (_, n) =>
			fc
				.array(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), { minLength: n, maxLength: n })
				.map((v) => BigInt64Array.from(v)),
		U64: (_, n) =>
			fc.array(fc.bigInt(0n, 2n ** 64n - 1n), { minLength: n, maxLength: n }).map((v) => BigUint64Array.from(v)),
		I32: (values, n) => fc.array(values, { minLength: n, maxLength: n }).map((v) => Int32Array.from(v)),
		U32: (values, n) => fc.array(values, { minLength: n, maxLength: n }).map((v) => Uint32Array.from(v)),
		I16: (values, n) => fc.array(values, { minLength: n, maxLength: n }).map((v) => Int16Array.from(v)),
		U16: (values, n) => fc.array(values, { minLength: n, maxLength: n }).map((v) => Uint16Array.from(v)),
		I8: (values, n) => fc.array(values, { minLength: n, maxLength: n }).map((v) => Int8Array.from(v)),
		U8: (values, n) => fc.array(values, { minLength: n, maxLength: n }).map((v) => Uint8Array.from(v)),
		BOOL: (values, n) => fc.array(values, { minLength: n, maxLength: n }).map((v) => Uint8Array.from(v)),
	};

const anyTensor: fc.Arbitrary<SafetensorsTensor> = fc
	.tuple(fc.constantFrom(...(Object.keys(makers) as SafetensorsDType[])), fc.array(fc.nat(4), { maxLength: 3 }))
	.chain(([dtype, shape]) => {
		const size = shape.reduce((a, b) => a * b, 1);
		return makers[dtype](integers[dtype] ?? fc.nat(), size).map((data) => ({ dtype, shape, data }));
	});

const anyName = fc.string({ unit: "grapheme" }).filter((name) => name !== "__metadata__" && !/^\d+$/.test(name));

test("what is written is read back, in its order, wherever the bytes lie", () => {
	const file = fc.tuple(
		fc.uniqueArray(fc.tuple(anyName, anyTensor), { selector: ([name]) => name, maxLength: 6 }),
		fc.dictionary(fc.string(), fc.string(), { maxKeys: 3, noNullPrototype: true }),
		fc.nat(9),
	);
	fc.assert(
		fc.property(file, ([tensors, metadata, shift]) => {
			const bytes = encodeSafetensors(Object.fromEntries(tensors), metadata);
			const moved = new Uint8Array(bytes.length + shift);
			moved.set(bytes, shift);
			const found = decodeSafetensors(moved.subarray(shift));
			expect(decodeSafetensors(Buffer.from(moved.buffer, shift))).toEqual(found);
			expect(Object.entries(found.tensors)).toEqual(tensors);
			expect(found.metadata).toEqual(metadata);
		}),
	);
});

test("any damage to the bytes is an EvenkeelError or other values, never a crash", () => {
	const bytes = encodeSafetensors(
		{ a: f32([2, 2]), b: { dtype: "I64", shape: [], data: BigInt64Array.of(7n) } },
		{ k: "v" },
	);
	fc.assert(
		fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(bytes.length), (at, value, length) => {
			const damaged = bytes.slice(0, Math.max(length, at));
			damaged[at] = value;
			try {
				decodeSafetensors(damaged);
			} catch (error) {
				expect(error).toHaveProperty("name", "EvenkeelError");
			}
		}),
		{ numRuns: 2000 },
	);
});

function f32(shape: number[]): SafetensorsTensor {
	const size = shape.reduce((a, b) => a * b, 1);
	return { dtype: "F32", shape, data: Float32Array.from({ length: size }, (_, i) => i / 2) };
}

/** A file with this header and so many bytes of data. */
function file(header: string, data = 0): Uint8Array {
	const text = new TextEncoder().encode(header);
	const bytes = new Uint8Array(8 + text.length + data);
	new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
	bytes.set(text, 8);
	return bytes;
}

test("the layout is the format's", () => {
	const bytes = encodeSafetensors(
		{ b: { dtype: "U8", shape: [3], data: Uint8Array.of(1, 2, 3) }, w: f32([1, 2]) },
		{ by: "me" },
	);
	const header =
		'{"__metadata__":{"by":"me"},"b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]},"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}';
	const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
	expect(new DataView(bytes.buffer).getBigUint64(0, true)).toBe(BigInt(padded.length));
	expect(new TextDecoder().decode(bytes.subarray(8, 8 + padded.length))).toBe(padded);
	expect([...bytes.subarray(8 + padded.length)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0x3f, 1, 2, 3]);
	expect(encodeSafetensors({})).toEqual(file("{}      "));
	expect(decodeSafetensors(encodeSafetensors({}))).toEqual({ tensors: {}, metadata: {} });
});

test("aligned data is not copied", () => {
	const bytes = encodeSafetensors({ w: f32([2, 3]), half: { dtype: "F16", shape: [1], data: Float32Array.of(1.5) } });
	expect(decodeSafetensors(bytes).tensors.w.data.buffer).toBe(bytes.buffer);
	expect(decodeSafetensors(bytes).tensors.half.data).toEqual(Float32Array.of(1.5));
});

test("names that objects have of their own are names like any other", () => {
	const bytes = file(
		'{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"constructor":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}}',
		1,
	);
	expect(Object.keys(decodeSafetensors(bytes).tensors)).toEqual(["__proto__", "constructor"]);
});

describe("what is wrong is named", () => {
	const u8 = (name: string, begin: number, end: number, shape = `[${end - begin}]`, dtype = "U8") =>
		`"${name}":{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`;
	const huge = new Uint8Array(16);
	new DataView(huge.buffer).setBigUint64(0, 100_000_001n, true);
	const cases: [string, Uint8Array, string][] = [
		["empty", new Uint8Array(3), "f: cut short: a safetensors file has at least 8 bytes, found 3"],
		["header too long", huge, "its header would take 100000001 bytes, the format allows 100000000"],
		["header cut", file("{}").subarray(0, 9), "cut short: with its header it takes at least 10 bytes, found 9"],
		["no brace", file("[]"), "the header does not begin with {"],
		["no header", file(""), "the header does not begin with {"],
		["leading space", file(" {}"), "the header does not begin with {"],
		["not JSON", file('{"a":'), "the header is not JSON ("],
		["not UTF-8", Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff, 0x7d), "the header is not UTF-8"],
		["name twice", file(`{${u8("a", 0, 1)},${u8("a", 1, 2)}}`, 2), 'f: the header has the name "a" twice'],
		["name twice, escaped", file(`{${u8("a", 0, 1)},${u8("\\u0061", 1, 2)}}`, 2), 'the name "a" twice'],
		[
			"field twice",
			file('{"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}', 1),
			'the name "dtype" twice',
		],
		["metadata", file('{"__metadata__":{"a":1}}'), '__metadata__ "a" must be a string, got 1'],
		["metadata's type", file('{"__metadata__":[]}'), "__metadata__ must be an object of strings, got []"],
		["entry", file('{"a":5}'), 'f: tensor "a": expected an object, got 5'],
		["field", file('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1}}'), 'unknown field "x"'],
		[
			"dtype",
			file(`{${u8("a", 0, 1, "[1]", "F8_E4M3")}}`, 1),
			'type "F8_E4M3" cannot be read; convert it to one of F64, F32',
		],
		["inherited dtype", file(`{${u8("a", 0, 1, "[1]", "toString")}}`, 1), 'type "toString" cannot be read'],
		["shape", file(`{${u8("a", 0, 1, "[-1]")}}`, 1), "shape must be whole numbers, got [-1]"],
		["shape's size", file(`{${u8("a", 0, 1, "[1e15,1e15]")}}`, 1), "shape must be whole numbers"],
		["offsets", file(`{${u8("a", 2, 1, "[0]")}}`, 1), "data_offsets must be [begin, end], got [2,1]"],
		[
			"size",
			file(`{${u8("a", 0, 4, "[2]", "F32")}}`, 4),
			'tensor "a": F32 [2] takes 8 bytes, data_offsets [0,4] hold 4',
		],
		[
			"hole",
			file(`{${u8("a", 0, 2)},${u8("b", 3, 4)}}`, 4),
			'tensor "b" begins at byte 3 of the data, which leaves a hole after tensor "a", that ends at 2',
		],
		["hole at the start", file(`{${u8("a", 1, 2)}}`, 2), "which leaves a hole after the header"],
		[
			"overlap",
			file(`{${u8("b", 1, 3)},${u8("a", 0, 2)}}`, 3),
			'tensor "b" begins at byte 1 of the data, within tensor "a", that ends at 2',
		],
		["data cut", file(`{${u8("a", 0, 9)}}`, 8), "cut short: its header describes 9 bytes of data, found 8"],
		["trailing data", file(`{${u8("a", 0, 9)}}`, 10), "bytes too many: its header describes 9 bytes of data, found 10"],
	];
	test.each(cases)("reading: %s", (_, bytes, message) => {
		expect(() => decodeSafetensors(bytes, "f")).toThrow(message);
	});

	const writing: [string, Record<string, SafetensorsTensor>, string][] = [
		["shape", { w: { ...f32([2]), shape: [3] } }, 'safetensors: tensor "w": shape [3] holds 3 values, got 2'],
		["type", { w: { ...f32([2]), dtype: "F64" } }, 'tensor "w": F64 is given as Float64Array, got Float32Array'],
		["unknown type", { w: { ...f32([2]), dtype: "F4" as "F64" } }, "unknown type F4; there are F64"],
		["name", { __metadata__: f32([1]) }, "that name is the format's own"],
	];
	test.each(writing)("writing: %s", (_, tensors, message) => {
		expect(() => encodeSafetensors(tensors)).toThrow(message);
	});
});
