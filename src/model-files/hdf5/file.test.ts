import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bytesInMemory, FileSource } from "../byte-source.ts";
import { blockAt, budgetOf } from "./block.ts";
import { type Hdf5Group, isHdf5, readHdf5 } from "./file.ts";

const path = (name: string) => join(import.meta.dirname, "cases", name);
const { files }: { files: Record<string, Record<string, number[]>> } = JSON.parse(
	readFileSync(join(import.meta.dirname, "cases.json"), "utf8"),
);

function memory(name: string): Hdf5Group {
	return readHdf5(bytesInMemory(readFileSync(path(name)), name));
}

function values(group: Hdf5Group): Record<string, number[]> {
	const own = [...group.datasets.values()].map((set) => [set.path, Array.from(set.read().numbers(), Number)] as const);
	const below = [...group.groups.values()].map(values);
	return Object.assign(Object.fromEntries(own), ...below);
}

test.each(["older.h5", "newer.h5", "behind-a-block.h5", "in-order.h5"])("%s holds what h5py wrote", (name) => {
	expect(values(memory(name))).toEqual(files[name]);
	using source = new FileSource(path(name));
	expect(isHdf5(source)).toBe(true);
	expect(values(readHdf5(source))).toEqual(files[name]);
});

test.each(["older.h5", "newer.h5"])("%s: groups and texts", (name) => {
	const root = memory(name);
	for (const count of [2, 9, 60]) {
		const names = Array.from({ length: count }, (_, i) => `layer_${i}`);
		expect([...(root.group(`groups ${count}`)?.groups.keys() ?? [])].sort()).toEqual(names.sort());
	}
	expect(root.group("soft")).toBeNull();
	expect(root.group("groups 2/layer_0/vars")?.path).toBe("/groups 2/layer_0/vars");
	expect(root.dataset("groups 2/layer_0/vars/0")?.shape).toEqual([1, 2]);
	expect([root.group("a/b"), root.dataset("a/b")]).toEqual([null, null]);
	const texts = root.group("texts");
	expect(texts?.text("text 29")).toBe("välue 29");
	expect(texts?.texts("fixed")).toEqual(["a", "bcd", ""]);
	expect(texts?.texts("list")?.map((text) => text.length)).toEqual(Array.from({ length: 60 }, (_, i) => i));
	expect(texts?.text("long")).toBe("z".repeat(70000));
	expect([texts?.texts("none"), texts?.texts("absent")]).toEqual([[], null]);
	expect(() => texts?.text("number")).toThrow(`${name}: attribute "number" of /texts must be a text`);
});

test("what may be read of a file's structure has an end", () => {
	const source = bytesInMemory(new Uint8Array(1000), "f");
	const widths = { offset: 8, length: 8, base: 0, budget: budgetOf(source) };
	const readAll = () => blockAt(source, widths, 0, 1000, "everything");
	for (let i = 0; i < 73; i++) readAll();
	expect(readAll).toThrow("f: not a sound HDF5 file: at byte 0: its parts refer to the same others too often");
});

test("aligned data are views of the bytes", () => {
	const bytes = readFileSync(path("older.h5"));
	const set = readHdf5(bytesInMemory(bytes, "f")).dataset("groups 2/layer_0/vars/0");
	expect(set?.read().data.buffer).toBe(bytes.buffer);
});

