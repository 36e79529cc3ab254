// State dicts go from PyTorch to evenkeel and back, with the same logits at both ends.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import "../../src/autograd/backward.ts";
import { noGrad } from "../../src/autograd/tape.ts";
import { init } from "../../src/backend/init.ts";
import { SafetensorsFile } from "../../src/model-files/safetensors.ts";
import type { Module } from "../../src/nn/module.ts";
import { tensor } from "../../src/ops/creation.ts";
import { buildNetwork, presetNamed } from "../../src/presets/index.ts";
import { manualSeed } from "../../src/random/generator.ts";
import { scope } from "../../src/tensor/scope.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { Trainer } from "../../src/train/index.ts";
import { onEachBackend } from "../support/backends.ts";
import { runForTest } from "../support/terminal.ts";

const here = import.meta.dirname;
const python = process.env.EVENKEEL_BENCH_PYTHON;

/** As `images` in lenet_bn.py. */
function images(count: number): Tensor {
	const values = Float32Array.from({ length: count * 784 }, (_, i) => {
		const [b, row, column] = [Math.floor(i / 784), Math.floor((i % 784) / 28), i % 28];
		return ((row * (3 * b + 1) + column * (5 * b + 2)) % 64) / 64;
	});
	return tensor(values, [count, 1, 28, 28]);
}

function lenetBn(): Module {
	return buildNetwork(presetNamed("lenet-bn"), { norm: "batch" });
}

function logitsOf(net: Module): number[] {
	net.eval();
	return scope(() => [...noGrad(() => net.forward(images(8))).dataSync()]);
}

function largestDifference(a: readonly number[], b: readonly number[]): number {
	expect(a).toHaveLength(b.length);
	return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i])), 0);
}

onEachBackend("a state dict that PyTorch wrote", ({ exact }) => {
	test("gives PyTorch's logits", () => {
		const expected: { logits: number[][] } = JSON.parse(readFileSync(join(here, "lenet-bn-cases.json"), "utf8"));
		using file = new SafetensorsFile(join(here, "lenet-bn.safetensors"));
		expect(file.entries.get("1.num_batches_tracked")).toMatchObject({ dtype: "I64", shape: [] });
		const net = lenetBn();
		expect(net.loadStateDict(file.tensors())).toEqual({ missing: [], unexpected: [], mismatched: [] });
		expect(largestDifference(logitsOf(net), expected.logits.flat())).toBeLessThan(exact ? 1e-12 : 1e-5);
	});
});

if (!python) console.warn("PyTorch does not read our files here: set EVENKEEL_BENCH_PYTHON to a Python that has it");

describe.skipIf(!python)("a network trained here", () => {
	let dir: string;

	beforeAll(async () => {
		await init({ threads: 2 });
		dir = mkdtempSync(join(tmpdir(), "evenkeel-pytorch-"));
	});

	afterAll(() => {
		rmSync(dir, { recursive: true, force: true });
	});

	function pytorchLogits(file: string): number[] {
		const out = execFileSync(String(python), [join(here, "run_lenet_bn.py"), file], { encoding: "utf8" });
		const { logits, reader, torch }: { logits: number[][]; reader: string; torch: string } = JSON.parse(out);
		console.info(`PyTorch ${torch} read ${file} by ${reader}`);
		return logits.flat();
	}

	test.each([
		["f32", 1e-5],
		["f16", 2e-2],
		["bf16", 2e-1],
	] as const)("gives the same logits in PyTorch, exported as %s", async (dtype, tolerance) => {
		manualSeed(0);
		const preset = presetNamed("lenet-bn");
		const net = lenetBn();
		const trainer = new Trainer(net, { optimizer: preset.optimizer(net, 0.5), loss: "crossEntropy" });
		const x = images(64);
		const y = tensor(Int32Array.from({ length: 64 }, (_, i) => i % 10));
		await trainer.fit([x, y], { epochs: 5, batchSize: 16, seed: 0, checkpoint: { dir } });
		const file = join(dir, `${dtype}.safetensors`);
		const { code, err } = await runForTest("export", dir, file, "--preset", "lenet-bn", "--dtype", dtype);
		expect(code, err).toBe(0);
		expect(largestDifference(pytorchLogits(file), logitsOf(net))).toBeLessThan(tolerance);
	});
});
