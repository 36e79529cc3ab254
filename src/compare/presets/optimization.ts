// Comparisons about training itself: how fast, how large a step, from which start, and why.

/** An activation as sentences call it. */
const shown = (activation: string): string => (activation === "relu" ? "ReLU" : activation);

/** Larger learning rates. */
export const learningRate = {
	name: "learning-rate",
	title: "Learning rates with and without batch normalization",
	description:
		"LeNet with ReLU, two epochs at learning rates over two and a half decades. Claims about final figures compare each " +
		"network at the learning rate that suits it best.",
	base: { preset: "lenet", activation: "relu", epochs: 2, batchSize: 256 },
	grid: { norm: ["none", "batch"], lr: [0.01, 0.03, 0.1, 0.3, 1, 3] },
	seeds: 4,
	charts: [{ x: "lr", y: "testAccuracy" }],
	claims: [
		{
			id: "larger-learning-rates",
			says: "Batch normalization allows larger learning rates.",
			source: "texts 1 and 3",
			metric: "trainAccuracy",
			a: { norm: "batch" },
			b: { norm: "none" },
			expect: "higher",
			reduce: "largest",
			over: "lr",
			threshold: 0.5,
			note: "The figure is the largest learning rate of the sweep at which a network still learns.",
		},
		{
			id: "range-of-learning-rates",
			says: "With batch normalization more learning rates work.",
			source: "texts 1 and 3",
			metric: "trainAccuracy",
			a: { norm: "batch" },
			b: { norm: "none" },
			expect: "higher",
			reduce: "works",
			over: "lr",
			threshold: 0.5,
		},
		{
			id: "better-at-its-best-rate",
			says: "Batch normalization gets further in as many epochs, each network at its best learning rate.",
			source: "text 1",
			metric: "trainAccuracy",
			a: { norm: "batch" },
			b: { norm: "none" },
			expect: "higher",
			reduce: "best",
			over: "lr",
		},
	],
};

/** Sensitivity to initialization. */
export const initialScale = {
	name: "initial-scale",
	title: "The scale of the first weights",
	description:
		"LeNet with ReLU at learning rate 0.1, its first weights multiplied by a factor from 0.1 to 10. Two epochs.",
	base: { preset: "lenet", activation: "relu", epochs: 2, batchSize: 256, lr: 0.1 },
	grid: { norm: ["none", "batch"], initialScale: [0.1, 0.3, 1, 3, 10] },
	seeds: 3,
	charts: [{ x: "initialScale", y: "trainAccuracy" }],
	claims: [
		{
			id: "less-sensitive-to-initialization",
			says: "Batch normalization makes training less sensitive to the initialization.",
			source: "text 3",
			metric: "trainAccuracy",
			a: { norm: "batch" },
			b: { norm: "none" },
			expect: "lower",
			reduce: "range",
			over: "initialScale",
			note: "The figure is the difference between the best and the worst scale; the smaller, the less it matters.",
		},
		{
			id: "scales-that-train",
			says: "With batch normalization a network trains from more initial scales.",
			source: "text 3",
			metric: "trainAccuracy",
			a: { norm: "batch" },
			b: { norm: "none" },
			expect: "higher",
			reduce: "works",
			over: "initialScale",
			threshold: 0.5,
		},
	],
};

/** Convergence and the accuracy it ends at. */
export const convergence = {
	name: "convergence",
	title: "Convergence with and without batch normalization",
	description:
		"LeNet as the text has it (sigmoid, learning rate 1.0), and the same with ReLU at learning rate 0.1: epochs until the " +
		"test accuracy first reaches 85%, and where it stands after eight.",
	base: { preset: "lenet", epochs: 8, batchSize: 256 },
	grid: [
		{ activation: "sigmoid", lr: 1, norm: ["none", "batch"] },
		{ activation: "relu", lr: 0.1, norm: ["none", "batch"] },
	],
	seeds: 5,
	target: 0.85,
	charts: [
		{
			x: "epoch",
			y: "testAccuracy",
			series: ["norm"],
			where: { activation: "sigmoid" },
			title: "Sigmoid, learning rate 1",
		},
		{
			x: "epoch",
			y: "testAccuracy",
			series: ["norm"],
			where: { activation: "relu" },
			title: "ReLU, learning rate 0.1",
		},
		{ x: "epoch", y: "loss", series: ["activation", "norm"], title: "Training loss" },
	],
	claims: [
		{
			id: "faster-convergence-sigmoid",
			says: "Batch normalization speeds up convergence (LeNet with sigmoids).",
			source: "texts 1 and 5",
			metric: "epochsTo",
			a: { activation: "sigmoid", norm: "batch" },
			b: { activation: "sigmoid", norm: "none" },
			expect: "lower",
			note: "A run that never gets there counts as one epoch more than there were.",
		},
		{
			id: "faster-convergence-relu",
			says: "Batch normalization speeds up convergence (LeNet with ReLU).",
			source: "texts 1 and 5",
			metric: "epochsTo",
			a: { activation: "relu", norm: "batch" },
			b: { activation: "relu", norm: "none" },
			expect: "lower",
			note: "Without it, sigmoids saturate; ReLU is the harder test.",
		},
		{
			id: "accuracy-unchanged-relu",
			says: "Batch normalization usually does not change the accuracy in the end (ReLU, best epoch of eight, within one point).",
			source: "text 5",
			metric: "bestTestAccuracy",
			a: { activation: "relu", norm: "batch" },
			b: { activation: "relu", norm: "none" },
			expect: "same",
			margin: 0.01,
		},
		{
			id: "better-final-accuracy-relu",
			says: "Batch normalization ends at a better accuracy (ReLU, best epoch of eight).",
			source: "text 1",
			metric: "bestTestAccuracy",
			a: { activation: "relu", norm: "batch" },
			b: { activation: "relu", norm: "none" },
			expect: "higher",
		},
		{
			id: "stability",
			says: "Batch normalization makes training more stable (the test accuracy changes less from one epoch to the next; ReLU).",
			source: "text 1",
			metric: "wander",
			a: { activation: "relu", norm: "batch" },
			b: { activation: "relu", norm: "none" },
			expect: "lower",
			note: "At the end of an epoch the running statistics lag behind the weights, which evaluation then shows.",
		},
	],
};

