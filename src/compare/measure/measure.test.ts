import { beforeAll, describe, expect, test } from "vitest";
import { backward } from "../../autograd/backward.ts";
import { init } from "../../backend/init.ts";
import { TensorDataset } from "../../data/dataset.ts";
import { Sequential } from "../../nn/containers.ts";
import { Sigmoid } from "../../nn/layers/activation.ts";
import { BatchNorm1d } from "../../nn/layers/batch-norm.ts";
import { Dropout } from "../../nn/layers/dropout.ts";
import { Linear } from "../../nn/layers/linear.ts";
import { tensor } from "../../ops/creation.ts";
import { crossEntropy } from "../../ops/loss/op.ts";
import { defaultGenerator, Generator, manualSeed } from "../../random/generator.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { weightsHash } from "../../train/weights-hash.ts";
import { activationShift, unitStatistics } from "./activations.ts";
import { evaluateByBatchStatistics } from "./batch-statistics.ts";
import { measureDynamics } from "./dynamics.ts";
import { angleBetween, distance, norm, rms } from "./vectors.ts";

beforeAll(async () => {
	await init({ backend: "reference" });
});

const features = 5;

function network(seed = 3): Sequential {
	manualSeed(seed);
	return new Sequential(
		...[new Linear(features, 6), new BatchNorm1d(6), new Sigmoid(), new Dropout(0.2)],
		...[new Linear(6, 4), new Sigmoid(), new Linear(4, 3)],
	);
}

function examples(count: number): { x: Tensor; y: Tensor } {
	const labels = Array.from({ length: count }, (_, i) => (i * 7) % 3);
	const values = new Generator(1).fillNormal(new Float32Array(count * features), 0, 1);
	for (let i = 0; i < values.length; i++) values[i] += labels[Math.floor(i / features)];
	return { x: tensor(values, [count, features]), y: tensor(labels, [count], { dtype: "int32" }) };
}

/** The gradient of every parameter, in training mode, with the random numbers that follow `state`. */
function gradients(net: Sequential, { x, y }: { x: Tensor; y: Tensor }, state: ReturnType<Generator["state"]>) {
	defaultGenerator().setState(state);
	return scope(() => {
		net.zeroGrad();
		const loss = crossEntropy(net.train().forward(x), y);
		backward(loss);
		return { loss: loss.item(), all: net.parameters().map(({ grad }) => Float64Array.from(grad?.dataSync() ?? [])) };
	});
}

describe("dynamics of a step", () => {
	const lr = 0.5;

	test("leaves the network as it was: weights, statistics, modes, random numbers", async () => {
		const net = network().eval();
		const before = { hash: await weightsHash(net), state: defaultGenerator().state() };
		measureDynamics(net, { ...examples(12), lr });
		expect(await weightsHash(net)).toBe(before.hash);
		expect(defaultGenerator().state()).toEqual(before.state);
		expect(net.modules().some(({ training }) => training)).toBe(false);
		expect(net.parameters().every(({ grad }) => grad === null)).toBe(true);
	});

	test("internal covariate shift is that of definition 2.1, computed layer by layer by hand", () => {
		// Without dropout, so that both ways draw no numbers.
		manualSeed(3);
		const net = new Sequential(new Linear(features, 6), new BatchNorm1d(6), new Sigmoid(), new Linear(6, 3));
		const batch = examples(12);
		const state = defaultGenerator().state();
		const measured = measureDynamics(net, { ...batch, lr });
		const { all: before } = gradients(net, batch, state);
		// Everything below the last linear layer takes its step: its weight and bias, the norm's scale and shift.
		for (const [i, parameter] of net.parameters().slice(0, 4).entries()) {
			const values = parameter.view();
			for (let j = 0; j < parameter.size; j++) values[j] -= lr * before[i][j];
		}
		const { all: after } = gradients(net, batch, state);
		expect(measured.covariateShift).toBeCloseTo(distance([after[4]], [before[4]]) / norm([before[4]]), 10);
		expect(measured.covariateShiftAngle).toBeCloseTo(angleBetween(after[4], before[4]), 8);
	});

	test("the loss and gradient along the step are those at 1/2 to 4 learning rates", () => {
		manualSeed(5);
		const net = new Sequential(new Linear(features, 4), new Sigmoid(), new Linear(4, 3));
		const batch = examples(9);
		const state = defaultGenerator().state();
		const measured = measureDynamics(net, { ...batch, lr });
		const start = net.parameters().map((parameter) => Float64Array.from(parameter.dataSync()));
		const { all: g } = gradients(net, batch, state);
		const along = [0.5, 1, 2, 4].map((step) => {
			for (const [i, parameter] of net.parameters().entries()) {
				parameter.view().set(start[i].map((value, j) => value - step * lr * g[i][j]));
			}
			return { step, ...gradients(net, batch, state) };
		});
		const losses = along.map(({ loss }) => loss);
		expect(measured.lossRange).toBeCloseTo(Math.max(...losses) - Math.min(...losses), 12);
		const changes = along.map(({ all }) => distance(all, g));
		expect(measured.gradientChange).toBeCloseTo(Math.max(...changes) / norm(g), 10);
		const rates = along.map(({ step }, i) => changes[i] / (step * lr * norm(g)));
		expect(measured.smoothness).toBeCloseTo(Math.log10(Math.max(...rates)), 10);
		expect(measured.gradientDecay).toBeCloseTo(Math.abs(Math.log10(rms(g[0]) / rms(g[2]))), 10);
		const rate = (i: number): number => norm([g[i]]) / norm([start[i]]);
		expect(measured.lowerRate).toBeCloseTo(Math.log10(rate(0) / rate(2)), 10);
	});

	test("a smaller step shifts less", () => {
		const [small, large] = [0.01, 0.5].map((rate) => measureDynamics(network(), { ...examples(12), lr: rate }));
		for (const name of ["covariateShift", "activationShift", "activationSpread", "lossRange"] as const) {
			expect(small[name], name).toBeGreaterThan(0);
			expect(small[name], name).toBeLessThan(large[name] / 5);
		}
	});
});

