import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { onEachBackend } from "../../test/support/backends.ts";
import { clusters, smallRun } from "../../test/support/small-run.ts";
import { noGrad } from "../autograd/tape.ts";
import { init } from "../backend/init.ts";
import { DataLoader } from "../data/data-loader.ts";
import { TensorDataset } from "../data/dataset.ts";
import { Sequential } from "../nn/containers.ts";
import { ReLU } from "../nn/layers/activation.ts";
import { BatchNorm1d } from "../nn/layers/batch-norm.ts";
import { Dropout } from "../nn/layers/dropout.ts";
import { Linear } from "../nn/layers/linear.ts";
import { tensor } from "../ops/creation.ts";
import { crossEntropy, mseLoss } from "../ops/loss/op.ts";
import { stepLR } from "../optim/schedule.ts";
import { SGD } from "../optim/sgd.ts";
import { defaultGenerator, manualSeed } from "../random/generator.ts";
import { scope } from "../tensor/scope.ts";
import { leakReport, liveTensors, type Tensor, trackTensors } from "../tensor/tensor.ts";
import { Trainer } from "./trainer.ts";
import { weightsHash } from "./weights-hash.ts";

onEachBackend("Trainer", ({ exact }) => {
	test("does what a loop written by hand does", async () => {
		const { net, optimizer, schedule, trainer } = smallRun("momentum", { dropout: 0 });
		const data = clusters(70);
		const history = await trainer.fit(data, { epochs: 2, batchSize: 16, seed: 5, validation: clusters(20, 4) });

		const own = smallRun("momentum", { dropout: 0 });
		const losses: number[] = [];
		const loader = new DataLoader(data, { batchSize: 16, shuffle: true, seed: 5 });
		for (let epoch = 0; epoch < 2; epoch++) {
			let sum = 0;
			for (using batch of loader) {
				const loss = crossEntropy(own.net.forward(batch.x), batch.y);
				sum += loss.item() * batch.y.size;
				own.optimizer.zeroGrad();
				loss.backward();
				own.optimizer.step();
				own.schedule.step();
			}
			losses.push(sum / 70);
		}
		expect(await weightsHash(net)).toBe(await weightsHash(own.net));
		expect(history.epochs.map(({ loss }) => loss)).toEqual(losses);
		expect(optimizer.stateDict().values).toEqual(own.optimizer.stateDict().values);
		expect(schedule.stepCount).toBe(10);
		expect(history.epochs.map(({ epoch }) => epoch)).toEqual([1, 2]);
		expect(history.epochs[1].testAccuracy).toBeGreaterThan(0.5);
		expect(history.stopped).toBeUndefined();
	});

	test("evaluate and predict agree with the network in evaluation mode, whatever the batch size", async () => {
		const { net, trainer } = smallRun();
		const data = clusters(37);
		await trainer.fit(data, { epochs: 1, batchSize: 10 });
		const { loss, right, values } = scope(() => {
			net.eval();
			const output = noGrad(() => net.forward(data.x));
			net.train();
			const rows = Array.from({ length: 37 }, (_, row) => Array.from(output.view().slice(4 * row, 4 * row + 4)));
			const correct = rows.filter((row, i) => row.indexOf(Math.max(...row)) === data.y.view()[i]);
			return { loss: crossEntropy(output, data.y).item(), right: correct.length, values: rows.flat() };
		});
		for (const batchSize of [1, 10, 100]) {
			const figures = await trainer.evaluate([data.x, data.y], { batchSize });
			expect(figures.loss).toBeCloseTo(loss, exact ? 12 : 5);
			expect(figures.accuracy).toBe(right / 37);
			const predicted = await trainer.predict(data.x, { batchSize });
			expect(predicted.shape).toEqual([37, 4]);
			for (const [i, value] of predicted.dataSync().entries()) expect(value).toBeCloseTo(values[i], exact ? 12 : 5);
			predicted.dispose();
		}
		expect(net.training).toBe(true);
	});

	test("metrics of one's own are averaged over the examples", async () => {
		manualSeed(1);
		const net = new Sequential(new Linear(6, 4));
		const firstLabel = (_: Tensor, target: Tensor): number => target.view()[0];
		const optimizer = new SGD(net.namedParameters(), { lr: 0 });
		const trainer = new Trainer(net, { optimizer, loss: "crossEntropy", metrics: ["accuracy", firstLabel] });
		const data = clusters(5);
		const { epochs } = await trainer.fit(data, { epochs: 1, batchSize: 3, shuffle: false, validation: data });
		const labels = data.y.view();
		expect(epochs[0].trainMetrics).toEqual({ firstLabel: (3 * labels[0] + 2 * labels[3]) / 5 });
		expect(epochs[0].testMetrics).toEqual({ firstLabel: labels[0] });
		expect(epochs[0].trainAccuracy).toBe(epochs[0].testAccuracy);
	});

	test("losses by name and as a function", async () => {
		const x = tensor([1, 2, 3, 4], [4, 1]);
		const y = tensor([1, 0, 1, 0], [4, 1]);
		const lossOf = async (loss: ConstructorParameters<typeof Trainer>[1]["loss"]) => {
			manualSeed(2);
			const net = new Linear(1, 1);
			const trainer = new Trainer(net, {
				optimizer: new SGD(net.parameters(), { lr: 0.1 }),
				loss,
				metrics: ["accuracy"],
			});
			await trainer.fit([x, y], { epochs: 3, batchSize: 4 });
			return trainer.evaluate([x, y]);
		};
		const byName = await lossOf("mse");
		expect(await lossOf((output, target) => mseLoss(output, target))).toEqual(byName);
		const { loss, accuracy } = await lossOf("bceWithLogits");
		expect(loss).toBeGreaterThan(0);
		expect([0, 0.25, 0.5, 0.75, 1]).toContain(accuracy);
	});

	test("gradients are clipped by their norm over all parameters", async () => {
		const x = tensor([100, 200], [2, 1]);
		const y = tensor([0, 0], [2, 1]);
		const net = new Linear(1, 1);
		const before = net.weight.item();
		const trainer = new Trainer(net, {
			optimizer: new SGD(net.parameters(), { lr: 1 }),
			loss: "mse",
			clipGradNorm: 0.5,
		});
		await trainer.fit([x, y], { epochs: 1, batchSize: 2 });
		expect(Math.abs(net.weight.item() - before)).toBeLessThan(0.5001);
		expect(Math.abs(net.weight.item() - before)).toBeGreaterThan(0.49);
	});

	test("nothing is left behind", async () => {
		const { trainer } = smallRun();
		const data = clusters(70);
		const validation = clusters(20);
		await trainer.fit(data, { epochs: 1, batchSize: 16, validation });
		const before = liveTensors();
		trackTensors();
		await trainer.fit(data, { epochs: 3, batchSize: 16, validation });
		// The gradients of the last step stay with the parameters; they are as many as before.
		expect(liveTensors(), leakReport().join("\n")).toBe(before);
		trackTensors(false);
	});
});