/** Why it works: internal covariate shift against the smoothness of the loss. */
export const dynamics = {
	name: "dynamics",
	title: "Internal covariate shift and the smoothness of the loss",
	description:
		"What one step does to LeNet, measured some twelve times an epoch after Santurkar et al. 2018: how far the update of " +
		"the layers below moves a layer's gradient, how far it shifts what the activations see, and how much loss and gradient " +
		"vary along the step. One epoch at the same learning rate with and without batch normalization.",
	base: { preset: "lenet", epochs: 1, batchSize: 256 },
	grid: { activation: ["sigmoid", "relu"], lr: [0.03, 0.1, 0.3], norm: ["none", "batch"] },
	seeds: 3,
	measure: ["dynamics"],
	charts: [
		{ x: "lr", y: "covariateShift", series: ["activation", "norm"] },
		{ x: "lr", y: "activationShift", series: ["activation", "norm"] },
		{ x: "lr", y: "lossRange", series: ["activation", "norm"] },
		{ x: "lr", y: "gradientChange", series: ["activation", "norm"] },
	],
	claims: [
		...["sigmoid", "relu"].map((activation) => ({
			id: `covariate-shift-${activation}`,
			says: `Batch normalization reduces internal covariate shift (a layer's gradient moves less when the layers below are updated; ${shown(activation)}).`,
			source: "text 1",
			metric: "covariateShift",
			a: { norm: "batch", activation, lr: 0.1 },
			b: { norm: "none", activation, lr: 0.1 },
			expect: "lower",
			note:
				"Santurkar et al. 2018 found that it does not, and that it helps all the same." +
				(activation === "sigmoid" ? " Without it this network hardly moves at all at this learning rate." : ""),
		})),
		{
			id: "activation-shift",
			says: "Batch normalization holds the distribution of activations still (mean shift of a unit's input over one step; ReLU).",
			source: "text 1",
			metric: "activationShift",
			a: { norm: "batch", activation: "relu", lr: 0.1 },
			b: { norm: "none", activation: "relu", lr: 0.1 },
			expect: "lower",
			note: "Of the inputs of activations, which here are the outputs of the norms: their means are the norms' own shifts.",
		},
		{
			id: "smoother-loss",
			says: "Batch normalization makes the loss smoother along the gradient (the gradient changes less for the distance moved; ReLU).",
			source: "Santurkar et al. 2018",
			metric: "smoothness",
			a: { norm: "batch", activation: "relu", lr: 0.1 },
			b: { norm: "none", activation: "relu", lr: 0.1 },
			expect: "lower",
		},
		{
			id: "predictive-gradients",
			says: "Batch normalization makes the gradient a better guide to what lies ahead (it changes less over a step; ReLU).",
			source: "Santurkar et al. 2018",
			metric: "gradientChange",
			a: { norm: "batch", activation: "relu", lr: 0.1 },
			b: { norm: "none", activation: "relu", lr: 0.1 },
			expect: "lower",
		},
		{
			id: "lower-layers-keep-up",
			says: "Without batch normalization the lower layers move slowly beside the upper ones; with it they keep up (sigmoid).",
			source: "text 5",
			metric: "lowerRate",
			a: { norm: "batch", activation: "sigmoid", lr: 0.1 },
			b: { norm: "none", activation: "sigmoid", lr: 0.1 },
			expect: "higher",
		},
	],
};

/** Vanishing and exploding gradients. */
export const depth = {
	name: "depth",
	title: "Deep networks: gradients that vanish or explode",
	description:
		"Fully connected networks of 2, 6 and 12 hidden layers of 64 units. The decay is measured before training: by how many " +
		"powers of ten the first layer's gradient is smaller, or larger, than the last's.",
	base: { preset: "mlp-bn", width: 64, epochs: 1, batchSize: 256 },
	grid: { activation: ["sigmoid", "relu"], depth: [2, 6, 12], norm: ["none", "batch"] },
	seeds: 3,
	measure: ["dynamics"],
	charts: [
		{ x: "depth", y: "gradientDecay", series: ["activation", "norm"] },
		{ x: "depth", y: "trainAccuracy", series: ["activation", "norm"] },
	],
	claims: [
		...["sigmoid", "relu"].map((activation) => ({
			id: `gradients-${activation}`,
			says: `Batch normalization prevents vanishing and exploding gradients (12 hidden layers, ${shown(activation)}, before training).`,
			source: "text 2",
			metric: "gradientDecay",
			a: { norm: "batch", activation, depth: 12 },
			b: { norm: "none", activation, depth: 12 },
			expect: "lower",
		})),
		...["sigmoid", "relu"].map((activation) => ({
			id: `deep-${activation}`,
			says: `Batch normalization lets deep networks train (12 hidden layers, ${shown(activation)}, accuracy over the first epoch).`,
			source: "text 2",
			metric: "trainAccuracy",
			a: { norm: "batch", activation, depth: 12 },
			b: { norm: "none", activation, depth: 12 },
			expect: "higher",
		})),
	],
};