describe("activations", () => {
	test("mean and deviation a channel, also far from zero", () => {
		const x = tensor([1e6 + 1, 1e6 + 2, 1e6 + 3, 5, 5, 5, 1e6 + 4, 1e6 + 5, 1e6 + 6, 5, 5, 5], [2, 2, 3]);
		const [first, second] = unitStatistics(x);
		expect(first).toEqual({ mean: 1e6 + 3.5, deviation: expect.closeTo(Math.sqrt(35 / 12), 8) });
		expect(second).toEqual({ mean: 5, deviation: 0 });
	});

	test("shift in deviations and spread as a logarithm; constant units are left out", () => {
		const before = [
			{ mean: 0, deviation: 2 },
			{ mean: 1, deviation: 1 },
			{ mean: 9, deviation: 0 },
		];
		const after = [
			{ mean: 1, deviation: 2 * Math.E },
			{ mean: 1, deviation: 1 },
			{ mean: 0, deviation: 1 },
		];
		expect(activationShift(before, after)).toEqual({ activationShift: 0.25, activationSpread: expect.closeTo(0.5) });
	});
});

test("lengths, distances and angles", () => {
	const [a, b] = [Float64Array.of(3, 0), Float64Array.of(0, 4)];
	expect([norm([a, b]), distance([a], [b]), rms(b)]).toEqual([5, 5, expect.closeTo(Math.sqrt(8), 12)]);
	expect(angleBetween(a, b)).toBeCloseTo(90, 10);
	expect(angleBetween(a, Float64Array.of(-1, 0))).toBeCloseTo(180, 10);
	expect(angleBetween(a, new Float64Array(2))).toBeNaN();
});

describe("evaluation by batch statistics", () => {
	const net = () => {
		manualSeed(7);
		return new Sequential(
			new Linear(features, 6),
			new BatchNorm1d(6),
			new Sigmoid(),
			new Dropout(0.5),
			new Linear(6, 3),
		);
	};

	test("is the loss of training mode without dropout, batch by batch, and changes nothing", async () => {
		const model = net().eval();
		const { x, y } = examples(12);
		const before = await weightsHash(model);
		const { loss, accuracy } = evaluateByBatchStatistics(model, new TensorDataset(x, y), { batchSize: 12 });
		expect(await weightsHash(model)).toBe(before);
		expect(model.modules().some(({ training }) => training)).toBe(false);
		const dropless = new Sequential(...[...model].filter((module) => !(module instanceof Dropout))).train();
		expect(loss).toBeCloseTo(
			scope(() => crossEntropy(dropless.forward(x), y).item()),
			10,
		);
		expect(accuracy).toBeGreaterThan(0);
		expect(loss).not.toBeCloseTo(
			scope(() => crossEntropy(model.eval().forward(x), y).item()),
			5,
		);
	});

	test("the order of the examples matters where batches are of one class, and a last one in part is left out", () => {
		const { x, y } = examples(30);
		const run = (sorted: boolean, batchSize: number) =>
			evaluateByBatchStatistics(net(), new TensorDataset(x, y), { batchSize, sorted });
		expect(run(true, 30).loss).toBeCloseTo(run(false, 30).loss, 10);
		expect(run(true, 10).loss).not.toBeCloseTo(run(false, 10).loss, 3);
		// Two batches of 14 examples; the last two are in neither.
		expect((run(false, 14).accuracy * 28) % 1).toBeCloseTo(0, 10);
	});
});
