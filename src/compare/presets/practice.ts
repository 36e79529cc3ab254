// Comparisons about where a norm goes, what goes with it, and how its statistics are used.

/** Small batches. */
export const batchSize = {
	name: "batch-size",
	title: "Batch sizes from 2 to 256 for five normalizations",
	description:
		"LeNet with ReLU on the first 12,000 images, two epochs; the learning rate, 0.4 at batch size 256, is scaled with the " +
		"batch size. Batch norm estimates its statistics from each batch, group, layer and instance norm from each example.",
	base: { preset: "lenet", activation: "relu", epochs: 2, limit: 12000, lr: 0.4, lrBatch: 256 },
	grid: { norm: ["batch", "group", "layer", "instance", "switchable"], batchSize: [2, 4, 16, 64, 256] },
	seeds: 5,
	charts: [{ x: "batchSize", y: "testAccuracy" }],
	claims: [
		{
			id: "batch-norm-small-batches",
			says: "Batch norm is unstable at batches under 16: at batch size 2 it is worse than at 16.",
			source: "text 3",
			metric: "testAccuracy",
			a: { norm: "batch", batchSize: 2 },
			b: { norm: "batch", batchSize: 16 },
			expect: "lower",
		},
		{
			id: "group-norm-small-batches",
			says: "Under 16, use group norm: at batch size 2 it is better than batch norm.",
			source: "text 3",
			metric: "testAccuracy",
			a: { norm: "group", batchSize: 2 },
			b: { norm: "batch", batchSize: 2 },
			expect: "higher",
		},
		{
			id: "group-norm-batch-4",
			says: "Under 16, use group norm: at batch size 4 it is better than batch norm.",
			source: "text 3",
			metric: "testAccuracy",
			a: { norm: "group", batchSize: 4 },
			b: { norm: "batch", batchSize: 4 },
			expect: "higher",
		},
		{
			id: "group-norm-does-not-fall",
			says: "Group norm does not lose by a small batch (batch size 2 against 16).",
			source: "Wu and He 2018",
			metric: "testAccuracy",
			a: { norm: "group", batchSize: 2 },
			b: { norm: "group", batchSize: 16 },
			expect: "same",
			margin: 0.015,
		},
	],
};

/** Before or after the activation. */
export const placement = {
	name: "placement",
	title: "Before or after the activation",
	description:
		"The texts disagree: before the activation, as in the original paper, or after it, as two of them have seen do better. " +
		"LeNet, three epochs, each place at the learning rate that suits it best.",
	base: { preset: "lenet", norm: "batch", epochs: 3, batchSize: 256 },
	grid: { activation: ["sigmoid", "relu"], place: ["before", "after"], lr: [0.1, 0.5] },
	seeds: 3,
	charts: [{ x: "lr", y: "trainAccuracy", series: ["activation", "place"] }],
	claims: [
		{
			id: "before-sigmoid",
			says: "The norm belongs before the activation (sigmoid, training).",
			source: "texts 3 and 5",
			metric: "trainAccuracy",
			a: { activation: "sigmoid", place: "before" },
			b: { activation: "sigmoid", place: "after" },
			expect: "higher",
			reduce: "best",
			over: "lr",
		},
		{
			id: "after-relu",
			says: "In practice the norm does better after the ReLU (training).",
			source: "texts 2 and 4",
			metric: "trainAccuracy",
			a: { activation: "relu", place: "after" },
			b: { activation: "relu", place: "before" },
			expect: "higher",
			reduce: "best",
			over: "lr",
		},
		{
			id: "after-relu-test",
			says: "In practice the norm does better after the ReLU (test, best epoch).",
			source: "texts 2 and 4",
			metric: "bestTestAccuracy",
			a: { activation: "relu", place: "after" },
			b: { activation: "relu", place: "before" },
			expect: "higher",
			reduce: "best",
			over: "lr",
		},
	],
};

/** Regularization. */
export const dropout = {
	name: "dropout",
	title: "Batch normalization and dropout as regularizers",
	description:
		"The network 784-512-256-10 on the first 6,000 images, 20 epochs: enough to overfit. The gap is the accuracy on training " +
		"images less that on test images, both in evaluation mode.",
	base: { preset: "mlp-bn", limit: 6000, epochs: 20, batchSize: 64 },
	grid: { norm: ["none", "batch"], dropout: [0, 0.3, 0.5] },
	seeds: 4,
	charts: [
		{ x: "dropout", y: "testAccuracy" },
		{ x: "dropout", y: "gap" },
		{ x: "dropout", y: "testLoss" },
	],
	claims: [
		{
			id: "regularizes",
			says: "Batch normalization regularizes, through the noise of its batches (a smaller gap without any dropout).",
			source: "text 1",
			metric: "gap",
			a: { norm: "batch", dropout: 0 },
			b: { norm: "none", dropout: 0 },
			expect: "lower",
		},
		{
			id: "replaces-dropout",
			says: "Batch normalization replaces dropout (it alone gives a better test accuracy than dropout 0.3 alone).",
			source: "text 4",
			metric: "testAccuracy",
			a: { norm: "batch", dropout: 0 },
			b: { norm: "none", dropout: 0.3 },
			expect: "higher",
		},
		{
			id: "conflicts-with-dropout",
			says: "Batch normalization and dropout conflict (dropout 0.3 makes a network with it worse).",
			source: "text 3",
			metric: "testAccuracy",
			a: { norm: "batch", dropout: 0.3 },
			b: { norm: "batch", dropout: 0 },
			expect: "lower",
		},
		{
			id: "overfits-then-dropout",
			says: "A network with it may overfit; dropout helps then (smaller gap with dropout 0.3).",
			source: "text 2",
			metric: "gap",
			a: { norm: "batch", dropout: 0.3 },
			b: { norm: "batch", dropout: 0 },
			expect: "lower",
		},
	],
};

