import { expect, test } from "vitest";
import { onEachBackend } from "../../test/support/backends.ts";
import { clusters } from "../../test/support/small-run.ts";
import "../autograd/backward.ts";
import { Sequential } from "../nn/containers.ts";
import { ReLU } from "../nn/layers/activation.ts";
import { BatchNorm1d } from "../nn/layers/batch-norm.ts";
import { BatchRenorm1d } from "../nn/layers/batch-renorm.ts";
import { LayerNorm } from "../nn/layers/layer-norm.ts";
import { Linear } from "../nn/layers/linear.ts";
import type { Module } from "../nn/module.ts";
import { SGD } from "../optim/sgd.ts";
import { manualSeed } from "../random/generator.ts";
import { type AccumulateOptions, Trainer } from "./index.ts";

onEachBackend("gradient accumulation", ({ exact }) => {
	const digits = exact ? 10 : 5;
	const numbers = (net: Module) =>
		Object.values(net.stateDict()).flatMap((tensor): number[] => Array.from(tensor.dataSync()));

	function close(actual: readonly number[], expected: readonly number[]): void {
		expect(actual.length).toBe(expected.length);
		actual.forEach((value, i) => {
			expect(value, `number ${i}`).toBeCloseTo(expected[i], digits);
		});
	}

	/** The network, trained: lr 0 leaves its weights alone and lets running statistics move. */
	async function trained(
		build: () => Module,
		accumulate: AccumulateOptions | undefined,
		{ lr = 0.1, rows = 24, batchSize = 24 } = {},
	): Promise<{ net: Module; steps: number; loss: number }> {
		manualSeed(3);
		const net = build();
		const optimizer = new SGD(net.namedParameters(), { lr });
		const trainer = new Trainer(net, { optimizer, loss: "crossEntropy", metrics: ["accuracy"], accumulate });
		let steps = 0;
		const onStep = () => void steps++;
		const { epochs } = await trainer.fit(clusters(rows), { epochs: 2, batchSize, seed: 1, onStep });
		return { net, steps, loss: epochs[1].loss };
	}

	const withLayerNorm = () => new Sequential(new Linear(6, 8), new LayerNorm(8), new ReLU(), new Linear(8, 4));
	const withBatchNorm = () => new Sequential(new BatchNorm1d(6), new ReLU(), new Linear(6, 4));

	test.each([1, 3, 5, 24])("without batch norm, %i parts are as good as one", async (steps) => {
		const whole = await trained(withLayerNorm, undefined);
		const parts = await trained(withLayerNorm, { steps });
		close(numbers(parts.net), numbers(whole.net));
		expect(parts.steps).toBe(2);
		expect(parts.loss).toBeCloseTo(whole.loss, digits);
	});

	test("a last batch that is not full weighs what it holds", async () => {
		const sizes = { rows: 31, batchSize: 12 };
		const whole = await trained(withLayerNorm, undefined, sizes);
		const parts = await trained(withLayerNorm, { steps: 5 }, sizes);
		close(numbers(parts.net), numbers(whole.net));
		expect(parts.steps).toBe(6);
	});

	test('statistics "whole": running statistics are those of training on whole batches', async () => {
		const whole = await trained(withBatchNorm, undefined, { lr: 0 });
		const parts = await trained(withBatchNorm, { steps: 4, statistics: "whole" }, { lr: 0 });
		close(numbers(parts.net), numbers(whole.net));
		const cumulative = () =>
			new Sequential(new BatchNorm1d(6, { momentum: null, runningVariance: "biased" }), new Linear(6, 4));
		close(
			numbers((await trained(cumulative, { steps: 5, statistics: "whole" }, { lr: 0, rows: 40 })).net),
			numbers((await trained(cumulative, undefined, { lr: 0, rows: 40 })).net),
		);
	});

	test('statistics "micro": they move with each part', async () => {
		const { net } = await trained(withBatchNorm, { steps: 4 }, { lr: 0 });
		const bn = (net as Sequential).at(0) as BatchNorm1d;
		expect(bn.numBatchesTracked?.item()).toBe(8);
		const whole = await trained(withBatchNorm, { steps: 4, statistics: "whole" }, { lr: 0 });
		const other = (whole.net as Sequential).at(0) as BatchNorm1d;
		expect(other.numBatchesTracked?.item()).toBe(2);
		expect(numbers(net)).not.toEqual(numbers(whole.net));
	});

	test("each part is normalized by itself: the gradients do not depend on when statistics move", async () => {
		const micro = await trained(withBatchNorm, { steps: 4 });
		const whole = await trained(withBatchNorm, { steps: 4, statistics: "whole" });
		const one = await trained(withBatchNorm, undefined);
		const weights = ({ net }: { net: Module }) => net.parameters().flatMap((p): number[] => Array.from(p.dataSync()));
		expect(weights(whole)).toEqual(weights(micro));
		expect(weights(one)).not.toEqual(weights(micro));
	});

	test("the layer is left as it was, with frozen norms and renormalization too", async () => {
		const build = () =>
			new Sequential(new BatchRenorm1d(6, { momentum: 0.3 }), new BatchNorm1d(6).freeze(), new Linear(6, 4));
		const { net } = await trained(build, { steps: 3, statistics: "whole" });
		const [renorm, frozen] = [...(net as Sequential)] as [BatchRenorm1d, BatchNorm1d];
		expect(renorm.momentum).toBe(0.3);
		expect(renorm.numBatchesTracked?.item()).toBe(2);
		expect(frozen.numBatchesTracked?.item()).toBe(0);
		expect(Object.hasOwn(renorm, "forward")).toBe(false);
	});

	test("bad options", () => {
		const make = (accumulate: AccumulateOptions, net: Module = withBatchNorm()) =>
			new Trainer(net, { optimizer: new SGD(net.parameters(), { lr: 1 }), loss: "crossEntropy", accumulate });
		expect(() => make({ steps: 0 })).toThrow("accumulate.steps must be a whole number of at least 1, got 0");
		expect(() => make(JSON.parse('{ "steps": 2, "statistics": "none" }'))).toThrow('is "micro" or "whole", got "none"');
		const ghosts = new Sequential(new BatchNorm1d(6, { virtualBatchSize: 2 }));
		expect(() => make({ steps: 2, statistics: "whole" }, ghosts)).toThrow(/BatchNorm1d "0" has virtual batches/);
	});
});