describe("when to stop", () => {
	test("early stopping waits for `patience` epochs without a better figure", async () => {
		await init({ threads: 1 });
		const { net } = smallRun();
		const trainer = new Trainer(net, { optimizer: new SGD(net.namedParameters(), { lr: 0 }), loss: "crossEntropy" });
		const history = await trainer.fit(clusters(32), {
			epochs: 20,
			batchSize: 16,
			validation: clusters(20),
			earlyStopping: { patience: 3, minDelta: 0.5 },
		});
		expect(history.stopped).toBe("early");
		expect(history.epochs).toHaveLength(4);
		await expect(
			trainer.fit(clusters(32), { epochs: 3, batchSize: 16, earlyStopping: { patience: 1, metric: "testAccuracy" } }),
		).rejects.toThrow('earlyStopping: the epochs have no figure "testAccuracy"; there are loss');
	});

	test("an early stopping that cannot be followed is refused before the first step", async () => {
		const { trainer } = smallRun();
		let steps = 0;
		const onStep = () => void steps++;
		const options = { epochs: 2, batchSize: 16, onStep, validation: clusters(20) };
		for (const [rule, message] of [
			[{ patience: 0 }, "patience must be a whole number of at least 1, got 0"],
			[{ patience: 1, minDelta: Number.NaN }, "minDelta must be a number of at least 0, got NaN"],
			[{ patience: 1, minDelta: -1 }, "minDelta must be a number of at least 0, got -1"],
			[{ patience: 1, mode: "mx" as "max" }, 'mode is "min" or "max", got "mx"'],
			[{ patience: 1, metric: "testloss" }, 'the epochs have no figure "testloss"; there are loss, testLoss, train'],
		] as const) {
			await expect(trainer.fit(clusters(32), { ...options, earlyStopping: rule })).rejects.toThrow(message);
		}
		expect(steps).toBe(0);
		for (const metric of ["loss", "testLoss", "trainAccuracy", "testAccuracy"]) {
			const earlyStopping = { patience: 5, metric };
			expect((await trainer.fit(clusters(32), { ...options, earlyStopping })).epochs).toHaveLength(2);
		}
	});

	test("timers run while it trains, and can end it", async () => {
		await init({ threads: 1 });
		const { trainer } = smallRun();
		const controller = new AbortController();
		let steps = 0;
		setTimeout(() => controller.abort(), 120);
		const history = await trainer.fit(clusters(64), {
			epochs: 1_000_000,
			batchSize: 16,
			signal: controller.signal,
			onStep: () => {
				steps++;
			},
		});
		expect(history.stopped).toBe("aborted");
		expect(steps).toBeGreaterThan(1);
	});

	test("a signal that is already aborted takes no step", async () => {
		const { net, trainer } = smallRun();
		const before = await weightsHash(net);
		const history = await trainer.fit(clusters(64), { epochs: 1, batchSize: 16, signal: AbortSignal.abort() });
		expect(history).toEqual({ epochs: [], stopped: "aborted" });
		expect(await weightsHash(net)).toBe(before);
	});

	test("a schedule that ends leaves the rate where it is", async () => {
		const { net } = smallRun();
		const optimizer = new SGD(net.namedParameters(), { lr: 1 });
		const schedule = stepLR(optimizer, { stepSize: 1, gamma: 0.5 });
		Object.assign(schedule.curve, { end: 2 });
		const trainer = new Trainer(net, { optimizer, schedule, loss: "crossEntropy" });
		await trainer.fit(clusters(64), { epochs: 1, batchSize: 16 });
		expect(schedule.lrs).toEqual([0.25]);
	});
});

