import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { decodeSafetensors, encodeSafetensors, SafetensorsFile } from "../safetensors.ts";

let dir: string;
let path: string;
const half = Float32Array.of(1.5, -2);
const large = Float32Array.from({ length: 1 << 20 }, (_, i) => i);

beforeAll(() => {
	dir = fs.mkdtempSync(join(tmpdir(), "evenkeel-safetensors-"));
	path = join(dir, "model.safetensors");
	const tensors = {
		large: { dtype: "F32", shape: [1024, 1024], data: large },
		half: { dtype: "F16", shape: [2], data: half },
		count: { dtype: "I64", shape: [], data: BigInt64Array.of(7n) },
		none: { dtype: "F32", shape: [0, 3], data: new Float32Array(0) },
	} as const;
	fs.writeFileSync(path, encodeSafetensors(tensors, { by: "me" }));
});

afterAll(() => {
	fs.rmSync(dir, { recursive: true, force: true });
});

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => Buffer.from(buffer, byteOffset, byteLength);

test("a file on the disk holds what its bytes hold", () => {
	using file = new SafetensorsFile(path);
	const { tensors, metadata } = decodeSafetensors(fs.readFileSync(path));
	expect(file.metadata).toEqual(metadata);
	expect([...file.entries.keys()]).toEqual(Object.keys(tensors));
	for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
		for (const read of [file.tensor(name), file.tensors()[name]]) {
			expect(read).toMatchObject({ dtype, shape });
			expect(read.data.constructor).toBe(data.constructor);
			// A million numbers are compared as bytes: toEqual() takes seconds over them.
			expect(bytesOf(read.data).equals(bytesOf(data))).toBe(true);
		}
	}
	expect([...file.tensors().half.numbers()]).toEqual([...half]);
});

test("only what is asked for is read", () => {
	let bytes = 0;
	const { readSync } = fs;
	const spy = vi.spyOn(fs, "readSync").mockImplementation((...args: unknown[]) => {
		const read: number = Reflect.apply(readSync, fs, args);
		bytes += read;
		return read;
	});
	try {
		using file = new SafetensorsFile(path);
		const { half: lazy, large: untouched } = file.tensors();
		expect([untouched.shape, lazy.shape]).toEqual([[1024, 1024], [2]]);
		const header = bytes;
		expect(header).toBeLessThan(512);
		lazy.numbers();
		file.tensor("count");
		expect(bytes - header).toBe(4 + 8);
	} finally {
		spy.mockRestore();
	}
});

test("what was written from one file to another is the same", () => {
	using file = new SafetensorsFile(path);
	expect(Buffer.from(encodeSafetensors(file.tensors(), file.metadata)).equals(fs.readFileSync(path))).toBe(true);
});

describe("what is wrong is named", () => {
	test("no such tensor, and a file that was closed", () => {
		const file = new SafetensorsFile(path);
		expect(() => file.tensor("bias")).toThrow(`${path}: there is no tensor "bias"; there are "large", "half"`);
		const { half: lazy } = file.tensors();
		file.close();
		file.close();
		expect(() => lazy.data).toThrow(`${path}: it was closed; read before close()`);
	});

	test("no file, a folder, a damaged file, which is closed again", () => {
		expect(() => new SafetensorsFile(join(dir, "none"))).toThrow("none: there is no such file; check the path");
		expect(() => new SafetensorsFile(join(path, "in"))).toThrow("in: a part of the path is a file, not a folder");
		expect(() => new SafetensorsFile(dir)).toThrow(`${dir}: this is a folder; name a file`);
		const cut = join(dir, "cut.safetensors");
		fs.writeFileSync(cut, fs.readFileSync(path).subarray(0, 5000));
		const close = vi.spyOn(fs, "closeSync");
		try {
			expect(() => new SafetensorsFile(cut)).toThrow(`${cut}: cut short: its header describes`);
			expect(close).toHaveBeenCalledTimes(1);
		} finally {
			close.mockRestore();
		}
	});

	test("a file that is cut while it is open", () => {
		const shrinking = join(dir, "shrinking.safetensors");
		fs.copyFileSync(path, shrinking);
		using file = new SafetensorsFile(shrinking);
		fs.truncateSync(shrinking, 5000);
		expect(() => file.tensor("large")).toThrow("it became shorter while it was read; try again");
	});
});
