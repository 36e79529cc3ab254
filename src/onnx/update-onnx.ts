// updateOnnx: a network that was imported, and has since been trained or re-estimated, back into its model.

import { check } from "../errors.ts";
import { checkFits } from "../model-files/fits.ts";
import { formats } from "../model-files/onnx/data-types.ts";
import { isOperator, OnnxGraph, type OnnxModel, type OnnxTensor, setTensor } from "../model-files/onnx/index.ts";
import { quote } from "../model-files/show.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { GraphModule, Origin } from "./graph-module.ts";
import { numbersOf } from "./value.ts";

/**
 * Writes parameters and running statistics of `net` into the model it was imported from, each where it came from and
 * in the type it has there. What has not changed is not touched. Write the model with `writeOnnx`.
 *
 * @param model the model, as it was when it was imported
 * @returns the names of the state dict's entries that had changed
 * @throws EvenkeelError if a number is too large for the type it has in the file; if the network has layers that the model has not, or lacks some: it was folded or converted
 *   since, or the model is another
 */
export function updateOnnx(model: OnnxModel, net: GraphModule): string[] {
	const state = new Map([...net.namedParameters(), ...net.namedBuffers()]);
	for (const name of net.origins.keys()) {
		check(
			state.has(name),
			() => `${model.name}: the network no longer has ${quote(name)}, which the model has: ${elsewhere}`,
		);
	}
	for (const name of state.keys()) {
		const known = net.origins.has(name) || name.endsWith("num_batches_tracked");
		check(known, () => `${model.name}: the network has ${quote(name)}, which the model has not: ${elsewhere}`);
	}
	const graph = new OnnxGraph(model);
	for (const { value } of net.origins.values()) ownTensor(graph, value);
	checkShared(model, net, state);
	const changed: string[] = [];
	for (const [name, origin] of net.origins) {
		const tensor = state.get(name);
		if (tensor && update(graph, name, tensor, origin)) changed.push(name);
	}
	return changed;
}

/** What two entries share in the file can hold one thing only. */
function checkShared(model: OnnxModel, net: GraphModule, state: ReadonlyMap<string, Tensor>): void {
	const entries = new Map<string, { name: string; tensor: Tensor; origin: Origin }[]>();
	for (const [name, origin] of net.origins) {
		const tensor = state.get(name);
		if (tensor) entries.set(origin.value, [...(entries.get(origin.value) ?? []), { name, tensor, origin }]);
	}
	for (const [value, [first, ...others]] of entries) {
		if (others.length === 0) continue;
		const expected = first.origin.restore(first.tensor.dataSync());
		for (const { name, tensor, origin } of others) {
			const found = origin.restore(tensor.dataSync());
			check(
				Array.prototype.every.call(expected, (number: number, i: number) => number === found[i]),
				() =>
					`${model.name}: ${quote(first.name)} and ${quote(name)} are one tensor in the file, ${quote(value)}, and are no longer ` +
					"equal; call unshareStatistics(model) before importOnnx",
			);
		}
	}
}

const elsewhere = "change the model itself instead, or import it again";

/**
 * Gives `value` a tensor of its own where it is an initializer behind an Identity: exporters write equal tensors once,
 * which they need not stay.
 */
function ownTensor(graph: OnnxGraph, value: string): void {
	const node = graph.producer(value);
	const found = node && isOperator(node, "Identity") ? graph.constant(value) : undefined;
	if (node && found) graph.replaceByInitializer(node, found);
}

/** Writes one entry; whether it had changed. */
function update(graph: OnnxGraph, name: string, tensor: Tensor, { value, restore }: Origin): boolean {
	const { model } = graph;
	const stored = graph.initializer(value) ?? graph.constantTensor(value);
	const old = stored && model.read(stored);
	const values = restore(tensor.dataSync());
	if (!old) return updateList(graph, name, value, values);
	check(
		old.data.length === values.length,
		() =>
			`${model.name}: ${quote(value)} holds ${old.data.length} values, ${quote(name)} ${values.length}; it is another model's`,
	);
	const before = numbersOf(old).data;
	if (Array.prototype.every.call(values, (number: number, i: number) => Math.fround(before[i]) === number))
		return false;
	checkRange(`${model.name}: ${quote(value)}`, old.type, values);
	setTensor(stored, { ...old, data: dataOf(old, values) });
	return true;
}

/** A Constant node that holds a list of numbers. */
function updateList(graph: OnnxGraph, name: string, value: string, values: ArrayLike<number>): boolean {
	const list = graph.producer(value)?.attribute.find((attribute) => attribute.name === "value_floats");
	check(
		list?.floats.length === values.length,
		() => `${graph.model.name}: has no value ${quote(value)} for ${quote(name)}`,
	);
	if (list.floats.every((number, i) => number === values[i])) return false;
	list.floats = Array.from(values);
	return true;
}

function checkRange(what: string, type: OnnxTensor["type"], values: ArrayLike<number>): void {
	const { pack, unpack } = formats[type];
	if (!pack || !unpack) return;
	const round = (value: number) => unpack(pack(value));
	checkFits(`${what} now`, values, type, round, "convert the model to float32 first");
}

function dataOf({ type }: OnnxTensor, values: ArrayLike<number>): OnnxTensor["data"] {
	return type === "double" ? Float64Array.from(values) : Float32Array.from(values);
}
