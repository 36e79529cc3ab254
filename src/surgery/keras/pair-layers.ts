// Which layer of the file is which layer of the network. Both are in order, so the first goes with the first, where the
// orders can be trusted; where layers could be exchanged for one another unseen, they must be named.

import { check, EvenkeelError } from "../../errors.ts";
import { classIn, toSnakeCase } from "../../model-files/keras/config.ts";
import type { KerasLayer, KerasWeights } from "../../model-files/keras/weights.ts";
import { Sequential } from "../../nn/containers.ts";
import type { Module } from "../../nn/module.ts";
import { formatShape } from "../../tensor/shape.ts";
import type { ObservedLayer } from "./feature-order.ts";
import { type Kind, kinds, type Pair } from "./kinds.ts";

/** A layer of the network that has parameters or statistics. */
interface OwnLayer {
	readonly name: string;
	readonly module: Module;
	readonly kind: Kind;
	readonly observed: ObservedLayer | null;
}

interface GivenLayer {
	readonly keras: KerasLayer;
	readonly kind: Kind;
}

/**
 * Pairs every layer of `weights` with one of `net`.
 *
 * @param named the network's layers by Keras's names, where the caller says them
 * @throws EvenkeelError if a layer on either side has no counterpart, or which it is cannot be known
 */
export function pairLayers(
	net: Module,
	weights: KerasWeights,
	observed: readonly ObservedLayer[] | null,
	named: Readonly<Record<string, string>> | undefined,
): (Pair & { readonly kind: Kind })[] {
	const own = ownLayers(net, observed);
	const given = weights.layers.map((keras): GivenLayer => ({ keras, kind: kindOf(keras, weights.file) }));
	if (named) return pairNamed(own, given, named, weights.file);
	const pairs = weights.isOrdered ? pairInOrder(own, given, weights.file) : pairByKind(own, given, weights.file);
	// A model that branches may list its layers in another order than the network runs them, one of the user's own class
	// lists them by the names of its attributes.
	const isListed = weights.isOrdered || given.every(({ keras, kind }) => kind.classes.includes(classIn(keras.path)));
	const sure = weights.config ? weights.config.isChain : isListed && isChain(net);
	if (!sure) checkExchangeable(given, weights.file);
	return pairs;
}

function ownLayers(net: Module, observed: readonly ObservedLayer[] | null): OwnLayer[] {
	const byModule = new Map(observed?.map((layer) => [layer.module, layer]));
	const placed = observed
		? observed.map(({ name, module }): [string, Module] => [name, module])
		: [...net.namedModules()].filter(([, module]) => module.namedChildren().next().done);
	return [...new Map(placed.map(([name, module]) => [module, name]))].flatMap(([module, name]): OwnLayer[] => {
		if (Object.keys(module.stateDict()).length === 0) return [];
		const kind = kinds.find(({ holds }) => holds(module));
		check(
			kind,
			() => `${module.label}: Keras has no layer of its kind; only ${ourKinds} can be loaded from Keras's files`,
		);
		return [{ name, module, kind, observed: byModule.get(module) ?? null }];
	});
}

const ourKinds = "Linear, Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d, BatchNorm, LayerNorm and GroupNorm";

function kindOf(keras: KerasLayer, file: string): Kind {
	const kind = kinds.find(({ classes }) => classes.includes(toSnakeCase(keras.className)));
	check(
		kind,
		() =>
			`${file}: layer "${keras.name}" is of Keras's class ${keras.className}, for which there is nothing here; ` +
			`there is for ${kinds.flatMap(({ classes }) => classes).join(", ")}`,
	);
	return kind;
}

