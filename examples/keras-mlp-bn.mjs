// A training step written by hand, as with Keras's gradient tape: forward, loss, gradients, update. The network is
// Dense 128 ReLU, BatchNormalization, Dense 10, with Keras's defaults: Glorot-uniform weights, zero biases, epsilon 1e-3,
// moving averages that keep 0.99 of the old, Adam with epsilon 1e-7.
//
//   node examples/keras-mlp-bn.mjs [training images] [epochs]

import { countCorrect, crossEntropy, data, init, manualSeed, nn, noGrad, optim, scope } from "evenkeel";

const [images = 60_000, epochs = 5] = process.argv.slice(2).map(Number);

await init();
manualSeed(1);

const train = await data.fashionMnist({ split: "train" });
const test = await data.fashionMnist({ split: "test" });
console.log(train.source);

/** @param {number} from @param {number} to */
function dense(from, to) {
	const layer = new nn.Linear(from, to);
	nn.init.xavierUniform(layer.weight);
	if (layer.bias) nn.init.zeros(layer.bias);
	return layer;
}

const net = new nn.Sequential(
	new nn.Flatten(),
	dense(784, 128),
	new nn.ReLU(),
	new nn.BatchNorm1d(128, { eps: 1e-3, decay: 0.99, runningVariance: "biased" }),
	dense(128, 10),
);
const optimizer = new optim.Adam(net.namedParameters(), { lr: 1e-3, eps: 1e-7 });

/**
 * One step on one batch. The softmax and the categorical cross-entropy are one op, on logits.
 *
 * @param {import("evenkeel").data.Batch} batch
 */
function trainStep({ x, y }) {
	const logits = net.forward(x);
	const loss = crossEntropy(logits, y);
	optimizer.zeroGrad();
	loss.backward();
	optimizer.step();
	return { loss: loss.item(), correct: countCorrect(logits, y) };
}

const loader = new data.DataLoader(data.subset(train, Math.min(images, train.length)), {
	batchSize: 128,
	shuffle: true,
	dropLast: true,
	seed: 1,
});

for (let epoch = 1; epoch <= epochs; epoch++) {
	let [loss, correct, seen] = [0, 0, 0];
	net.train(); // training=True: the batch's own statistics
	eachBatch(loader, (batch) => {
		const step = trainStep(batch);
		loss += step.loss * batch.y.size;
		correct += step.correct;
		seen += batch.y.size;
	});

	let right = 0;
	net.eval(); // training=False: the moving averages
	eachBatch(new data.DataLoader(test, { batchSize: 500 }), ({ x, y }) => {
		right += noGrad(() => countCorrect(net.forward(x), y));
	});
	console.log(
		`epoch ${epoch}: loss ${(loss / seen).toFixed(3)}, train accuracy ${(correct / seen).toFixed(3)}, ` +
			`test accuracy ${(right / test.length).toFixed(3)}`,
	);
}

/**
 * Calls `fn` with every batch of an epoch, each in a scope that frees what the step made.
 *
 * @param {import("evenkeel").data.DataLoader} batches
 * @param {(batch: import("evenkeel").data.Batch) => void} fn
 */
function eachBatch(batches, fn) {
	const iterator = batches[Symbol.iterator]();
	const step = () => {
		const { value: batch } = iterator.next();
		if (batch) fn(batch);
		return batch !== undefined;
	};
	while (scope(step));
}
