// A network as a class of its own: 784-512-256-10 with batch normalization before each ReLU, trained with Adam, and
// what train() and eval() change: in training the batch's statistics normalize, in evaluation the running averages.
//
//   node examples/mlp-bn.mjs [training images] [epochs]

import { data, flatten, init, manualSeed, nn, noGrad, optim, relu, scope, Trainer } from "evenkeel";

const [images = 60_000, epochs = 5] = process.argv.slice(2).map(Number);

class Net extends nn.Module {
	fc1 = new nn.Linear(784, 512);
	bn1 = new nn.BatchNorm1d(512);
	fc2 = new nn.Linear(512, 256);
	bn2 = new nn.BatchNorm1d(256);
	fc3 = new nn.Linear(256, 10);

	/** @param {import("evenkeel").Tensor} x images [N, 1, 28, 28] */
	forward(x) {
		let h = relu(this.bn1.forward(this.fc1.forward(flatten(x, 1))));
		h = relu(this.bn2.forward(this.fc2.forward(h)));
		return this.fc3.forward(h);
	}
}

await init();
manualSeed(1);

const train = await data.fashionMnist({ split: "train" });
const test = await data.fashionMnist({ split: "test" });
console.log(train.source);

const net = new Net();
const trainer = new Trainer(net, {
	optimizer: new optim.Adam(net.namedParameters(), { lr: 1e-3 }),
	loss: "crossEntropy",
	metrics: ["accuracy"],
});

await trainer.fit(data.subset(train, Math.min(images, train.length)), {
	epochs,
	batchSize: 256,
	validation: test,
	onEpoch: ({ epoch, loss, trainAccuracy, testAccuracy }) => {
		console.log(
			`epoch ${epoch}: loss ${loss.toFixed(3)}, train accuracy ${trainAccuracy?.toFixed(3)}, ` +
				`test accuracy ${testAccuracy?.toFixed(3)}`,
		);
	},
});

// The same image in two batches: in training mode its company changes its logits, in evaluation mode it does not.
for (const mode of /** @type {const} */ (["train", "eval"])) {
	net[mode]();
	const [small, large] = [8, 64].map((batchSize) =>
		scope(() =>
			noGrad(() => {
				const [batch] = new data.DataLoader(test, { batchSize });
				return net.forward(batch.x).dataSync()[0];
			}),
		),
	);
	console.log(
		`${mode}(): first logit of the first test image in a batch of 8: ${small.toFixed(4)}, of 64: ${large.toFixed(4)}`,
	);
}
