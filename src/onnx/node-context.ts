// What an operator's importer sees of its node: inputs, attributes, shapes, and the layers and parameters it makes.

import { check } from "../errors.ts";
import {
	floatAttribute,
	hasAttribute,
	intAttribute,
	intsAttribute,
	type NodeProto,
	nodeLabel,
	stringAttribute,
} from "../model-files/onnx/index.ts";
import { quote } from "../model-files/show.ts";
import type { Module } from "../nn/module.ts";
import type { LayerSlot, Run } from "./graph-module.ts";
import type { Change, Importer } from "./importer.ts";
import { layerOf, modulePath, pathOfEntry, pathOfNode } from "./names.ts";
import { type Dims, type Input, type Numbers, numbersOf } from "./value.ts";

/** Makes what runs of a node. Registered by the operator's name. */
export type Operator = (node: NodeContext) => Run;

export class NodeContext {
	readonly importer: Importer;
	readonly proto: NodeProto;
	/** The version of ONNX's operators that the model uses. */
	readonly opset: number;
	/** How errors name the node. */
	readonly label: string;
	/** What the step reads from each run. */
	readonly reads: string[] = [];
	/** What the step makes; another node's, where that one is absorbed. */
	outputs: string[];
	/** The layer that the node is, if it is one, and what it reads. */
	layer: LayerSlot | undefined;
	layerInput: Input | undefined;
	#saysDims = false;

	constructor(importer: Importer, proto: NodeProto) {
		this.importer = importer;
		this.proto = proto;
		this.opset = importer.model.opset();
		this.label = nodeLabel(proto);
		const { graph } = importer;
		this.outputs = proto.output.map((name) => (graph.consumers(name).length > 0 || graph.isOutput(name) ? name : ""));
	}

	has(input: number): boolean {
		return (this.proto.input[input] ?? "") !== "";
	}

	/** Whether somebody reads an output. */
	wants(output: number): boolean {
		return (this.outputs[output] ?? "") !== "";
	}

	/** An input as the step reads it. */
	input(index: number): Input {
		check(this.has(index), () => `${this.importer.model.name}: ${this.label} has no input ${index}`);
		return this.otherInput(this.proto.input[index]);
	}

	/** A value that the step reads though the node itself does not. */
	otherInput(name: string): Input {
		const input = this.importer.input(name, this.label);
		if (input.fixed === undefined) this.reads.push(name);
		return input;
	}

	optional(index: number): Input | null {
		return this.has(index) ? this.input(index) : null;
	}

	inputs(): Input[] {
		return this.proto.input.map((_, index) => this.input(index));
	}

	/** The numbers of an input that is the same in every run, or null. */
	constant(index: number): Numbers | null {
		const found = this.has(index) ? this.importer.constant(this.proto.input[index]) : null;
		return found && numbersOf(found);
	}

	/** What is known of an input's shape. */
	dims(index: number): Dims {
		return this.has(index) ? this.importer.dims(this.proto.input[index]) : undefined;
	}

	/** Says what is known of an output's shape. Where nothing is said, the first output is like the first input. */
	setDims(dims: Dims, output = 0): void {
		this.#saysDims = true;
		const name = this.outputs[output];
		if (name) this.importer.setDims(name, dims);
	}

	/** Called when the operator has said all it has to. */
	finish(): void {
		if (!this.#saysDims) this.setDims(this.dims(0));
	}

	int(name: string, missing: number): number {
		return intAttribute(this.proto, name, missing);
	}

	flag(name: string, missing: boolean): boolean {
		return this.int(name, missing ? 1 : 0) !== 0;
	}

	float(name: string, missing: number): number {
		return floatAttribute(this.proto, name, missing);
	}

	text(name: string, missing: string): string {
		return stringAttribute(this.proto, name, missing);
	}

	ints(name: string): number[] | undefined {
		return intsAttribute(this.proto, name);
	}

	hasAttribute(name: string): boolean {
		return hasAttribute(this.proto, name);
	}

	/** Throws an error about the node. */
	fail(message: string): never {
		this.importer.fail(this.proto, message);
	}

	/** @throws EvenkeelError if somebody reads an output from `first` on */
	noOutputsFrom(first: number, what: string): void {
		for (let i = first; i < this.proto.output.length; i++) {
			if (this.wants(i)) this.fail(`its output ${quote(this.proto.output[i])} (${what}) cannot be computed`);
		}
	}

	/** A parameter of the shape it has in the file. */
	parameter(index: number, change?: Change) {
		const constant = this.constant(index);
		if (!constant) this.fail(`its input ${index} is no constant`);
		return this.importer.parameter(this.proto.input[index], constant.shape, change);
	}

	/** The path of the node's layer: from the names of its weights (`entries`, by input), else from its own. */
	path(entries: Readonly<Record<string, number>> = {}): string {
		for (const [entry, index] of Object.entries(entries)) {
			const path = this.has(index) ? pathOfEntry(this.proto.input[index], entry) : null;
			if (path !== null) return path;
		}
		return pathOfNode(this.proto);
	}

	/**
	 * The layer that the node is. Nodes with the same weights and options share one.
	 *
	 * @param kind with `options` and the names of the weights in `entries`, what two nodes must share
	 * @param entries inputs that hold weights, by the names that these have in a state dict
	 */
	weighted<T extends Module>(
		kind: string,
		options: object,
		entries: Readonly<Record<string, number>>,
		make: () => T,
		path = this.path(entries),
	): LayerSlot<T> {
		const names = Object.values(entries).map((index) => this.proto.input[index] ?? "");
		const slot = this.importer.layer(path, JSON.stringify([kind, options, names]), make);
		this.layer = slot;
		return slot;
	}

	/**
	 * The norm that the node is. Nodes with the same weights and options share one, unless they are known to be different
	 * layers, of which equal tensors were written once.
	 *
	 * @param make gets what tells the norm from others: its parameters are its own
	 */
	norm<T extends Module>(
		options: object,
		entries: Readonly<Record<string, number>>,
		make: (key: string) => T,
	): LayerSlot<T> {
		const { opType, input } = this.proto;
		const all = { ...options, layer: layerOf(this.proto) };
		const key = JSON.stringify([opType, all, input.slice(1)]);
		return this.weighted(opType, all, entries, () => make(key), modulePath(this.proto) ?? this.path(entries));
	}

	/** Runs `layer`, which has no weights, on `x`, by default the first input. */
	plain(layer: Module, x?: Input): Run {
		const slot = this.importer.layer(this.path(), JSON.stringify([this.proto.output[0]]), () => layer);
		this.layer = slot;
		return this.runLayer(slot, x);
	}

	/** Runs a layer on `x`, by default the first input. */
	runLayer(slot: LayerSlot, x = this.input(0)): Run {
		this.layerInput = x;
		return (env) => slot.forward(x.tensor(env));
	}

	/** Does the node `next`, which reads nothing else that is computed, in the same step. */
	absorb(next: NodeProto): void {
		this.importer.absorbed.add(next);
		const { graph } = this.importer;
		this.outputs = next.output.map((name) => (graph.consumers(name).length > 0 || graph.isOutput(name) ? name : ""));
	}
}