function pairNamed(
	own: readonly OwnLayer[],
	given: readonly GivenLayer[],
	named: Readonly<Record<string, string>>,
	file: string,
): (Pair & { readonly kind: Kind })[] {
	const left = new Map(own.map((layer) => [layer.name, layer]));
	const pairs = given.map(({ keras, kind }) => {
		const name = named[keras.name] ?? named[keras.path];
		check(name !== undefined, () => `${file}: layers does not say which layer "${keras.name}" is; ${listOf(own)}`);
		const layer = left.get(name);
		check(layer, () => `${file}: layers says "${keras.name}" is "${name}", which is none or taken; ${listOf(own)}`);
		check(layer.kind === kind, () => mismatch({ keras, kind }, layer, file));
		left.delete(name);
		return { keras, kind, module: layer.module, observed: layer.observed };
	});
	check(
		left.size === 0,
		() => `${file}: there are no weights for ${[...left.values()].map(({ module }) => module.label).join(", ")}`,
	);
	return pairs;
}

function pairInOrder(
	own: readonly OwnLayer[],
	given: readonly GivenLayer[],
	file: string,
): (Pair & { readonly kind: Kind })[] {
	const pairs = given.slice(0, own.length).map((layer, i) => {
		check(layer.kind === own[i].kind, () => mismatch(layer, own[i], file));
		return { ...layer, module: own[i].module, observed: own[i].observed };
	});
	checkCounts(own, given, file);
	return pairs;
}

/** Without a configuration only the layers of one class are in order: the first dense goes with the first linear. */
function pairByKind(
	own: readonly OwnLayer[],
	given: readonly GivenLayer[],
	file: string,
): (Pair & { readonly kind: Kind })[] {
	checkCounts(own, given, file);
	return kinds.flatMap((kind) => {
		const [ours, theirs] = [own.filter((layer) => layer.kind === kind), given.filter((layer) => layer.kind === kind)];
		const classes = new Set(theirs.map(({ keras }) => keras.className));
		check(
			classes.size <= 1,
			() =>
				`${file}: without a configuration the order of ${[...classes].join(" and ")} among themselves is not known; give the .keras file, or { layers }`,
		);
		check(
			ours.length === theirs.length,
			() => `${file}: it has ${theirs.length} layers of ${kind.classes[0]}, and the network ${ours.length}`,
		);
		return theirs.map((layer, i) => ({ ...layer, module: ours[i].module, observed: ours[i].observed }));
	});
}

function checkCounts(own: readonly OwnLayer[], given: readonly GivenLayer[], file: string): void {
	check(
		own.length === given.length,
		() =>
			`${file}: it has weights for ${given.length} layers, and the network ${own.length} with weights: ` +
			`${shortList(given.map(({ keras }) => keras.name))} there, ${shortList(own.map(({ module }) => module.label))} here`,
	);
}

function shortList(names: readonly string[]): string {
	return names.length <= 12 ? names.join(", ") : `${names.slice(0, 12).join(", ")} and ${names.length - 12} more`;
}

function mismatch({ keras }: GivenLayer, { module }: OwnLayer, file: string): string {
	const shapes = keras.variables.map(({ shape }) => formatShape(shape)).join(", ");
	return `${file}: layer "${keras.name}" (${keras.className}, ${shapes}) comes where the network has ${module.label}; is this the network that the file is of?`;
}

function listOf(own: readonly OwnLayer[]): string {
	return `the network has ${own.map(({ name, module }) => `"${name}" (${module.constructor.name})`).join(", ")}`;
}

/** Whether the network runs its layers one after the other, each on the output of the one before. */
function isChain(net: Module): boolean {
	return net.modules().every((module) => module.namedChildren().next().done || module instanceof Sequential);
}

/** Throws if two layers of a kind have the same shapes, so that nothing would show if they were exchanged. */
function checkExchangeable(given: readonly GivenLayer[], file: string): void {
	const seen = new Map<string, string>();
	for (const { keras, kind } of given) {
		const key = `${kind.classes[0]} ${keras.variables.map(({ shape }) => formatShape(shape)).join()}`;
		const other = seen.get(key);
		if (other !== undefined) {
			throw new EvenkeelError(
				`${file}: "${other}" and "${keras.name}" have the same shapes, and the model is no plain chain of layers, so which is which cannot be known; ` +
					`say it: { layers: { "${other}": "…", … } }`,
			);
		}
		seen.set(key, keras.name);
	}
}
