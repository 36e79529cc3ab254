import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeNpy, encodeNpy, type NpyData } from "./npy.ts";

/** A file as NumPy writes it. */
function file(dict: string, data: number[], version = 1): Uint8Array {
	const text = new TextEncoder().encode(`${dict}\n`);
	const length = version === 1 ? [text.length & 255, text.length >> 8] : [text.length, 0, 0, 0];
	return Uint8Array.of(0x93, ...new TextEncoder().encode("NUMPY"), version, 0, ...length, ...text, ...data);
}

function dict(descr: string, shape: string, fortran = "False"): string {
	return `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`;
}

test("what is written is read back", () => {
	const arrays: ((n: number) => NpyData)[] = [
		(n) => Float32Array.from({ length: n }, (_, i) => i / 3),
		(n) => Float64Array.from({ length: n }, (_, i) => i / 3),
		(n) => Int32Array.from({ length: n }, (_, i) => -i),
		(n) => BigInt64Array.from({ length: n }, (_, i) => BigInt(-i)),
		(n) => Uint8Array.from({ length: n }, (_, i) => i),
		(n) => Int16Array.from({ length: n }, (_, i) => -i),
	];
	fc.assert(
		fc.property(fc.constantFrom(...arrays), fc.array(fc.nat(5), { maxLength: 4 }), (make, shape) => {
			const data = make(shape.reduce((a, b) => a * b, 1));
			const bytes = encodeNpy({ shape, data });
			expect((bytes.length - data.byteLength) % 64).toBe(0);
			expect(decodeNpy(bytes)).toEqual({ shape, data });
			expect(decodeNpy(Buffer.concat([Buffer.of(0), bytes]).subarray(1))).toEqual({ shape, data });
		}),
	);
});

test("the bytes are NumPy's", () => {
	// numpy.save(f, numpy.array([[1.5, -2]], "f4"))
	const expected = file(dict("<f4", "(1, 2)").padEnd(117), [0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0]);
	expect(encodeNpy({ shape: [1, 2], data: Float32Array.of(1.5, -2) })).toEqual(expected);
	const scalar = new TextDecoder().decode(encodeNpy({ shape: [], data: Uint8Array.of(1) }));
	expect(scalar).toContain("'descr': '|u1', 'fortran_order': False, 'shape': ()");
	expect(new TextDecoder().decode(encodeNpy({ shape: [1], data: Uint8Array.of(1) }))).toContain("'shape': (1,)");
});

describe("what NumPy may write", () => {
	const cases: [string, Uint8Array, number[], NpyData][] = [
		["big-endian", file(dict(">f4", "(2,)"), [0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0]), [2], Float32Array.of(1.5, -2)],
		["big-endian int64", file(dict(">i8", "()"), [0, 0, 0, 0, 0, 0, 1, 0]), [], BigInt64Array.of(256n)],
		["version 2", file(dict("<i2", "(1,)"), [1, 2], 2), [1], Int16Array.of(513)],
		["version 3", file(dict("|b1", "(2,)"), [1, 0], 3), [2], Uint8Array.of(1, 0)],
		[
			"first axis fastest",
			file(dict("|u1", "(2, 3)", "True"), [1, 2, 3, 4, 5, 6]),
			[2, 3],
			Uint8Array.of(1, 3, 5, 2, 4, 6),
		],
		[
			"first axis fastest, three axes",
			file(dict("|u1", "(2, 1, 3)", "True"), [1, 2, 3, 4, 5, 6]),
			[2, 1, 3],
			Uint8Array.of(1, 3, 5, 2, 4, 6),
		],
		["Python 2", file(dict("<u2", "(1L, 1L)"), [7, 0]), [1, 1], Uint16Array.of(7)],
		["none", file(dict("<f8", "(0, 3)"), []), [0, 3], new Float64Array(0)],
	];
	test.each(cases)("%s", (_, bytes, shape, data) => {
		expect(decodeNpy(bytes)).toEqual({ shape, data });
	});
});

test("aligned data are views of the bytes, others are not", () => {
	const bytes = encodeNpy({ shape: [2, 2], data: Float64Array.of(1, 2, 3, 4) });
	expect(decodeNpy(bytes).data.buffer).toBe(bytes.buffer);
	const big = file(dict(">f4", "(1,)"), [0x3f, 0xc0, 0, 0]);
	const before = Uint8Array.from(big);
	expect([...decodeNpy(big).data]).toEqual([1.5]);
	expect(big).toEqual(before);
});

test("big-endian and the first axis fastest", () => {
	const data = [1, 2, 3, 4, 5, 6].flatMap((value) => [0, value]);
	const { shape, data: found } = decodeNpy(file(dict(">i2", "(2, 3)", "True"), data));
	expect([shape, found]).toEqual([[2, 3], Int16Array.of(1, 3, 5, 2, 4, 6)]);
});

describe("what is wrong is named", () => {
	const cases: [string, Uint8Array, string][] = [
		["magic", new TextEncoder().encode("1,2,3\n4,5,6\n"), "f: not a .npy file: it does not begin with \\x93NUMPY"],
		["version", file(dict("<f4", "()"), [], 9), "f: .npy version 9.0 is unknown"],
		["header cut", file(dict("<f4", "()"), []).subarray(0, 30), "f: cut short: with its header it takes at least"],
		["type", file(dict("<c8", "()"), []), "elements of type '<c8' cannot be read, only f8, f4"],
		["objects", file(dict("|O", "()"), []), "elements of type '|O' cannot be read"],
		[
			"records",
			file("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", []),
			"elements of type {'descr': [('a'",
		],
		["order", file("{'descr': '<f4', 'shape': (1,), }", []), "does not say fortran_order"],
		["shape", file("{'descr': '<f4', 'fortran_order': False}", []), "does not give a shape"],
		[
			"too long a header",
			file(`${"x".repeat(20000)}`, []),
			"its header would take 20001 bytes; NumPy reads 10000 at most",
		],
		[
			"a size beyond numbers",
			file(dict("<f4", `(${"9".repeat(400)}, 0)`), []),
			"f: shape [Infinity, 0] is not one of whole numbers",
		],
		["a thousand axes", file(dict("|u1", `(${"1,".repeat(1000)})`), []), "(1000 dimensions) of 1 bytes each takes"],
		["cut", file(dict("<f4", "(2,)"), [0]), "cut short: shape [2] of 4 bytes each takes"],
		["trailing", file(dict("|u1", "(2,)"), [0, 1, 2]), "bytes too many: shape [2]"],
	];
	test.each(cases)("%s", (_, bytes, message) => {
		expect(() => decodeNpy(bytes, "f")).toThrow(message);
	});

	test("a shape that does not hold the values", () => {
		expect(() => encodeNpy({ shape: [2], data: Uint8Array.of(1) })).toThrow("npy: shape (2) holds 2 values, got 1");
	});
});
