// What Keras's configuration says of a model: its layers in order, what they are, how they were made. The same for
// config.json of .keras files and the attribute model_config of older .h5 files.

import { check } from "../../errors.ts";
import { isObject, parseJson } from "../json.ts";
import { quote } from "../show.ts";

/** A layer of the configuration. */
export interface ConfiguredLayer {
	/** `"Dense"`, `"BatchNormalization"` */
	readonly className: string;
	/** Keras's name for it, `"dense_1"`. */
	readonly name: string;
	/** The name of the layer of the whole model that it is in: its own, or that of a nested model. */
	readonly outermost: string;
	/** Where Keras 3 keeps its variables: `"layers/dense_1"`, `"layers/sequential/layers/dense"`. */
	readonly path: string;
	/** Its `get_config()`. */
	readonly options: Readonly<Record<string, unknown>>;
}

/** A model's configuration. */
export interface ModelConfig {
	/** Layers of nested models are among the others, in their place. */
	readonly layers: readonly ConfiguredLayer[];
	/** Whether each layer reads the one before, and only that. */
	readonly isChain: boolean;
}

/** Deeper than models are nested. */
const DEEPEST = 32;

/**
 * Reads the configuration; null for a model whose layers it does not list: a subclass of `keras.Model`.
 *
 * @throws EvenkeelError if it is not one of Keras
 */
export function parseKerasConfig(text: string, file: string): ModelConfig | null {
	const model = parseJson(text, `${file}: its configuration`);
	check(
		isObject(model) && typeof model.class_name === "string",
		() => `${file}: its configuration is not one of Keras: it has no class_name`,
	);
	if (layersOf(model) === null) return null;
	const layers: ConfiguredLayer[] = [];
	const isChain = walk(model, "", file, layers, 0);
	return { layers, isChain };
}

/** The configurations of a model's layers; those of old Sequential models are the configuration itself. */
function layersOf(model: Record<string, unknown>): unknown[] | null {
	const { class_name: className, config } = model;
	if (className !== "Sequential" && className !== "Functional" && className !== "Model") return null;
	if (Array.isArray(config)) return config;
	return isObject(config) && Array.isArray(config.layers) ? config.layers : null;
}

function walk(
	model: Record<string, unknown>,
	prefix: string,
	file: string,
	found: ConfiguredLayer[],
	depth: number,
	outer?: string,
): boolean {
	check(depth <= DEEPEST, () => `${file}: its models are nested more than ${DEEPEST} deep; the file is damaged`);
	const counts = new Map<string, number>();
	let isChain = model.class_name === "Sequential" || isChained(layersOf(model) ?? []);
	for (const layer of layersOf(model) ?? []) {
		check(
			isObject(layer) && typeof layer.class_name === "string",
			() => `${file}: its configuration has a layer without a class_name; the file is damaged`,
		);
		const className = layer.class_name.replace(/^.*>/, "");
		const options = isObject(layer.config) ? layer.config : {};
		const name = typeof options.name === "string" ? options.name : className;
		const path = `${prefix}layers/${numbered(toSnakeCase(className), counts)}`;
		if (layersOf(layer) !== null) {
			const nested = walk(layer, `${path}/`, file, found, depth + 1, outer ?? name);
			isChain &&= nested;
		} else found.push({ className, name, outermost: outer ?? name, path, options });
	}
	return isChain;
}

/** The name that Keras 3 gives a layer in its file: the class, and a number from the second on (saving_lib.py). */
function numbered(name: string, counts: Map<string, number>): string {
	const count = counts.get(name) ?? 0;
	counts.set(name, count + 1);
	return count === 0 ? name : `${name}_${count}`;
}

/** As Keras's naming.to_snake_case: `Conv2DTranspose` is `conv2d_transpose`. */
export function toSnakeCase(name: string): string {
	return name
		.replace(/\W+/g, "")
		.replace(/(.)([A-Z][a-z]+)/g, "$1_$2")
		.replace(/([a-z])([A-Z])/g, "$1_$2")
		.toLowerCase();
}

/** Whether the layers of a functional model, in order, each read the one before: by the names in `inbound_nodes`. */
function isChained(layers: readonly unknown[]): boolean {
	let before: string | null = null;
	for (const layer of layers) {
		if (!isObject(layer)) return false;
		const options = isObject(layer.config) ? layer.config : {};
		const own = String(layer.name ?? options.name);
		// Keras 3 writes "keras_history":["dense",0,0], older ones [["dense",0,0,{}]].
		const inbound = JSON.stringify(layer.inbound_nodes ?? []).matchAll(/\["([^"]*)",\d+,\d+/g);
		const read = [...inbound].map(([, name]) => name);
		if (before === null ? read.length > 0 : read.length !== 1 || read[0] !== before) return false;
		before = own;
	}
	return true;
}

/** A number of the options, or null. */
export function numberOption(options: Readonly<Record<string, unknown>>, name: string): number | null {
	const value = options[name];
	return typeof value === "number" ? value : null;
}

/** How a layer is called in errors: `Dense "dense_1"`. */
export function labelOf({ className, name }: Pick<ConfiguredLayer, "className" | "name">): string {
	return `${className} ${quote(name)}`;
}

/** The class in a name that Keras gave: `dense` in `layers/dense_1`. */
export function classIn(name: string): string {
	return (name.split("/").at(-1) ?? name).replace(/_\d+$/, "");
}
