// Training as PyTorch trains: from the same start and the same batches, the losses of each step.
// make-cases.py ran the same networks in float64 and in float32; how far its float32 run strays is
// the measure of how far ours may.

import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import "../../src/autograd/backward.ts";
import { withBackend } from "../../src/backend/backend.ts";
import { init } from "../../src/backend/init.ts";
import { WasmBackend } from "../../src/backend/wasm/wasm-backend.ts";
import type { Module } from "../../src/nn/module.ts";
import { tensor } from "../../src/ops/creation.ts";
import { crossEntropy } from "../../src/ops/loss/op.ts";
import { Adam, type Optimizer, SGD } from "../../src/optim/index.ts";
import { presetNamed } from "../../src/presets/index.ts";
import { scope } from "../../src/tensor/scope.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import cases from "./cases.json";

type Run = (typeof cases.runs)[number];

/** lowbias32 of seed * 2^20 + i, as in make-cases.py. */
function hash32(seed: number, i: number): number {
	let x = (seed * 2 ** 20 + i) >>> 0;
	x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
	x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
	return (x ^ (x >>> 16)) >>> 0;
}

const unit = (seed: number, i: number) => hash32(seed, i) / 2 ** 31 - 1;

/** Writes the start that make-cases.py has: a norm's scale near 1, all else uniform in ±1 / sqrt(fan in). */
function start(net: Module): void {
	[...net.namedParameters()].forEach(([name, parameter], position) => {
		const values = parameter.view();
		const { shape } = parameter;
		for (let i = 0; i < parameter.size; i++) {
			const u = unit(position, i);
			if (shape.length > 1) values[i] = Math.fround(u / Math.sqrt(parameter.size / shape[0]));
			else values[i] = Math.fround(name.endsWith("weight") ? 1 + 0.2 * u : 0.1 * u);
		}
	});
}

/** The batch of a step: images of a class are its own pattern and noise, three to one. */
function batch(step: number, size: number): { x: Tensor; labels: Tensor } {
	const labels = Int32Array.from({ length: size }, (_, i) => (i + step * 7) % 10);
	const pixels = new Float32Array(size * 784);
	labels.forEach((label, i) => {
		for (let k = 0; k < 784; k++) {
			const pattern = hash32(1000 + label, k) >>> 24;
			const noise = hash32(2000 + step * size + i, k) >>> 24;
			pixels[i * 784 + k] = Math.floor((3 * pattern + noise) / 4) / 255;
		}
	});
	return { x: tensor(pixels, [size, 1, 28, 28]), labels: tensor(labels, [size]) };
}

function optimizerFor(run: Run, net: Module): Optimizer {
	if (run.network === "mlp-bn") return new Adam(net.parameters(), { lr: 1e-3, eps: 1e-4 });
	const lr = run.network === "resnet-mini" ? 1e-3 : 0.1;
	return new SGD(net.parameters(), { lr, momentum: 0.9, weightDecay: 5e-4 });
}

function train(
	run: Run,
	steps = run.losses.float64.length,
	batchSize = run.batchSize,
): { net: Module; losses: number[] } {
	const net = presetNamed(run.network).build({ norm: "batch" });
	start(net);
	const optimizer = optimizerFor(run, net);
	const losses = Array.from({ length: steps }, (_, step) =>
		scope(() => {
			const { x, labels } = batch(step, batchSize);
			const loss = crossEntropy(net.forward(x), labels);
			optimizer.zeroGrad();
			loss.backward();
			optimizer.step();
			return loss.item();
		}),
	);
	return { net, losses };
}

function rootMeanSquare(a: readonly number[], b: readonly number[]): number {
	return Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0) / a.length);
}

/** Compares parameters, by their norm and a hashed sum of all elements, and running statistics. */
function compareState(run: Run, net: Module, tolerance: number): void {
	[...net.namedParameters()].forEach(([name, parameter], position) => {
		const expected = run.parameters[position];
		let square = 0;
		let fingerprint = 0;
		parameter.view().forEach((value, i) => {
			square += value * value;
			fingerprint += value * unit(500 + position, i);
		});
		expect(Math.abs(Math.sqrt(square) / expected.norm - 1), `norm of ${name}`).toBeLessThan(tolerance);
		expect(Math.abs(fingerprint - expected.fingerprint) / expected.norm, `elements of ${name}`).toBeLessThan(tolerance);
	});
	const buffers = new Map(net.namedBuffers());
	for (const [name, expected] of Object.entries(run.buffers)) {
		const values = [...(buffers.get(name)?.view() ?? [])];
		const scale = rootMeanSquare(
			expected,
			expected.map(() => 0),
		);
		expect(values.length, name).toBe(expected.length);
		expect(rootMeanSquare(values, expected) / scale, name).toBeLessThan(tolerance);
	}
}

// The reference takes its time over convolutions: of the residual network it does the first steps.
describe.each(cases.runs)("$network", { timeout: 240_000 }, (run) => {
	test("is the network that PyTorch trained", async () => {
		await init({ backend: "reference" });
		const net = presetNamed(run.network).build({ norm: "batch" });
		const parameters = [...net.namedParameters()].map(([name, { shape }]) => ({ name, shape: [...shape] }));
		expect(parameters).toEqual(run.parameters.map(({ name, shape }) => ({ name, shape })));
	});

	test("on the reference: float64 losses, weights and running statistics within 1e-9", async () => {
		await init({ backend: "reference" });
		const steps = run.network === "resnet-mini" ? 3 : run.losses.float64.length;
		const { net, losses } = train(run, steps);
		losses.forEach((loss, step) => {
			expect(Math.abs(loss / run.losses.float64[step] - 1), `step ${step}`).toBeLessThan(1e-9);
		});
		if (steps === run.losses.float64.length) compareState(run, net, 1e-9);
	});

	test.each(["simd", "relaxed", "wide"] as const)(
		"losses on wasm stray at most twice as far as PyTorch's in float32, build %s",
		async (build) => {
			const { net, losses } = await withBackend(await WasmBackend.load({ build }), () => train(run));
			const { float64, float32 } = run.losses;
			expect(rootMeanSquare(losses, float64)).toBeLessThanOrEqual(2 * rootMeanSquare(float32, float64));
			compareState(run, net, 1e-4);
		},
	);

	test("on wasm: the same bits on 1, 2, 3 and 4 threads", async () => {
		const results: { losses: number[]; state: string }[] = [];
		for (const threads of [1, 2, 3, 4]) {
			expect((await init({ threads })).threads).toBe(threads);
			// A batch that is worth dividing.
			const { net, losses } = train(run, 2, 96);
			const hash = createHash("sha256");
			for (const t of Object.values(net.stateDict())) hash.update(t.dataSync());
			results.push({ losses, state: hash.digest("hex") });
		}
		for (const result of results.slice(1)) expect(result).toEqual(results[0]);
	});
});
