import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
	decodeSafetensors,
	encodeSafetensors,
	type SafetensorsData,
	type SafetensorsDType,
	type SafetensorsTensor,
} from "./safetensors.ts";

/** Arrays of any values, or bit patterns, that a type has. */
function data<T extends SafetensorsData, V extends number | bigint>(
	type: { from(values: Iterable<V>): T },
	value: fc.Arbitrary<V>,
	each = 1,
): (elements: number) => fc.Arbitrary<SafetensorsData> {
	return (n) => fc.array(value, { minLength: n * each, maxLength: n * each }).map((values) => type.from(values));
}

const byte = fc.nat(255);

const makers: Record<SafetensorsDType, (elements: number) => fc.Arbitrary<SafetensorsData>> = {
	F64: data(Float64Array, fc.double()),
	F32: data(Float32Array, fc.float()),
	F16: data(Uint16Array, fc.nat(65535)),
	BF16: data(Uint16Array, fc.nat(65535)),
	I64: data(BigInt64Array, fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)),
	U64: data(BigUint64Array, fc.bigInt(0n, 2n ** 64n - 1n)),
	C64: data(Float32Array, fc.float(), 2),
	I32: data(Int32Array, fc.integer()),
	U32: data(Uint32Array, fc.nat()),
	I16: data(Int16Array, fc.integer({ min: -32768, max: 32767 })),
	U16: data(Uint16Array, fc.nat(65535)),
	I8: data(Int8Array, fc.integer({ min: -128, max: 127 })),
	U8: data(Uint8Array, byte),
	BOOL: data(Uint8Array, fc.nat(1)),
	F8_E4M3: data(Uint8Array, byte),
	F8_E5M2: data(Uint8Array, byte),
	F8_E4M3FNUZ: data(Uint8Array, byte),
	F8_E5M2FNUZ: data(Uint8Array, byte),
	F8_E8M0: data(Uint8Array, byte),
	F6_E2M3: data(Uint8Array, byte, 3 / 4),
	F6_E3M2: data(Uint8Array, byte, 3 / 4),
	F4: data(Uint8Array, byte, 1 / 2),
};

const anyTensor: fc.Arbitrary<SafetensorsTensor> = fc
	.tuple(fc.constantFrom(...(Object.keys(makers) as SafetensorsDType[])), fc.array(fc.nat(4), { maxLength: 3 }))
	.chain(([dtype, shape]) => {
		// Four of those that share bytes.
		const whole = /^F[46]/.test(dtype) ? [...shape, 4] : shape;
		return makers[dtype](whole.reduce((a, b) => a * b, 1)).map((values) => ({ dtype, shape: whole, data: values }));
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
			expect(encodeSafetensors(found.tensors, metadata)).toEqual(bytes);
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
	const { w, half } = decodeSafetensors(bytes).tensors;
	expect(w.data.buffer).toBe(bytes.buffer);
	expect(half.data.buffer).toBe(bytes.buffer);
	expect(w.numbers()).toBe(w.data);
});

test("values of small floats are rounded when they are written, and are float32 when they are read", () => {
	const values = Float32Array.of(1.5, -2, 0.3, 1000, Number.NaN, Number.POSITIVE_INFINITY);
	const read = (dtype: SafetensorsDType) => [
		...decodeSafetensors(encodeSafetensors({ x: { dtype, shape: [2, 3], data: values } })).tensors.x.numbers(),
	];
	const infinity = Number.POSITIVE_INFINITY;
	expect(read("F16")).toEqual([1.5, -2, 0.300048828125, 1000, Number.NaN, infinity]);
	expect(read("BF16")).toEqual([1.5, -2, 0.30078125, 1000, Number.NaN, infinity]);
	expect(read("F8_E5M2")).toEqual([1.5, -2, 0.3125, 1024, Number.NaN, infinity]);
	expect(read("F8_E4M3")).toEqual([1.5, -2, 0.3125, Number.NaN, Number.NaN, Number.NaN]);
	const patterns = { x: { dtype: "F16", shape: [1], data: Uint16Array.of(0x3e00) } } as const;
	expect([...decodeSafetensors(encodeSafetensors(patterns)).tensors.x.numbers()]).toEqual([1.5]);
});

