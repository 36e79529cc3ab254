// The weights that Keras wrote, layer by layer, each variable by its name. Three kinds of file hold them:
// .keras (an archive of config.json and model.weights.h5), .weights.h5 (Keras 3: numbered variables), and .h5 of
// Keras 2 and before (named variables).
//
// Layouts: keras/src/saving/saving_lib.py and keras/src/legacy/saving/legacy_h5_format.py of Keras 3.

import { check } from "../../errors.ts";
import { type ByteSource, bytesInMemory, FileSource } from "../byte-source.ts";
import { type Hdf5Dataset, type Hdf5Group, isHdf5, readHdf5 } from "../hdf5/file.ts";
import type { StoredTensor } from "../safetensors/stored-tensor.ts";
import { quote } from "../show.ts";
import { isZip, readZip } from "../zip.ts";
import { type ConfiguredLayer, classIn, type ModelConfig, parseKerasConfig } from "./config.ts";
import { isKnownClass, variableNames } from "./variables.ts";

/** A variable of a layer. */
export interface KerasVariable {
	/** `"kernel"`, `"gamma"`; null where the file has numbers only, and they were not told apart. */
	readonly name: string | null;
	readonly shape: readonly number[];
	/** Its values, read now if they are on the disk. */
	read(): StoredTensor;
}

/** A layer that has variables. */
export interface KerasLayer {
	/** Where it is in the file: `"layers/dense_1"`, or `"dense_1"` in older files. */
	readonly path: string;
	/** Keras's name for it, as `model.summary()` shows it; where the file does not say, its path. */
	readonly name: string;
	/** Keras's class, `"Dense"`; where only the file's names tell, in their spelling, `"dense"`. */
	readonly className: string;
	/** Its `get_config()`; null where the file has no configuration. */
	readonly options: Readonly<Record<string, unknown>> | null;
	/** In Keras's order. */
	readonly variables: readonly KerasVariable[];
}

/** The weights of a Keras model. */
export interface KerasWeights extends Disposable {
	/** The file, for errors. */
	readonly file: string;
	readonly layers: readonly KerasLayer[];
	/** Whether `layers` are in the model's order; else, only those of one class are, among themselves. */
	readonly isOrdered: boolean;
	/** The configuration, where the file has one. */
	readonly config: ModelConfig | null;
	/** Closes the file. */
	close(): void;
}

/**
 * Reads what Keras wrote: `.keras`, `.weights.h5`, or the `.h5` of Keras 2. Of a file on the disk only its structure
 * comes into memory, until variables are read.
 *
 * @param from the file's path, or its bytes
 * @throws EvenkeelError if it is no such file, damaged, or holds what is not read here
 */
export function readKerasWeights(from: string | Uint8Array): KerasWeights {
	if (typeof from !== "string") return { ...parse(bytesInMemory(from, "Keras file")), ...closing(() => {}) };
	const source = new FileSource(from);
	try {
		return { ...parse(source), ...closing(() => source.close()) };
	} catch (error) {
		source.close();
		throw error;
	}
}

function closing(close: () => void): Pick<KerasWeights, "close" | typeof Symbol.dispose> {
	return { close, [Symbol.dispose]: close };
}

type Parsed = Omit<KerasWeights, "close" | typeof Symbol.dispose>;

function parse(source: ByteSource): Parsed {
	const file = source.name;
	if (isZip(source)) return parseArchive(source);
	check(
		isHdf5(source),
		() => `${file}: not a file of Keras's weights: neither an archive (.keras) nor HDF5 (.weights.h5, .h5)`,
	);
	const root = readHdf5(source);
	const legacy = root.groups.get("model_weights") ?? root;
	const names = attributeInParts(legacy, "layer_names");
	if (names === null) return { file, ...numberedLayers(root, null, file), config: null };
	const text = root.text("model_config");
	const config = text === null ? null : parseKerasConfig(text, file);
	return { file, layers: namedLayers(legacy, names, config, file), isOrdered: true, config };
}

function parseArchive(source: ByteSource): Parsed {
	const file = source.name;
	const entries = readZip(source, (name) => name === "config.json" || name.startsWith("model.weights."));
	const text = entries.get("config.json");
	check(text, () => `${file}: the archive has no config.json; it is not one of Keras`);
	const config = parseKerasConfig(new TextDecoder().decode(text.read(0, text.size)), file);
	const weights = entries.get("model.weights.h5");
	check(
		weights,
		() =>
			`${file}: the archive has no model.weights.h5 (it has ${[...entries.keys()].map(quote).join(", ")}); save it with model.save("model.keras")`,
	);
	return { file, ...numberedLayers(readHdf5(weights), config, file), config };
}

/** The texts of an attribute; older Keras cuts long ones into `name0`, `name1`, … */
function attributeInParts(group: Hdf5Group, name: string): string[] | null {
	const whole = group.texts(name);
	if (whole !== null) return whole;
	const parts: string[] = [];
	for (let i = 0; ; i++) {
		const part = group.texts(`${name}${i}`);
		if (part === null) return i === 0 ? null : parts;
		parts.push(...part);
	}
}

// Files of Keras 2: each layer's group lists the names of its variables.

