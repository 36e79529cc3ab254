// What can be chosen, and what it is unless chosen. Everything here is in the page's address.

/** The normalizations, by the names that `evenkeel train --norm` knows. */
export const norms = ["none", "batch", "layer", "group", "instance", "switchable", "rms", "renorm", "frn"] as const;
export type NormName = (typeof norms)[number];

export const activations = ["sigmoid", "tanh", "relu", "leaky-relu", "gelu", "silu"] as const;
export type ActivationName = (typeof activations)[number];

/** Where the norm stands: before or after the activation. */
export const places = ["before", "after"] as const;
export type Place = (typeof places)[number];

export const optimizers = ["sgd", "momentum", "adam"] as const;
export type OptimizerName = (typeof optimizers)[number];

export const networks = ["lenet", "mlp"] as const;
export type NetworkName = (typeof networks)[number];

/** `fashion`: the sample of 6,000 images; `fashion-full`: all 60,000, if the server has them; the four sets in the plane; one's own. */
export const dataKinds = ["fashion", "fashion-full", "circles", "moons", "spirals", "xor", "csv", "images"] as const;
export type DataKind = (typeof dataKinds)[number];

/** The sets whose examples are points in the plane. */
export const planeKinds: readonly DataKind[] = ["circles", "moons", "spirals", "xor"];

/** The examples. */
export interface DataSettings {
	readonly kind: DataKind;
	/** For the sets in the plane: how far points stray, 0 to 0.5. */
	readonly noise: number;
}

/** One network and how it is trained. */
export interface TwinSettings {
	/** Off: the other is trained alone, and faster. */
	readonly on: boolean;
	readonly norm: NormName;
	readonly place: Place;
	readonly activation: ActivationName;
	/** Groups of group norm. */
	readonly groups: number;
	/** Of an MLP: hidden layers. */
	readonly depth: number;
	/** Of an MLP: units of each hidden layer. */
	readonly width: number;
	readonly optimizer: OptimizerName;
	readonly lr: number;
	readonly batchSize: number;
	/** What the initial weights are multiplied by. */
	readonly scale: number;
	/** The share of the hidden units that is dropped. */
	readonly dropout: number;
}

/** An experiment. */
export interface Settings {
	readonly data: DataSettings;
	readonly network: NetworkName;
	/** Of the weights, the order of the examples, the points of the plane, and dropout. */
	readonly seed: number;
	/** Steps after which to pause; 0: none. */
	readonly steps: number;
	readonly a: TwinSettings;
	readonly b: TwinSettings;
}

const twin: TwinSettings = {
	on: true,
	norm: "batch",
	place: "before",
	activation: "sigmoid",
	groups: 4,
	depth: 4,
	width: 64,
	optimizer: "sgd",
	lr: 1,
	batchSize: 256,
	scale: 1,
	dropout: 0,
};

/** The first thing that a visitor sees: LeNet at learning rate 1.0, with batch normalization and without. */
export const defaults: Settings = {
	data: { kind: "fashion", noise: 0.1 },
	network: "lenet",
	seed: 1,
	steps: 480,
	a: twin,
	b: { ...twin, norm: "none" },
};

/** The least and most that numbers may be; `whole` ones have no fraction. */
export const ranges = {
	noise: { least: 0, most: 0.5, whole: false },
	seed: { least: 0, most: 999_999, whole: true },
	steps: { least: 0, most: 1_000_000, whole: true },
	groups: { least: 1, most: 64, whole: true },
	depth: { least: 1, most: 20, whole: true },
	width: { least: 2, most: 512, whole: true },
	lr: { least: 1e-6, most: 100, whole: false },
	batchSize: { least: 1, most: 4096, whole: true },
	scale: { least: 0.001, most: 100, whole: false },
	dropout: { least: 0, most: 0.9, whole: false },
} as const;

/** Whether the examples are points in the plane. */
export function isPlane(settings: Settings): boolean {
	return planeKinds.includes(settings.data.kind);
}

/** Whether the examples are images, which convolutions need. */
export function hasImages({ data }: Settings): boolean {
	return data.kind === "fashion" || data.kind === "fashion-full" || data.kind === "images";
}

/** The nearest settings that go together: LeNet needs images, and one twin at least is on. */
export function reconcile(settings: Settings): Settings {
	let settled = settings;
	if (settled.network === "lenet" && !hasImages(settled)) settled = { ...settled, network: "mlp" };
	if (!settled.a.on && !settled.b.on) settled = { ...settled, b: { ...settled.b, on: true } };
	return settled;
}
