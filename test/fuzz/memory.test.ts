// Reading takes no more memory than twice the file, whatever its size; what is not asked for takes none.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getHeapStatistics } from "node:v8";
import { afterAll, beforeAll, expect, test } from "vitest";
import { init } from "../../src/backend/init.ts";
import {
	decodeNpy,
	decodeSafetensors,
	encodeNpy,
	encodeSafetensors,
	parseCsv,
	SafetensorsFile,
} from "../../src/model-files/index.ts";
import { Linear } from "../../src/nn/layers/linear.ts";

const values = Float32Array.from({ length: 4 << 20 }, (_, i) => i);
const shape = [2048, 2048];
let dir: string;

beforeAll(async () => {
	await init({ threads: 1 });
	dir = mkdtempSync(join(tmpdir(), "evenkeel-memory-"));
});

afterAll(() => {
	rmSync(dir, { recursive: true, force: true });
});

/** Bytes of typed arrays that `fn` made, in files' sizes; what it freed on the way is counted too, unless it was collected. */
function taken(size: number, fn: () => unknown): number {
	const before = getHeapStatistics().external_memory;
	const result = fn();
	const after = getHeapStatistics().external_memory;
	expect(result).toBeDefined();
	return (after - before) / size;
}

test("safetensors: views, or one copy where they are not aligned", () => {
	const bytes = encodeSafetensors({ w: { dtype: "F32", shape, data: values } });
	expect(taken(bytes.length, () => decodeSafetensors(bytes))).toBeLessThan(0.1);
	const moved = new Uint8Array(bytes.length + 1);
	moved.set(bytes, 1);
	expect(taken(bytes.length, () => decodeSafetensors(moved.subarray(1)))).toBeLessThan(1.1);
});

test("safetensors on the disk: a tensor at a time", () => {
	const layers = Array.from({ length: 8 }, () => new Linear(512, 512, { bias: false }));
	const path = join(dir, "model.safetensors");
	const weight = { dtype: "F32", shape: [512, 512], data: values.subarray(0, 512 * 512) } as const;
	const bytes = encodeSafetensors(Object.fromEntries(layers.map((_, i) => [`${i}.weight`, weight])));
	writeFileSync(path, bytes);
	using file = new SafetensorsFile(path);
	expect(taken(bytes.length, () => file.tensors())).toBeLessThan(0.01);
	expect(taken(bytes.length, () => file.tensor("3.weight"))).toBeLessThan(0.2);
	expect(
		taken(bytes.length, () => layers.map((layer, i) => layer.loadStateDict(file.tensors(), { prefix: `${i}.` }))),
	).toBeLessThan(1.2);
});

test("npy: views, or one copy", () => {
	const bytes = encodeNpy({ shape, data: values });
	expect(taken(bytes.length, () => decodeNpy(bytes))).toBeLessThan(0.1);
	const other = Uint8Array.from(bytes);
	other.set(new TextEncoder().encode("True "), Buffer.from(other.buffer).indexOf("False"));
	expect(taken(bytes.length, () => decodeNpy(other))).toBeLessThan(1.1);
});

test("csv: the numbers, eight bytes each, and nothing of the text", () => {
	const rows = 100_000;
	const text = "1,22,333,4444\n".repeat(rows);
	const before = getHeapStatistics();
	const { data } = parseCsv(text);
	const after = getHeapStatistics();
	expect(data).toHaveLength(4 * rows);
	expect(after.external_memory - before.external_memory).toBeLessThan(8 * 4 * rows + 1e5);
});