describe("what is not read is named", () => {
	const dataset = (name: string) => () => memory("refused.h5").dataset(name)?.read();

	test.each([
		["pieces", 'refused.h5: data set "/pieces" is stored in pieces, or compressed; write it in one piece: h5repack'],
		["packed", 'data set "/packed" is stored in pieces, or compressed'],
		["never", 'data set "/never" was never written; save the model again'],
		["text", 'data set "/text" does not hold numbers but vlen text'],
		["complex", 'data set "/complex" does not hold numbers but "compound"'],
	])("%s", (name, message) => {
		expect(dataset(name)).toThrow(message);
	});

	test("a group that holds itself", () => {
		expect(() => memory("loop.h5")).toThrow('loop.h5: "/a/again" is the same object as another');
	});

	test("another file, a file that is cut, one of nothing", () => {
		const bytes = readFileSync(path("older.h5"));
		expect(() => readHdf5(bytesInMemory(new Uint8Array(3000), "f"))).toThrow("f: not an HDF5 file: it does not begin");
		expect(() => readHdf5(bytesInMemory(bytes.subarray(0, 9000), "f"))).toThrow(
			`f: cut short: it takes ${bytes.length} bytes, found 9000; copy it again`,
		);
		expect(() => readHdf5(bytesInMemory(bytes.subarray(0, 12), "f"))).toThrow("f: not a sound HDF5 file");
	});
});

describe("what a file says of itself is checked before it is used", () => {
	/** The file with bytes of `at` replaced, where `find` comes for the first time. */
	function damage(name: string, find: string, at: number, ...values: number[]): () => Hdf5Group {
		const bytes = Uint8Array.from(readFileSync(path(name)));
		const place = Buffer.from(bytes.buffer).indexOf(find, 0, "latin1");
		expect(place).toBeGreaterThan(0);
		bytes.set(values, place + at);
		return () => memoryOf(bytes);
	}

	function memoryOf(bytes: Uint8Array): Hdf5Group {
		const root = readHdf5(bytesInMemory(bytes, "f"));
		values(root);
		return root;
	}

	/** The file with the first continuation of an object header leading back to where it stands. */
	function circular(): Hdf5Group {
		const bytes = Uint8Array.from(readFileSync(path("older.h5")));
		const file = Buffer.from(bytes.buffer);
		// A message of type 16 and 16 bytes, flags 0.
		const message = file.indexOf(Buffer.from([16, 0, 16, 0, 0, 0, 0, 0]), 96);
		const target = Number(file.readBigUint64LE(message + 8));
		// In the part that it leads to, the first message becomes one that leads there again.
		file.copy(bytes, target, message, message + 24);
		expect(target).toBeGreaterThan(message);
		return memoryOf(bytes);
	}

	const large = [255, 255, 255, 255, 255, 255, 255, 0];
	test.each<[string, () => Hdf5Group, RegExp]>([
		[
			"a B-tree that is its own child",
			damage("older.h5", "TREE", 4, 0, 1),
			/goes in circles|must begin with TREE|levels do not fall/,
		],
		[
			"a B-tree of more than there is",
			damage("older.h5", "TREE", 6, 255, 255),
			/goes beyond|address is undefined|too large|SNOD/,
		],
		["a heap of more than there is", damage("older.h5", "HEAP", 8, ...large), /too large|goes beyond the end/],
		["a symbol table of another kind", damage("older.h5", "SNOD", 4, 9), /is of version 9, and 1 can be read/],
		["a fractal heap without blocks", damage("newer.h5", "FRHP", 5, 0, 0), /bytes are expected|not a sound HDF5 file/],
		["an index of another kind", damage("newer.h5", "BTHD", 5, 11), /it is not of type/],
		["an object header that goes on in itself", circular, /an object header goes in circles/],
		["an index of too many records", damage("newer.h5", "BTLF", 0, 0x42, 0x54, 0x58), /must begin with BTLF/],
	])("%s", (_, read, message) => {
		expect(read).toThrow(message);
	});

	test("parts that refer to the same others over and over are not followed for ever", () => {
		const bytes = Uint8Array.from(readFileSync(path("older.h5")));
		const file = Buffer.from(bytes.buffer);
		// Every entry of every symbol table stands for the root group.
		const root = file.readBigUint64LE(64);
		for (let at = file.indexOf("SNOD"); at !== -1; at = file.indexOf("SNOD", at + 1)) {
			const count = file.readUInt16LE(at + 6);
			for (let i = 0; i < count; i++) file.writeBigUint64LE(root, at + 8 + 40 * i + 8);
		}
		expect(() => readHdf5(bytesInMemory(bytes, "f"))).toThrow("is the same object as another");
	});
});
