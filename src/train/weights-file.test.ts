import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { init } from "../backend/init.ts";
import { decodeSafetensors } from "../model-files/safetensors.ts";
import { Sequential } from "../nn/containers.ts";
import { BatchNorm1d } from "../nn/layers/batch-norm.ts";
import { Linear } from "../nn/layers/linear.ts";
import { tensor } from "../ops/creation.ts";
import { encodeWeights, saveWeights } from "./weights-file.ts";

let dir: string;

beforeEach(async () => {
	await init({ threads: 1 });
	dir = mkdtempSync(join(tmpdir(), "evenkeel-weights-"));
});

afterEach(() => {
	rmSync(dir, { recursive: true, force: true });
});

function network(): Sequential {
	const net = new Sequential(new Linear(2, 2), new BatchNorm1d(2));
	net.forward(tensor([1, 2, 3, 5], [2, 2]));
	return net;
}

test.each([
	[undefined, "F32", 0],
	["f32", "F32", 0],
	["f16", "F16", 2 ** -11],
	["bf16", "BF16", 2 ** -8],
] as const)("as %s: PyTorch's names, counts of 64 bits, and what was written loads", (dtype, type, rounding) => {
	const net = network();
	const file = join(dir, "in", "model.safetensors");
	saveWeights(net, file, { dtype });
	const { tensors, metadata } = decodeSafetensors(readFileSync(file));
	expect(metadata).toEqual({ format: "pt" });
	expect(Object.keys(tensors)).toEqual(Object.keys(net.stateDict()));
	const { "1.num_batches_tracked": count, ...others } = tensors;
	expect(count).toMatchObject({ dtype: "I64", shape: [], data: BigInt64Array.of(1n) });
	expect(new Set(Object.values(others).map((entry) => entry.dtype))).toEqual(new Set([type]));
	const other = network();
	other.loadStateDict(tensors);
	for (const [name, saved] of Object.entries(net.stateDict())) {
		const loaded = other.stateDict()[name].dataSync();
		saved.dataSync().forEach((value, i) => {
			expect(Math.abs(loaded[i] - value)).toBeLessThanOrEqual(rounding * Math.abs(value));
		});
	}
});

test("what is too large for the type is refused, infinity is not", () => {
	const entry = (...values: number[]) =>
		({ w: { dtype: "F64", shape: [values.length], data: Float64Array.from(values) } }) as const;
	const infinity = Number.POSITIVE_INFINITY;
	expect(() => encodeWeights(entry(1, -65520), { dtype: "f16" })).toThrow(
		'"w" holds -65520, which is too large for f16; take bf16 or f32',
	);
	expect(() => encodeWeights(entry(3.3962e38), { dtype: "bf16" })).toThrow("too large for bf16; take another type");
	expect(() => encodeWeights(entry(3.4029e38), { dtype: "f32" })).toThrow("too large for f32");
	const values = (dtype: "f32" | "f16" | "bf16", ...of: number[]) => [
		...decodeSafetensors(encodeWeights(entry(...of), { dtype })).tensors.w.numbers(),
	];
	expect(values("f16", 65519, -infinity, Number.NaN)).toEqual([65504, -infinity, Number.NaN]);
	expect(values("bf16", 3.396e38)[0]).toBe(2 ** 128 - 2 ** 120);
	expect(values("f32", 3.4028235e38)[0]).toBe(2 ** 128 - 2 ** 104);
});

test("whole numbers stay what they are", () => {
	const mask = { dtype: "BOOL", shape: [2], data: Uint8Array.of(0, 1) } as const;
	const step = { dtype: "I32", shape: [1], data: Int32Array.of(7) } as const;
	expect(decodeSafetensors(encodeWeights({ mask, step }, { dtype: "f16" })).tensors).toEqual({ mask, step });
});
