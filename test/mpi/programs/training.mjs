// Fifty steps of SGD on ranks that share the examples of each batch: what the losses, gradients and statistics come to.
// Gradients are those of the mean over all examples: each rank's count for as many as it has.

import { createHash } from "node:crypto";
import {
	convertSyncBatchNorm,
	crossEntropy,
	full,
	Generator,
	init,
	manualSeed,
	nn,
	optim,
	scope,
	tensor,
} from "evenkeel";
import { mpiWorld } from "evenkeel/mpi";
import { report } from "./report.mjs";

const steps = 50;
const [, , kind, mode, shares] = process.argv;
/** @type {number[][]} examples of each rank in a whole batch, and in the last of an epoch: `[[12,12],[5,6]]` */
const [whole, last] = JSON.parse(shares);

/** @type {Record<string, () => nn.Module>} */
const networks = {
	mlp: () =>
		new nn.Sequential(
			...[new nn.Flatten(), new nn.Linear(100, 32), new nn.BatchNorm1d(32), new nn.ReLU()],
			...[new nn.Linear(32, 16), new nn.BatchNorm1d(16), new nn.ReLU(), new nn.Linear(16, 4)],
		),
	lenet: () =>
		new nn.Sequential(
			...[new nn.Conv2d(1, 4, 3), new nn.BatchNorm2d(4), new nn.Sigmoid(), new nn.AvgPool2d(2)],
			...[new nn.Conv2d(4, 8, 3), new nn.BatchNorm2d(8), new nn.Sigmoid(), new nn.Flatten()],
			...[new nn.Linear(32, 16), new nn.BatchNorm1d(16), new nn.Sigmoid(), new nn.Linear(16, 4)],
		),
};

const world = await mpiWorld();
await init({ threads: 1 });
manualSeed(1);
const net = networks[kind]();
const optimizer = new optim.SGD(net.parameters(), { lr: 0.1, momentum: 0.9 });
const synchronized = mode === "sync" ? convertSyncBatchNorm(net, world) : 0;
const parameters = [...net.namedParameters()];

/** The batch of step `step`: images of four classes, and which are this rank's. @param {number} step */
function batch(step) {
	const counts = step % 10 === 9 ? last : whole;
	const total = counts.reduce((a, b) => a + b, 0);
	const images = new Generator(100 + step).fillNormal(new Float32Array(total * 100), 0.3, 0.8);
	const labels = Array.from({ length: total }, (_, i) => (i * 7 + step) % 4);
	for (let i = 0; i < images.length; i++) {
		if (Math.floor((i % 100) / 25) === labels[Math.floor(i / 100)]) images[i] += 0.7;
	}
	const from = counts.slice(0, world.rank).reduce((a, b) => a + b, 0);
	const own = counts[world.rank];
	return { total, own, images: images.slice(from * 100, (from + own) * 100), labels: labels.slice(from, from + own) };
}

/** One step; returns the loss, the mean over the examples of all ranks. @param {number} step */
function train(step) {
	return scope(() => {
		const { total, own, images, labels } = batch(step);
		optimizer.zeroGrad();
		const y = net.forward(tensor(images, [own, 1, 10, 10]));
		const sum = new Float64Array(1);
		if (own > 0) {
			const loss = crossEntropy(y, tensor(labels, [own], { dtype: "int32" }));
			sum[0] = (loss.item() * own) / total;
			loss.backward(full([], own / total));
		} else y.backward(full([0, 4], 0));
		for (const [, { grad }] of parameters) {
			const values = grad?.view();
			if (!(values instanceof Float32Array)) throw new Error("a parameter has no gradient");
			world.allreduce(values);
		}
		world.allreduce(sum);
		optimizer.step();
		return sum[0];
	});
}

const losses = Array.from({ length: steps }, (_, step) => train(step));
/** @param {Iterable<[string, { dataSync(): ArrayLike<number> }]>} values */
const numbers = (values) => Object.fromEntries([...values].map(([name, t]) => [name, Array.from(t.dataSync())]));
const hash = createHash("sha256");
for (const [, parameter] of parameters) hash.update(new Uint8Array(Float32Array.from(parameter.dataSync()).buffer));
report(world.rank, {
	losses,
	synchronized,
	weights: hash.digest("hex"),
	gradients: numbers(parameters.flatMap(([name, { grad }]) => (grad ? [[name, grad]] : []))),
	statistics: numbers(net.namedBuffers()),
});
world.finalize();
