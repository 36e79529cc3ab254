import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bytesInMemory } from "./byte-source.ts";
import { crc32, readZip } from "./zip.ts";

const models = join(import.meta.dirname, "../../test/keras/models");
const stored = readFileSync(join(models, "mlp.keras"));
const deflated = readFileSync(join(models, "mlp-deflated.keras"));

const open = (bytes: Uint8Array) => readZip(bytesInMemory(bytes, "f"), () => true);
const text = (bytes: Uint8Array, name: string) => {
	const entry = open(bytes).get(name);
	return entry && new TextDecoder().decode(entry.read(0, entry.size));
};

test("the checksum is that of ZIP", () => {
	expect(crc32(bytesInMemory(new TextEncoder().encode("123456789"), "f"))).toBe(0xcbf43926);
});

test("stored and deflated entries are the same; stored ones are views", () => {
	expect([...open(stored).keys()]).toEqual(["metadata.json", "config.json", "model.weights.h5"]);
	for (const name of open(stored).keys()) expect(text(deflated, name)).toBe(text(stored, name));
	expect(JSON.parse(text(stored, "metadata.json") ?? "").keras_version).toMatch(/^3\./);
	expect(open(stored).get("config.json")?.read(0, 4).buffer).toBe(stored.buffer);
	expect([...readZip(bytesInMemory(stored, "f"), (name) => name === "config.json").keys()]).toEqual(["config.json"]);
});

describe("what is wrong is named", () => {
	/** The archive with bytes replaced at `offset` from where the signature comes for the first time. */
	function damage(bytes: Uint8Array, signature: number[], offset: number, ...values: number[]): Uint8Array {
		const copy = Uint8Array.from(bytes);
		const at = Buffer.from(copy.buffer).indexOf(Buffer.from([0x50, 0x4b, ...signature]));
		copy.set(values, at + offset);
		return copy;
	}

	const [local, entry, end] = [
		[3, 4],
		[1, 2],
		[5, 6],
	];
	const huge = [0xff, 0xff, 0xff, 0x7f];
	test.each<[string, Uint8Array, string]>([
		["none", new Uint8Array(100), "f: not a ZIP archive, or cut short: it has no directory at its end; copy it again"],
		["cut", stored.subarray(0, 20000), "not a ZIP archive, or cut short"],
		["beyond 4 GB", damage(stored, end, 16, 255, 255, 255, 255), "archives of more than 4 GB (ZIP64) are not read"],
		[
			"a directory beyond the end",
			damage(stored, end, 12, ...huge),
			"the archive's directory does not fit before its end",
		],
		["too many entries", damage(stored, end, 10, 9), "the archive's directory is damaged at byte"],
		["a name too long", damage(stored, entry, 28, 255, 255), "the archive's directory is cut short"],
		["encrypted", damage(stored, entry, 8, 1), 'f: "metadata.json" is encrypted; unpack it first'],
		["an entry elsewhere", damage(stored, entry, 42, 7), '"metadata.json" is not where the archive\'s directory says'],
		["an entry beyond the end", damage(stored, entry, 42, ...huge), '"metadata.json" is beyond the end of the archive'],
		["too long an entry", damage(stored, entry, 20, ...huge), '"metadata.json" goes beyond the end of the archive'],
		["other bytes", damage(stored, local, 50, 1), '"metadata.json" is damaged: its checksum does not match'],
		["another size", damage(stored, entry, 24, 1), '"metadata.json" is damaged: its checksum does not match'],
		["packed otherwise", damage(stored, entry, 10, 12), '"metadata.json" is compressed, which Keras does not do'],
		[
			"a bomb",
			damage(deflated, entry, 24, ...huge),
			"would take 2147483647 bytes unpacked; unpack the archive yourself",
		],
		["damaged and packed", damage(deflated, local, 45, 255, 255, 255), '"metadata.json" cannot be unpacked ('],
	])("%s", (_, bytes, message) => {
		expect(() => open(bytes)).toThrow(message);
	});

	test("a name twice", () => {
		// metadata.json is called config.json, and what is left of its name is an extra field.
		const copy = damage(stored, entry, 28, 11, 0, 2);
		const directory = Buffer.from(copy.buffer).indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
		copy.set(new TextEncoder().encode("config.json"), directory + 46);
		expect(() => open(copy)).toThrow('f: the archive has "config.json" twice; it is damaged');
	});
});
