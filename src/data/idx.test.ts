import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decompress, gunzip } from "./gzip.ts";
import { encodeIdx, parseIdx, readIdx } from "./idx.ts";

const images = encodeIdx(
	[2, 2, 3],
	Uint8Array.from({ length: 12 }, (_, i) => i),
);

test("what is written is read back", () => {
	fc.assert(
		fc.property(fc.array(fc.nat(4), { maxLength: 4 }), (shape) => {
			const size = shape.reduce((a, b) => a * b, 1);
			const data = Uint8Array.from({ length: size }, (_, i) => (i * 37) & 255);
			expect(parseIdx(encodeIdx(shape, data))).toEqual({ type: "uint8", shape, data });
			expect(parseIdx(Buffer.from(encodeIdx(shape, data)))).toEqual({ type: "uint8", shape, data });
		}),
	);
});

test("a gzip'ed file reads as the plain one", async () => {
	expect(await readIdx(gzipSync(images))).toEqual(await readIdx(images));
	expect(await decompress(gzipSync(images))).toEqual(images);
});

test.each([
	["int8", 0x09, [0xff, 0x02], [-1, 2]],
	["int16", 0x0b, [0xff, 0xfe, 0x01, 0x02], [-2, 258]],
	["int32", 0x0c, [0xff, 0xff, 0xff, 0xfd, 0, 1, 0, 0], [-3, 65536]],
	["float32", 0x0d, [0x3f, 0xc0, 0, 0, 0xbf, 0x80, 0, 0], [1.5, -1]],
	["float64", 0x0e, [0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xbf, 0xf0, 0, 0, 0, 0, 0, 0], [1.5, -1]],
] as const)("%s is big-endian", (type, code, bytes, values) => {
	const idx = parseIdx(Uint8Array.of(0, 0, code, 1, 0, 0, 0, 2, ...bytes));
	expect(idx.type).toBe(type);
	expect([...idx.data]).toEqual([...values]);
});

describe("what is wrong is named", () => {
	const cases: [string, Uint8Array, RegExp][] = [
		["empty", new Uint8Array(0), /^f: cut short: an IDX file has at least 4 bytes, found 0; fetch/],
		["magic", Uint8Array.of(1, 2, 8, 1, 0, 0, 0, 0), /^f: not an IDX file: .* found 01 02 08 01; check/],
		["web page", new TextEncoder().encode("<!DOCTYPE html><html>"), /found 3c 21 44 4f \(a web page/],
		[
			"type",
			Uint8Array.of(0, 0, 7, 1, 0, 0, 0, 0),
			/^f: wrong magic number, found 00 00 07 01: .*08 uint8.*0e float64; check/,
		],
		["header", images.subarray(0, 15), /^f: cut short: the header of 3 dimensions takes 16 bytes, found 15/],
		[
			"data",
			images.subarray(0, 20),
			/^f: cut short: its header says uint8 \[2, 2, 3\], which takes 28 bytes, found 20 \(8 missing\)/,
		],
		["trailing", Uint8Array.of(...images, 0), /^f: 1 byte too many: .* takes 28 bytes, found 29/],
	];
	test.each(cases)("%s", (_, bytes, message) => {
		expect(() => parseIdx(bytes, "f")).toThrow(message);
	});

	test("a damaged gzip file", async () => {
		await expect(readIdx(gzipSync(images).subarray(0, 20), "f.gz")).rejects.toThrow(
			/^f\.gz: the gzip file is damaged or cut short after 20 bytes \(unexpected end of file\); fetch/,
		);
		await expect(gunzip(images, "f")).rejects.toThrow(/incorrect header check/);
	});

	test("a shape that does not hold the values", () => {
		expect(() => encodeIdx([3], Uint8Array.of(1))).toThrow("encodeIdx: shape [3] holds 3 values, got 1");
	});
});