/** Little data. */
export const smallData = {
	name: "small-data",
	title: "Very little data",
	description: "LeNet with ReLU at learning rate 0.1 on 200, 1,000 and 5,000 images, about as many steps each.",
	base: { preset: "lenet", activation: "relu", batchSize: 50, lr: 0.1 },
	grid: [
		{ limit: 200, epochs: 100, norm: ["none", "batch"] },
		{ limit: 1000, epochs: 30, norm: ["none", "batch"] },
		{ limit: 5000, epochs: 10, norm: ["none", "batch"] },
	],
	seeds: 4,
	charts: [{ x: "limit", y: "bestTestAccuracy", series: ["norm"] }],
	claims: [
		{
			id: "little-data",
			says: "With very little data batch normalization is not needed (200 images: within one point of the network without it).",
			source: "text 2",
			metric: "bestTestAccuracy",
			a: { limit: 200, norm: "batch" },
			b: { limit: 200, norm: "none" },
			expect: "same",
			margin: 0.01,
		},
		{
			id: "more-data",
			says: "With more data it is needed (5,000 images: better with it).",
			source: "text 2",
			metric: "bestTestAccuracy",
			a: { limit: 5000, norm: "batch" },
			b: { limit: 5000, norm: "none" },
			expect: "higher",
		},
	],
};

/** The mistake of leaving a network in training mode. */
export const evaluationStatistics = {
	name: "evaluation-statistics",
	title: "Batch statistics in evaluation",
	description:
		"A network that is left in training mode normalizes each test batch by its own statistics. LeNet with ReLU, two epochs, " +
		"evaluated with the running statistics, with those of test batches of 256, 16 and 2, and with those of test batches " +
		"that come sorted by class.",
	base: { preset: "lenet", norm: "batch", activation: "relu", lr: 0.1, epochs: 2, batchSize: 256 },
	grid: [
		{ evalStatistics: "running", evalBatchSize: 256 },
		{ evalStatistics: ["batch", "sorted-batch"], evalBatchSize: [256, 16, 2] },
	],
	seeds: 3,
	charts: [{ x: "evalBatchSize", y: "testAccuracy", series: ["evalStatistics"] }],
	claims: [
		{
			id: "eval-mode-small",
			says: "Evaluate with the running statistics: batch statistics cost accuracy (test batches of 2).",
			source: "texts 1, 3 and 5",
			metric: "testAccuracy",
			a: { evalStatistics: "batch", evalBatchSize: 2 },
			b: { evalStatistics: "running" },
			expect: "lower",
		},
		{
			id: "eval-mode-sorted",
			says: "Batch statistics in evaluation cost accuracy where test batches are not mixed as in training (256, sorted by class).",
			source: "texts 1, 3 and 5",
			metric: "testAccuracy",
			a: { evalStatistics: "sorted-batch", evalBatchSize: 256 },
			b: { evalStatistics: "running" },
			expect: "lower",
		},
		{
			id: "eval-mode-large",
			says: "Batch statistics in evaluation cost accuracy with large, mixed test batches, too (256).",
			source: "texts 1, 3 and 5",
			metric: "testAccuracy",
			a: { evalStatistics: "batch", evalBatchSize: 256 },
			b: { evalStatistics: "running" },
			expect: "lower",
		},
	],
};

/** 0.9 as the weight of the new batch instead of the old statistics. */
export const momentumConvention = {
	name: "momentum-convention",
	title: "Momentum 0.9, read both ways",
	description:
		"The textbooks' momentum of 0.9 is the weight of the old running statistics; PyTorch's momentum is the weight of the new " +
		"batch. Read the wrong way, the running statistics are little more than the last batch's. LeNet at two learning rates and " +
		"two batch sizes.",
	base: { preset: "lenet", norm: "batch", activation: "relu", lrBatch: 256 },
	grid: [
		{ momentum: [0.1, 0.9], lr: [0.1, 1], batchSize: 256, epochs: 3 },
		{ momentum: [0.1, 0.9], lr: 0.1, batchSize: 16, epochs: 1 },
	],
	seeds: 3,
	charts: [{ x: "epoch", y: "testAccuracy", series: ["lr", "momentum"], where: { batchSize: 256 } }],
	claims: [
		{
			id: "momentum-small-batches",
			says: "Momentum 0.9 read as the weight of the new batch costs test accuracy (batches of 16).",
			source: "texts 1 and 5",
			metric: "testAccuracy",
			a: { momentum: 0.9, batchSize: 16 },
			b: { momentum: 0.1, batchSize: 16 },
			expect: "lower",
		},
		{
			id: "momentum-large-batches",
			says: "Momentum 0.9 read as the weight of the new batch costs test accuracy (batches of 256, learning rate 0.1).",
			source: "texts 1 and 5",
			metric: "testAccuracy",
			a: { momentum: 0.9, batchSize: 256, lr: 0.1 },
			b: { momentum: 0.1, batchSize: 256, lr: 0.1 },
			expect: "lower",
		},
		{
			id: "momentum-large-rate",
			says: "Momentum 0.9 read as the weight of the new batch costs test accuracy (batches of 256, learning rate 1).",
			source: "texts 1 and 5",
			metric: "testAccuracy",
			a: { momentum: 0.9, batchSize: 256, lr: 1 },
			b: { momentum: 0.1, batchSize: 256, lr: 1 },
			expect: "lower",
			note: "At such a learning rate running statistics that keep 0.9 of the old lag behind the weights.",
		},
	],
};