describe("a loss that is not finite", () => {
	function run(prepare: (net: Sequential, x: Tensor) => unknown) {
		manualSeed(3);
		const net = new Sequential(new Linear(6, 8), new ReLU(), new Linear(8, 8), new ReLU(), new Linear(8, 4));
		const { x, y } = clusters(20);
		prepare(net, x);
		const trainer = new Trainer(net, { optimizer: new SGD(net.namedParameters(), { lr: 0.1 }), loss: "crossEntropy" });
		return { net, start: () => trainer.fit([x, y], { epochs: 1, batchSize: 10, shuffle: false }) };
	}

	test.each<[string, (net: Sequential, x: Tensor) => unknown, RegExp]>([
		[
			"from the input",
			(_, x) => x.view().fill(Number.NaN, 6 * 12 + 1, 6 * 12 + 2),
			/^epoch 1, batch 2 of 2: the loss is NaN, so training stopped before the update: the input is at fault: example 2 of the batch holds NaN; /,
		],
		[
			"from a parameter",
			(net) => net.parameters()[3].view().fill(Number.POSITIVE_INFINITY, 0, 1),
			/batch 1 of 2: the loss is (NaN|Infinity), .* the parameter 2.bias holds Infinity/,
		],
		[
			"from a layer that overflows",
			(net) => {
				net.parameters()[0].view().fill(1e30);
				net.parameters()[2].view().fill(1e30);
			},
			/the first output that is not finite is that of Linear "2": (-?Infinity|NaN) at element \d+; lower the learning rate/,
		],
	])("%s", async (_, prepare, message) => {
		await init({ threads: 1 });
		const { net, start } = run(prepare);
		const before = await weightsHash(net);
		await expect(start()).rejects.toThrow(message);
		// Where the first batch is bad, nothing at all has changed.
		if (!/batch 2/.test(message.source)) expect(await weightsHash(net)).toBe(before);
	});

	test("in a batch normalization is told by the layer itself, before the update", async () => {
		manualSeed(3);
		const net = new Sequential(new Linear(6, 8), new BatchNorm1d(8), new Linear(8, 4));
		const { x, y } = clusters(20);
		x.view()[5] = Number.NaN;
		const trainer = new Trainer(net, { optimizer: new SGD(net.namedParameters(), { lr: 0.1 }), loss: "crossEntropy" });
		const before = await weightsHash(net);
		await expect(trainer.fit([x, y], { epochs: 1, batchSize: 20 })).rejects.toThrow(/^BatchNorm1d "1": /);
		expect(await weightsHash(net)).toBe(before);
	});
});