test("what evenkeel does not compute with is passed on, and said when it is computed with", () => {
	const bytes = encodeSafetensors({
		four: { dtype: "F4", shape: [2, 2], data: Uint8Array.of(0x12, 0x34) },
		z: { dtype: "C64", shape: [1], data: Float32Array.of(1, 2) },
	});
	const { four, z } = decodeSafetensors(bytes, "f").tensors;
	expect([four.data, z.data]).toEqual([Uint8Array.of(0x12, 0x34), Float32Array.of(1, 2)]);
	expect(() => four.numbers()).toThrow(
		'f: tensor "four" is F4, with which evenkeel does not compute: the format does not say',
	);
	expect(() => z.numbers()).toThrow(
		"is C64, with which evenkeel does not compute: its numbers are complex; convert it to F32",
	);
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
		["not JSON", file('{"a":'), 'f: tensor "a": expected an object, got its end'],
		["no colon", file('{"a" 1}'), 'the header is not JSON as the format has it: at byte 13 expected ":", found 1}'],
		["open string", file('{"a'), "at byte 11 expected the end of a string, found its end"],
		["line break in a name", file('{"a\n":1}'), "expected the end of a string"],
		["no escape", file('{"\\x":1}'), 'the string "\\\\x" has an escape that is none'],
		["no comma", file(`{${u8("a", 0, 1)} ${u8("b", 1, 2)}}`, 2), 'expected "," or "}", found "b"'],
		["comma at the end", file(`{${u8("a", 0, 1)},}`, 1), "expected a name in the header, found }"],
		["text behind", file("{} x"), "at byte 11 expected nothing more, found x"],
		["not UTF-8", Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x22, 0xff, 0x22, 0x7d), "the header is not UTF-8"],
		["name twice", file(`{${u8("a", 0, 1)},${u8("a", 1, 2)}}`, 2), 'f: the header has the name "a" twice'],
		["name twice, escaped", file(`{${u8("a", 0, 1)},${u8("\\u0061", 1, 2)}}`, 2), 'the name "a" twice'],
		[
			"field twice",
			file('{"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}', 1),
			'the name "dtype" twice',
		],
		["metadata", file('{"__metadata__":{"a":1}}'), '__metadata__ "a" must be a string, got 1'],
		["metadata twice", file('{"__metadata__":{"a":"1","a":"2"}}'), 'f: __metadata__ has the name "a" twice'],
		["metadata, all of it twice", file('{"__metadata__":{},"__metadata__":{}}'), 'the name "__metadata__" twice'],
		["metadata's type", file('{"__metadata__":[]}'), "__metadata__ must be an object of strings, got []"],
		["entry", file('{"a":5}'), 'f: tensor "a": expected an object, got 5'],
		["field", file('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1}}'), 'unknown field "x"'],
		[
			"dtype",
			file(`{${u8("a", 0, 1, "[1]", "F8_E3M4")}}`, 1),
			'type "F8_E3M4" cannot be read; convert it to one of F64, I64',
		],
		["inherited dtype", file(`{${u8("a", 0, 1, "[1]", "toString")}}`, 1), 'type "toString" cannot be read'],
		["shape", file(`{${u8("a", 0, 1, "[-1]")}}`, 1), "shape must be whole numbers, got -1]"],
		["no whole number", file(`{${u8("a", 0, 1, "[1.0]")}}`, 1), "shape must be whole numbers, got 1.0]"],
		["leading zero", file(`{${u8("a", 0, 1, "[01]")}}`, 1), "shape must be whole numbers, got 01]"],
		["too large a number", file(`{${u8("a", 0, 1, "[9007199254740992]")}}`, 1), "got 9007199254740992]"],
		["shape's size", file(`{${u8("a", 0, 1, "[94906267,94906267]")}}`, 1), "of which the product is one too"],
		["half a byte", file(`{${u8("a", 0, 2, "[3]", "F4")}}`, 2), "F4 [3] takes 12 bits, which are no whole number"],
		[
			"a thousand dimensions",
			file(`{${u8("a", 0, 2, `[${"1,".repeat(999)}1]`)}}`, 2),
			"(1000 dimensions) takes 1 bytes",
		],
		["no dtype", file('{"a":{"shape":[1],"data_offsets":[0,1]}}', 1), 'tensor "a": it has no dtype'],
		["no shape", file('{"a":{"dtype":"U8","data_offsets":[0,1]}}', 1), 'tensor "a": it has no shape'],
		["no offsets", file('{"a":{"dtype":"U8","shape":[1]}}', 1), "data_offsets must be [begin, end], got []"],
		["deep", file(`{"a":${"[".repeat(100000)}`), 'tensor "a": expected an object, got [[['],
		["long name", file(`{"${"n".repeat(100000)}":5}`), "n… (100000 characters)"],
		["offsets", file(`{${u8("a", 2, 1, "[0]")}}`, 1), "data_offsets must be [begin, end], got [2, 1]"],
		["size", file(`{${u8("a", 0, 4, "[2]", "F32")}}`, 4), 'tensor "a": F32 [2] takes 8 bytes, data_offsets hold 4'],
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
		["unknown type", { w: { ...f32([2]), dtype: "F5" as "F64" } }, "unknown type F5; there are F64"],
		[
			"patterns' type",
			{ w: { ...f32([1]), dtype: "F16", data: Int32Array.of(1) } },
			"F16 is given as Uint16Array of bits, or Float32Array of values, got Int32Array",
		],
		[
			"odd F4",
			{ w: { dtype: "F4", shape: [1], data: Uint8Array.of(1) } },
			"F4 of shape [1] is no whole number of bytes",
		],
		["name", { __metadata__: f32([1]) }, "that name is the format's own"],
	];
	test.each(writing)("writing: %s", (_, tensors, message) => {
		expect(() => encodeSafetensors(tensors)).toThrow(message);
	});
});
