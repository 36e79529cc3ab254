// Re-estimating running statistics: LeNet with batch normalization, trained on Fashion-MNIST, meets images that look
// otherwise. What its accuracy on them is before, and after `recalibrate` has seen such images without their labels.
// Prints the tables of docs/production.md.
//
//   node examples/recalibrate.mjs [training images] [epochs]

import { averageWeights, data, init, manualSeed, nn, optim, recalibrate, slice, Trainer, tensor } from "evenkeel";

const [images = 60_000, epochs = 5] = process.argv.slice(2).map(Number);
const batchSize = 256;

await init();
manualSeed(1);

const all = await data.fashionMnist({ split: "train" });
const train = images < all.length ? data.subset(all, images) : all;
const test = await data.fashionMnist({ split: "test" });
console.log(`${train.length} training images: ${all.source}`);

const net = new nn.Sequential(
	...[new nn.Conv2d(1, 6, 5), new nn.BatchNorm2d(6), new nn.Sigmoid(), new nn.AvgPool2d(2)],
	...[new nn.Conv2d(6, 16, 5), new nn.BatchNorm2d(16), new nn.Sigmoid(), new nn.AvgPool2d(2)],
	...[new nn.Flatten(), new nn.Linear(256, 120), new nn.BatchNorm1d(120), new nn.Sigmoid()],
	...[new nn.Linear(120, 84), new nn.BatchNorm1d(84), new nn.Sigmoid(), new nn.Linear(84, 10)],
);
const trainer = new Trainer(net, {
	optimizer: new optim.SGD(net.namedParameters(), { lr: 1 }),
	loss: "crossEntropy",
	metrics: ["accuracy"],
});

/** A copy of the network's state that training does not change. */
const snapshot = () => averageWeights([net.stateDict()]);
/** @type {ReturnType<typeof snapshot>[]} */
const snapshots = [];

await trainer.fit(train, {
	epochs,
	batchSize,
	validation: test,
	onEpoch: ({ epoch, loss, trainAccuracy, testAccuracy }) => {
		snapshots.push(snapshot());
		console.log(
			`epoch ${epoch}: loss ${loss.toFixed(3)}, train accuracy ${trainAccuracy?.toFixed(3)}, ` +
				`test accuracy ${testAccuracy?.toFixed(3)}`,
		);
	},
});
const trained = snapshots[snapshots.length - 1];

/**
 * Images as another camera would have taken them.
 *
 * @type {Record<string, (image: Uint8Array) => ArrayLike<number>>}
 */
const shifts = {
	"as trained on": (image) => image,
	brighter: (image) => image.map((v) => Math.min(255, v + 100)),
	darker: (image) => image.map((v) => 0.3 * v),
	"less contrast": (image) => image.map((v) => 90 + 0.3 * v),
	blurred: (image) => blur(blur(image)),
	inverted: (image) => image.map((v) => 255 - v),
};

/** The mean of 3 x 3 pixels. @param {ArrayLike<number>} image */
function blur(image) {
	const at = (/** @type {number} */ row, /** @type {number} */ column) =>
		row < 0 || row > 27 || column < 0 || column > 27 ? 0 : image[28 * row + column];
	return Float32Array.from({ length: 784 }, (_, i) => {
		const [row, column] = [Math.floor(i / 28), i % 28];
		let sum = 0;
		for (let y = -1; y <= 1; y++) for (let x = -1; x <= 1; x++) sum += at(row + y, column + x);
		return sum / 9;
	});
}

/**
 * The images of a data set, changed, as bytes.
 *
 * @param {import("evenkeel").Tensor} bytes `[N, 1, 28, 28]` @param {number} count
 * @param {(image: Uint8Array) => ArrayLike<number>} shift
 */
function shifted(bytes, count, shift) {
	const from = /** @type {Uint8Array} */ (bytes.dataSync());
	const out = new Uint8Array(784 * count);
	for (let i = 0; i < out.length; i += 784) out.set(Uint8Array.from(shift(from.subarray(i, i + 784))), i);
	return tensor(out, [count, 1, 28, 28]);
}

const tested = Math.min(test.length, 2 * train.length);
const labels = slice(test.labels, 0, 0, tested);

/** In percent. @param {import("evenkeel").Tensor} x */
async function accuracy(x) {
	const { accuracy: share } = await trainer.evaluate([x, labels]);
	return `${(100 * (share ?? 0)).toFixed(1)}`.padStart(5);
}

const modes = /** @type {const} */ (["per-layer", "one-pass", "by-batch"]);
console.log(`\ntest accuracy in %   before  ${modes.join("  ")}`);
for (const [name, shift] of Object.entries(shifts)) {
	const unlabeled = shifted(all.images, train.length, shift);
	const x = shifted(test.images, tested, shift);
	net.loadStateDict(trained);
	const cells = [(await accuracy(x)).padStart(6)];
	for (const mode of modes) {
		net.loadStateDict(trained);
		await recalibrate(net, unlabeled, { mode, batchSize });
		cells.push((await accuracy(x)).padStart(mode.length));
	}
	console.log(`${name.padEnd(20)} ${cells.join("  ")}`);
	unlabeled.dispose();
	x.dispose();
}

console.log("\nhow many images it takes (darker, per-layer)");
const dark = shifted(test.images, tested, shifts.darker);
for (const count of [10, 30, 100, 300, 1000, 10_000].filter((enough) => enough <= train.length)) {
	net.loadStateDict(trained);
	await recalibrate(net, shifted(all.images, count, shifts.darker), { batchSize });
	console.log(`${String(count).padStart(6)}  ${await accuracy(dark)}`);
}

console.log("\nwhat the batches matter (darker, 6,000 images at most): largest error of a variance, accuracy");
const some = shifted(all.images, Math.min(train.length, 6000), shifts.darker);

/** The running variances that `some` gives. @param {(typeof modes)[number]} mode @param {number} size */
async function variances(mode, size) {
	net.loadStateDict(trained);
	await recalibrate(net, some, { mode, batchSize: size });
	const entries = Object.entries(net.stateDict()).filter(([name]) => name.endsWith("running_var"));
	return entries.flatMap(([, values]) => Array.from(values.dataSync()));
}

const exact = await variances("per-layer", batchSize);
for (const mode of /** @type {const} */ (["per-layer", "by-batch"])) {
	for (const size of [256, 16, 2]) {
		const errors = (await variances(mode, size)).map((value, i) => Math.abs(value / exact[i] - 1));
		const worst = `${(100 * Math.max(...errors)).toFixed(4)}%`.padStart(9);
		console.log(`${mode}  ${String(size).padStart(4)} ${worst}  ${await accuracy(dark)}`);
	}
}

console.log("\nweights averaged over the epochs");
net.loadStateDict(averageWeights(snapshots));
const plain = shifted(test.images, tested, shifts["as trained on"]);
console.log(`statistics averaged too  ${await accuracy(plain)}`);
await recalibrate(net, train, { batchSize });
console.log(`statistics re-estimated  ${await accuracy(plain)}`);
