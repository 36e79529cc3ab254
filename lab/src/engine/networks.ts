// The twins' networks: LeNet and multilayer perceptrons, with the norm, its place and the activation that were chosen,
// and each layer's name. The same layer has the same name in both twins, with or without norms between.

import { nn, type Shape, scope, zeros } from "evenkeel";
import { Generator } from "evenkeel/random";
import { normOf } from "../../../src/presets/norms.ts";
import type { ActivationName, NetworkName, TwinSettings } from "../settings/settings.ts";
import type { LayerInfo, LayerKind } from "./protocol.ts";

/** A network, and its layers in the order in which they run. */
export interface Network {
	readonly net: nn.Sequential;
	readonly layers: readonly LayerInfo[];
}

const activationLayers: Record<ActivationName, () => nn.Module> = {
	sigmoid: () => new nn.Sigmoid(),
	tanh: () => new nn.Tanh(),
	relu: () => new nn.ReLU(),
	"leaky-relu": () => new nn.LeakyReLU(),
	gelu: () => new nn.GELU(),
	silu: () => new nn.SiLU(),
};

/** A layer, what it is, and the number of its block. */
interface Named {
	readonly module: nn.Module;
	readonly kind: LayerKind;
	readonly name: string;
}

/**
 * Builds a twin. The weights come from the default generator, which depends on the seed alone: seed it first. Norms draw
 * nothing, so twins that differ in them only start from the same weights.
 *
 * @param shape of one example, `[1, 28, 28]` or `[features]`
 */
export function buildNetwork(
	kind: NetworkName,
	twin: TwinSettings,
	shape: readonly number[],
	classes: number,
	seed: number,
): Network {
	const blocks = new Blocks(twin, seed);
	const named = kind === "lenet" ? lenet(blocks, shape, classes) : mlp(blocks, twin, shape, classes);
	const net = new nn.Sequential(...named.map(({ module }) => module));
	for (const { module, kind: layer } of named) if (layer === "conv" || layer === "linear") rescale(module, twin.scale);
	return { net, layers: describe(net, named, shape) };
}

/** What comes after the weights of a hidden layer: norm, activation and dropout, in the order chosen. */
class Blocks {
	readonly #twin: TwinSettings;
	readonly #seed: number;
	#count = 0;

	constructor(twin: TwinSettings, seed: number) {
		this.#twin = twin;
		this.#seed = seed;
	}

	channels(kind: "conv", module: nn.Module, count: number): Named[] {
		return this.#block(kind, module, normOf(this.#twin).channels(count), 0);
	}

	features(kind: "linear", module: nn.Module, count: number): Named[] {
		return this.#block(kind, module, normOf(this.#twin).features(count), this.#twin.dropout);
	}

	#block(kind: LayerKind, module: nn.Module, norms: readonly nn.Module[], dropout: number): Named[] {
		const number = ++this.#count;
		const { activation, place } = this.#twin;
		const norm = norms.map((layer): Named => ({ module: layer, kind: "norm", name: `norm${number}` }));
		const active: Named = {
			module: activationLayers[activation](),
			kind: "activation",
			name: `${activation.replace("-", "")}${number}`,
		};
		const block: Named[] = [
			{ module, kind, name: `${kind}${number}` },
			...(place === "before" ? [...norm, active] : [active, ...norm]),
		];
		if (dropout > 0) {
			// A generator of its own: the twins draw the same numbers, however they take turns.
			const generator = new Generator(this.#seed).fork(`dropout ${number}`);
			block.push({ module: new nn.Dropout(dropout, { generator }), kind: "dropout", name: `dropout${number}` });
		}
		return block;
	}

	/** The last layer, which gives the logits. */
	output(inputs: number, classes: number): Named {
		return { module: new nn.Linear(inputs, classes), kind: "linear", name: `linear${++this.#count}` };
	}
}

/** LeNet-5 as the preset `lenet-bn` has it, for images of any size from 16 x 16. */
function lenet(blocks: Blocks, [channels, height, width]: readonly number[], classes: number): Named[] {
	const after = (length: number): number => Math.floor((Math.floor((length - 4) / 2) - 4) / 2);
	const flat = 16 * after(height) * after(width);
	return [
		...blocks.channels("conv", new nn.Conv2d(channels, 6, 5), 6),
		{ module: new nn.AvgPool2d(2), kind: "pool", name: "pool1" },
		...blocks.channels("conv", new nn.Conv2d(6, 16, 5), 16),
		{ module: new nn.AvgPool2d(2), kind: "pool", name: "pool2" },
		{ module: new nn.Flatten(), kind: "flatten", name: "flatten" },
		...blocks.features("linear", new nn.Linear(flat, 120), 120),
		...blocks.features("linear", new nn.Linear(120, 84), 84),
		blocks.output(84, classes),
	];
}

function mlp(blocks: Blocks, { depth, width }: TwinSettings, shape: readonly number[], classes: number): Named[] {
	const inputs = shape.reduce((a, b) => a * b, 1);
	const layers: Named[] = shape.length > 1 ? [{ module: new nn.Flatten(), kind: "flatten", name: "flatten" }] : [];
	for (let i = 0; i < depth; i++) {
		layers.push(...blocks.features("linear", new nn.Linear(i === 0 ? inputs : width, width), width));
	}
	return [...layers, blocks.output(width, classes)];
}

function rescale(module: nn.Module, scale: number): void {
	if (scale === 1) return;
	for (const [name, parameter] of module.namedParameters()) {
		if (!name.endsWith("weight")) continue;
		const values = parameter.view();
		for (let i = 0; i < parameter.size; i++) values[i] *= scale;
		parameter.storage.version++;
	}
}

function describe(net: nn.Sequential, named: readonly Named[], shape: readonly number[]): LayerInfo[] {
	const rows = scope(() => nn.summary(net, zeros([1, ...shape])));
	const shapes = new Map<string, Shape>(rows.map(({ name, outputShape }) => [name.split(".")[0], outputShape]));
	return named.map(({ module, kind, name }, index) => ({
		path: String(index),
		name,
		type: module.constructor.name,
		kind,
		shape: (shapes.get(String(index)) ?? [1]).slice(1),
		parameters: nn.countParameters(module),
	}));
}