test("looking for the layer at fault leaves no trace in running statistics", async () => {
	await init({ threads: 1 });
	const norm = new BatchNorm1d(6);
	const net = new Sequential(norm, new Linear(6, 8), new Linear(8, 4));
	net.parameters()[2].view().fill(1e30);
	net.parameters()[4].view().fill(1e30);
	const trainer = new Trainer(net, { optimizer: new SGD(net.parameters(), { lr: 0.1 }), loss: "crossEntropy" });
	await expect(trainer.fit(clusters(16), { epochs: 1, batchSize: 16 })).rejects.toThrow(/that of Linear "2"/);
	// Once, by the step itself.
	expect(norm.numBatchesTracked?.item()).toBe(1);
});

describe("a last batch of one", () => {
	test("is refused before training where a norm cannot take it", async () => {
		await init({ threads: 1 });
		// Dropout before the norm: trying the batch of one draws from the default generator.
		const net = new Sequential(new Dropout(0.1), new BatchNorm1d(6), new Linear(6, 4));
		const trainer = new Trainer(net, { optimizer: new SGD(net.parameters(), { lr: 0.1 }), loss: "crossEntropy" });
		const before = await weightsHash(net);
		const draws = defaultGenerator().state();
		await expect(trainer.fit(clusters(33), { epochs: 1, batchSize: 16 })).rejects.toThrow(
			/^fit: 33 examples in batches of 16 leave a last batch of one; pass dropLast: true or another batchSize: BatchNorm1d "1": /,
		);
		expect(await weightsHash(net)).toBe(before);
		expect(defaultGenerator().state()).toEqual(draws);
		const { epochs } = await trainer.fit(clusters(33), { epochs: 1, batchSize: 16, dropLast: true });
		expect(epochs).toHaveLength(1);
		await expect(trainer.fit(clusters(33), { epochs: 1, batchSize: 1 })).rejects.toThrow(
			/^fit: with a batchSize of 1: /,
		);
	});

	test.each([
		[
			{ rows: 19, batchSize: 16, steps: 8 },
			/^fit: 19 examples in batches of 16 leave a last batch of 3, of which accumulate.steps 8 makes parts as small as one example; lower accumulate.steps, or pass another batchSize: BatchNorm1d "1": /,
		],
		[
			{ rows: 103, batchSize: 20, steps: 10 },
			/^fit: 103 examples in batches of 20 leave a last batch of 3, of which accumulate.steps 10 makes/,
		],
		[
			{ rows: 32, batchSize: 16, steps: 16 },
			/^fit: with a batchSize of 16, of which accumulate.steps 16 makes parts as small as one/,
		],
	])("and so is a part of one, with accumulate: %o", async ({ rows, batchSize, steps }, message) => {
		await init({ threads: 1 });
		const net = new Sequential(new Linear(6, 6), new BatchNorm1d(6), new Linear(6, 4));
		const optimizer = new SGD(net.parameters(), { lr: 0.1 });
		const trainer = new Trainer(net, { optimizer, loss: "crossEntropy", accumulate: { steps } });
		const before = await weightsHash(net);
		await expect(trainer.fit(clusters(rows), { epochs: 1, batchSize })).rejects.toThrow(message);
		expect(await weightsHash(net)).toBe(before);
	});

	test("while parts of two and more are taken", async () => {
		await init({ threads: 1 });
		const net = new Sequential(new Linear(6, 6), new BatchNorm1d(6), new Linear(6, 4));
		const optimizer = new SGD(net.parameters(), { lr: 0.1 });
		const trainer = new Trainer(net, { optimizer, loss: "crossEntropy", accumulate: { steps: 8 } });
		for (const rows of [16, 18, 20]) {
			expect((await trainer.fit(clusters(rows), { epochs: 1, batchSize: 16 })).epochs).toHaveLength(1);
		}
	});

	test("is fine where no norm minds", async () => {
		const net = new Linear(6, 4);
		const trainer = new Trainer(net, { optimizer: new SGD(net.parameters(), { lr: 0.1 }), loss: "crossEntropy" });
		expect((await trainer.fit(clusters(33), { epochs: 1, batchSize: 16 })).epochs).toHaveLength(1);
	});
});