function namedLayers(
	root: Hdf5Group,
	names: readonly string[],
	config: ModelConfig | null,
	file: string,
): KerasLayer[] {
	const found = names.flatMap((name) => {
		const group = root.groups.get(name);
		check(group, () => `${file}: layer ${quote(name)} is listed and not there; the file is damaged`);
		const owners = variablesByOwner(group, file);
		return [...owners].map(([owner, variables]): [ConfiguredLayer | null, KerasLayer] => {
			const own = owner.split("/").at(-1) ?? name;
			const known =
				config?.layers.find((one) => one.outermost === name && (one.name === own || owners.size === 1)) ?? null;
			return [
				known,
				layer(owners.size === 1 ? name : `${name}/${owner}`, known, owners.size === 1 ? name : own, variables),
			];
		});
	});
	// A model within the model lists what is trained first, so its layers may be out of order.
	const place = ([known]: [ConfiguredLayer | null, KerasLayer]) =>
		known && config ? config.layers.indexOf(known) : -1;
	const sorted = found.every(([known]) => known) ? found.sort((a, b) => place(a) - place(b)) : found;
	return sorted.map(([, one]) => one);
}

/** The variables of a group; those of a model within the model are together, and what stands before the names tells them apart. */
function variablesByOwner(group: Hdf5Group, file: string): Map<string, KerasVariable[]> {
	const owners = new Map<string, KerasVariable[]>();
	for (const path of attributeInParts(group, "weight_names") ?? []) {
		const dataset = group.dataset(path);
		check(dataset, () => `${file}: variable ${quote(path)} is listed and not there; the file is damaged`);
		const parts = path.replace(/:\d+$/, "").split("/");
		const owner = parts.slice(0, -1).join("/");
		owners.set(owner, [...(owners.get(owner) ?? []), variable(parts[parts.length - 1], dataset)]);
	}
	return owners;
}

function variable(name: string | null, dataset: Hdf5Dataset): KerasVariable {
	return { name, shape: dataset.shape, read: () => dataset.read() };
}

function layer(
	path: string,
	known: ConfiguredLayer | null,
	name: string,
	variables: readonly KerasVariable[],
): KerasLayer {
	const className = known?.className ?? classIn(path);
	return { path, name: known?.name ?? name, className, options: known?.options ?? null, variables };
}

// Files of Keras 3: the variables of each layer are numbered in a group called vars.

/** What is beside the layers: the optimizer's, metrics', and random generators' own variables. */
const besides = new Set(["optimizer", "metrics", "compile_metrics", "loss_tracker", "seed_generator"]);

interface NumberedGroup {
	readonly path: string;
	readonly vars: Hdf5Group;
}

function numberedLayers(
	root: Hdf5Group,
	config: ModelConfig | null,
	file: string,
): Pick<KerasWeights, "layers" | "isOrdered"> {
	const groups = [...groupsWithVars(root, "")];
	check(
		groups.length > 0 || root.groups.has("layers") || root.groups.has("vars"),
		() =>
			`${file}: there are no layers of Keras in this HDF5 file; it has ${[...root.groups.keys()].map(quote).join(", ") || "nothing"}`,
	);
	if (!config)
		return { layers: groups.map((group) => numberedLayer(group, null, file)).sort(byNumber), isOrdered: false };
	const byPath = new Map(groups.map((group) => [group.path, group]));
	const layers: KerasLayer[] = [];
	for (const known of config.layers) {
		// Keras 2.13 called the layers so.
		const older = known.path.replace("layers/", "_layer_checkpoint_dependencies/");
		const group = byPath.get(known.path) ?? byPath.get(older);
		if (!group) continue;
		byPath.delete(group.path);
		const name = group.vars.text("name");
		check(
			name === null || name === known.name,
			() =>
				`${file}: the weights of ${quote(known.path)} are those of ${quote(name ?? "")}, and config.json has ${quote(known.name)} there; save the model again`,
		);
		layers.push(numberedLayer(group, known, file));
	}
	// Layers within layers of other kinds: what uses them says what they are, or that they are unknown.
	const others = [...byPath.values()].map((group) => numberedLayer(group, null, file));
	return { layers: [...layers, ...others], isOrdered: others.length === 0 };
}

function* groupsWithVars(group: Hdf5Group, path: string): Generator<NumberedGroup> {
	const vars = group.groups.get("vars");
	if (vars && vars.datasets.size > 0 && path !== "") yield { path, vars };
	for (const [name, member] of group.groups) {
		if (name === "vars" || besides.has(name)) continue;
		yield* groupsWithVars(member, path === "" ? name : `${path}/${name}`);
	}
}

function numberedLayer({ path, vars }: NumberedGroup, known: ConfiguredLayer | null, file: string): KerasLayer {
	const datasets = [...vars.datasets].sort(([a], [b]) => Number(a) - Number(b));
	datasets.forEach(([name], i) => {
		check(
			name === String(i),
			() => `${file}: ${quote(path)} has a variable ${quote(name)} where ${i} is expected; the file is damaged`,
		);
	});
	const name = known?.name ?? vars.text("name") ?? path;
	// Layers of a model of one's own are under the names of its attributes; Keras's names for them tell the class.
	const classes = [known?.className ?? classIn(path), classIn(name)];
	const className = classes.find(isKnownClass) ?? classes[0];
	const options = known?.options ?? null;
	const names = variableNames(className, options, datasets.length, `${file}: ${quote(path)}`);
	const variables = datasets.map(([, dataset], i) => variable(names[i], dataset));
	return { path, name, className, options, variables };
}

/** The order of one class's layers among themselves: `dense`, `dense_1`, …, `dense_10`. */
function byNumber(a: KerasLayer, b: KerasLayer): number {
	const key = ({ path }: KerasLayer) =>
		path.split("/").map((part) => part.replace(/(_\d+)?$/, (n) => n.slice(1).padStart(9, "0")));
	return key(a).join("/") < key(b).join("/") ? -1 : 1;
}
