// LeNet with batch normalization before each sigmoid, on Fashion-MNIST: with it the network takes a learning rate of
// 1.0 and learns from the first epoch on. examples/lenet.mjs is the same without it.
//
//   node examples/lenet-bn.mjs [training images] [epochs]

import { data, init, manualSeed, nn, optim, Trainer } from "evenkeel";

const [images = 60_000, epochs = 10] = process.argv.slice(2).map(Number);

await init();
manualSeed(1);

const train = await data.fashionMnist({ split: "train" });
const test = await data.fashionMnist({ split: "test" });
console.log(train.source);

const net = new nn.Sequential(
	new nn.Conv2d(1, 6, 5),
	new nn.BatchNorm2d(6),
	new nn.Sigmoid(),
	new nn.AvgPool2d(2),
	new nn.Conv2d(6, 16, 5),
	new nn.BatchNorm2d(16),
	new nn.Sigmoid(),
	new nn.AvgPool2d(2),
	new nn.Flatten(),
	new nn.Linear(256, 120),
	new nn.BatchNorm1d(120),
	new nn.Sigmoid(),
	new nn.Linear(120, 84),
	new nn.BatchNorm1d(84),
	new nn.Sigmoid(),
	new nn.Linear(84, 10),
);

const trainer = new Trainer(net, {
	optimizer: new optim.SGD(net.namedParameters(), { lr: 1 }),
	loss: "crossEntropy",
	metrics: ["accuracy"],
});

await trainer.fit(data.subset(train, Math.min(images, train.length)), {
	epochs,
	batchSize: 256,
	validation: test,
	onEpoch: ({ epoch, loss, trainAccuracy, testAccuracy, examplesPerSecond }) => {
		console.log(
			`epoch ${epoch}: loss ${loss.toFixed(3)}, train accuracy ${trainAccuracy?.toFixed(3)}, ` +
				`test accuracy ${testAccuracy?.toFixed(3)}, ${Math.round(examplesPerSecond)} examples/s`,
		);
	},
});

// What the first normalization has learned: a scale and a shift for each of its six channels.
const norm = net.at(1);
if (norm instanceof nn.BatchNorm2d) {
	console.log("scale", norm.weight?.dataSync());
	console.log("shift", norm.bias?.dataSync());
}
