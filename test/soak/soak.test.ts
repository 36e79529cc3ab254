// Ten thousand training steps: memory after step one hundred is memory for good.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import "../../src/autograd/backward.ts";
import { noGrad } from "../../src/autograd/tape.ts";
import { currentBackend } from "../../src/backend/backend.ts";
import { init } from "../../src/backend/init.ts";
import * as nn from "../../src/nn/index.ts";
import { tensor } from "../../src/ops/creation.ts";
import { crossEntropy } from "../../src/ops/loss/op.ts";
import { SGD } from "../../src/optim/index.ts";
import { scope } from "../../src/tensor/scope.ts";
import { liveTensors } from "../../src/tensor/tensor.ts";

const STEPS = 10_000;
const WARM_UP = 100;
/** By then the engine has compiled what it will compile; until then its own heap grows by some 100 kB a thousand steps. */
const COMPILED = 4000;

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

function javascriptHeap(): number {
	collectGarbage();
	return process.memoryUsage().heapUsed;
}

/** All that training does, at the smallest size: batches of 4 to 7 images of 8 x 8, now and then an evaluation. */
function makeTraining(): (step: number) => number {
	const net = new nn.Sequential(
		new nn.Conv2d(1, 4, 3),
		new nn.BatchNorm2d(4),
		new nn.ReLU(),
		new nn.AvgPool2d(2),
		new nn.Flatten(),
		new nn.Linear(36, 8),
		new nn.BatchNorm1d(8),
		new nn.Sigmoid(),
		new nn.Dropout(0.1),
		new nn.Linear(8, 3),
	);
	const optimizer = new SGD(net.parameters(), { lr: 0.02, momentum: 0.9, weightDecay: 1e-4 });
	return (step) =>
		scope(() => {
			const size = 4 + (step % 4);
			const labels = Int32Array.from({ length: size }, (_, i) => (i + step) % 3);
			const pixels = Float32Array.from({ length: size * 64 }, (_, i) =>
				Math.sin((i % 64) * (labels[i >> 6] + 1) + step),
			);
			const images = tensor(pixels, [size, 1, 8, 8]);
			const loss = crossEntropy(net.forward(images), tensor(labels, [size]));
			optimizer.zeroGrad();
			loss.backward();
			optimizer.step();
			if (step % 50 === 0) {
				net.eval();
				noGrad(() => net.forward(images));
				net.train();
			}
			return loss.item();
		});
}

test("10,000 training steps: heap and live tensors are flat after the first hundred", {
	timeout: 300_000,
}, async () => {
	await init({ threads: 2 });
	const train = makeTraining();
	const memory = () => ({ ...currentBackend().memory(), tensors: liveTensors() });
	for (let step = 0; step < WARM_UP; step++) train(step);
	const settled = memory();
	let javascript = 0;
	let loss = 0;
	for (let step = WARM_UP; step < STEPS; step++) {
		if (step === COMPILED) javascript = javascriptHeap();
		loss = train(step);
		if (step % 97 === 0) expect(memory(), `after step ${step}`).toEqual(settled);
	}
	expect(memory()).toEqual(settled);
	expect(loss).toBeLessThan(1.2);
	// JavaScript's own heap: nothing of a step stays. A hundred bytes a step would be 0.6 MB.
	expect(javascriptHeap() - javascript).toBeLessThan(5e5);
});
