// A small residual network: batch normalization where it matters most. Three stages of one block at 16, 32 and 64
// channels; SGD with momentum, a one-cycle learning rate, no weight decay on norms and biases, crops and flips.
//
//   node examples/resnet-mini.mjs [training images] [epochs]

import { add, data, init, manualSeed, nn, optim, relu, Trainer } from "evenkeel";

const [images = 60_000, epochs = 5] = process.argv.slice(2).map(Number);
const batchSize = 128;

/**
 * Convolution and norm. The norm has a shift of its own, so the convolution needs no bias.
 *
 * @param {number} from @param {number} to @param {number} kernel @param {number} stride
 */
function convNorm(from, to, kernel, stride) {
	const conv = new nn.Conv2d(from, to, kernel, { stride, padding: (kernel - 1) / 2, bias: false });
	nn.init.heNormal(conv.weight, { mode: "fanOut" });
	return new nn.Sequential(conv, new nn.BatchNorm2d(to));
}

/** relu(f(x) + x); x passes a 1 x 1 convolution where its shape must change. */
class Block extends nn.Module {
	/** @param {number} from @param {number} to @param {number} stride */
	constructor(from, to, stride) {
		super();
		this.first = convNorm(from, to, 3, stride);
		this.second = convNorm(to, to, 3, 1);
		this.shortcut = from === to && stride === 1 ? null : convNorm(from, to, 1, stride);
	}

	/** @param {import("evenkeel").Tensor} x */
	forward(x) {
		const f = this.second.forward(relu(this.first.forward(x)));
		return relu(add(f, this.shortcut?.forward(x) ?? x));
	}
}

await init();
manualSeed(1);

const all = await data.fashionMnist({ split: "train" });
const train = data.subset(all, Math.min(images, all.length));
const allTest = await data.fashionMnist({ split: "test" });
const test = data.subset(allTest, Math.min(images, allTest.length));
console.log(all.source);

const net = new nn.Sequential(
	convNorm(1, 16, 3, 1),
	new nn.ReLU(),
	new Block(16, 16, 1),
	new Block(16, 32, 2),
	new Block(32, 64, 2),
	new nn.AdaptiveAvgPool2d(1),
	new nn.Flatten(),
	new nn.Linear(64, 10),
);

// The rate rises to 0.1 and falls to nearly 0 over the whole run: one step of the schedule for each of the network's.
const optimizer = new optim.SGD(optim.noWeightDecayOnNorms(net, { weightDecay: 5e-4 }), { lr: 0.1, momentum: 0.9 });
const totalSteps = epochs * Math.ceil(train.length / batchSize);
const trainer = new Trainer(net, {
	optimizer,
	schedule: optim.oneCycleLR(optimizer, { maxLr: 0.1, totalSteps }),
	loss: "crossEntropy",
	metrics: ["accuracy"],
});

await trainer.fit(train, {
	epochs,
	batchSize,
	validation: test,
	transform: { mean: all.mean, std: all.std, crop: { padding: 2 }, flip: true },
	onEpoch: ({ epoch, loss, trainAccuracy, testAccuracy, examplesPerSecond }) => {
		console.log(
			`epoch ${epoch}: loss ${loss.toFixed(3)}, train accuracy ${trainAccuracy?.toFixed(3)}, ` +
				`test accuracy ${testAccuracy?.toFixed(3)}, ${Math.round(examplesPerSecond)} examples/s`,
		);
	},
});
