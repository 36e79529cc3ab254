// LeNet without batch normalization, trained exactly as examples/lenet-bn.mjs: at this learning rate the sigmoids
// saturate, and for several epochs the network knows no more than chance (accuracy 0.1, loss ln 10 = 2.303).
//
//   node examples/lenet.mjs [training images] [epochs]

import { data, init, manualSeed, nn, optim, Trainer } from "evenkeel";

const [images = 60_000, epochs = 10] = process.argv.slice(2).map(Number);

await init();
manualSeed(1);

const train = await data.fashionMnist({ split: "train" });
const test = await data.fashionMnist({ split: "test" });
console.log(train.source);

const net = new nn.Sequential(
	new nn.Conv2d(1, 6, 5),
	new nn.Sigmoid(),
	new nn.AvgPool2d(2),
	new nn.Conv2d(6, 16, 5),
	new nn.Sigmoid(),
	new nn.AvgPool2d(2),
	new nn.Flatten(),
	new nn.Linear(256, 120),
	new nn.Sigmoid(),
	new nn.Linear(120, 84),
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
	onEpoch: ({ epoch, loss, trainAccuracy, testAccuracy }) => {
		console.log(
			`epoch ${epoch}: loss ${loss.toFixed(3)}, train accuracy ${trainAccuracy?.toFixed(3)}, ` +
				`test accuracy ${testAccuracy?.toFixed(3)}`,
		);
	},
});