test("wrong options are named", async () => {
	await init({ threads: 1 });
	const { net, optimizer, trainer } = smallRun();
	const data = clusters(8);
	// @ts-expect-error a loss there is none of
	expect(() => new Trainer(net, { optimizer, loss: "hinge" })).toThrow(
		'unknown loss "hinge"; there are "crossEntropy"',
	);
	// @ts-expect-error a metric there is none of
	expect(() => new Trainer(net, { optimizer, loss: "mse", metrics: ["f1"] })).toThrow('unknown metric "f1"');
	expect(() => new Trainer(net, { optimizer, loss: "mse", clipGradNorm: 0 })).toThrow("clipGradNorm must be above 0");
	// @ts-expect-error no options
	await expect(trainer.fit(data)).rejects.toThrow("fit: the second argument is its options, such as { epochs: 10 }");
	for (const examples of [undefined, 5, [[1], [0]], [data.x]]) {
		// @ts-expect-error no examples
		await expect(trainer.fit(examples, { epochs: 1 })).rejects.toThrow("Trainer: examples are a data set, or [x, y]");
	}
	await expect(
		trainer.fit(data, { epochs: 1, validation: [tensor(new Float32Array(0), [0, 6]), tensor(new Int32Array(0))] }),
	).rejects.toThrow("fit: the validation set has no examples; give it some, or leave validation out");
	await expect(trainer.fit(data, { epochs: 0 })).rejects.toThrow("epochs must be a whole number of at least 1, got 0");
	await expect(trainer.fit(data, { epochs: 1, batchSize: 9, dropLast: true })).rejects.toThrow(
		"8 examples make no batch of 9",
	);
	await expect(trainer.evaluate(new TensorDataset(tensor([], [0, 6]), tensor(new Int32Array(0))))).rejects.toThrow(
		"evaluate: the data set has no examples",
	);
});

test("one fit at a time", async () => {
	const { trainer } = smallRun();
	const first = trainer.fit(clusters(64), {
		epochs: 2,
		batchSize: 16,
		onEpoch: () => new Promise((done) => setTimeout(done, 1)),
	});
	await expect(trainer.fit(clusters(64), { epochs: 1 })).rejects.toThrow("this trainer is already training");
	expect((await first).epochs).toHaveLength(2);
});

test("weightsHash is SHA-256 over the values in the order of stateDict", async () => {
	await init({ threads: 1 });
	const net = new Sequential(new Linear(2, 1), new BatchNorm1d(1));
	const bytes = Object.values(net.stateDict()).map((t) => {
		const values = t.dataSync();
		return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
	});
	expect(bytes.map((part) => part.length)).toEqual([8, 4, 4, 4, 4, 4, 4]);
	expect(await weightsHash(net)).toBe(createHash("sha256").update(Buffer.concat(bytes)).digest("hex"));
});
