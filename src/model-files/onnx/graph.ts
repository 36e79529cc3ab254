// A graph with its connections, for tools that rewrite it: who makes a value, who reads it, what is constant. The
// changes go into the GraphProto itself.

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { check } from "../../errors.ts";
import { quote } from "../show.ts";
import { tensorAttribute } from "./attributes.ts";
import { canonicalDomain } from "./check.ts";
import {
	type GraphProto,
	type NodeProto,
	NodeProtoSchema,
	type TensorProto,
	type ValueInfoProto,
	ValueInfoProtoSchema,
} from "./generated/onnx-ml_pb.ts";
import type { OnnxModel } from "./model.ts";
import { makeTensor, type OnnxTensor, setTensor } from "./tensor.ts";
import { nodeLabel, readsOf, sortNodes } from "./topology.ts";
import { subgraphs } from "./walk.ts";

/** A node that reads a value. */
export interface Use {
	readonly node: NodeProto;
	/** Which of its inputs that is; -1 if a subgraph of it reads the value. */
	readonly input: number;
}

/** Whether `node` is ONNX's own operator `opType`, not one of the same name from another domain. */
export function isOperator(node: NodeProto, opType: string): boolean {
	return node.opType === opType && canonicalDomain(node.domain) === "";
}

/** The connections of a model's main graph, kept up to date by the methods that change it. */
export class OnnxGraph {
	readonly model: OnnxModel;
	readonly proto: GraphProto;
	#producers = new Map<string, NodeProto>();
	#uses = new Map<string, Use[]>();
	#initializers = new Map<string, TensorProto>();
	#inputs = new Set<string>();
	#outputs = new Set<string>();
	/** Values that subgraphs make or hold, once somebody asks. */
	#inner: Set<string> | undefined;

	constructor(model: OnnxModel) {
		this.model = model;
		this.proto = model.graph;
		this.#listEnds();
		for (const node of this.proto.node) this.#connect(node);
		for (const tensor of this.proto.initializer) this.#initializers.set(tensor.name, tensor);
	}

	/** All nodes, each behind those it depends on. */
	nodes(): NodeProto[] {
		return sortNodes(this.proto.node, this.model.name);
	}

	/** The node that makes `value`; undefined for inputs, initializers and what does not exist. */
	producer(value: string): NodeProto | undefined {
		return this.#producers.get(value);
	}

	/** Who reads `value`, once for each input that does. The graph's outputs are not among them: see {@link isOutput}. */
	consumers(value: string): readonly Use[] {
		return this.#uses.get(value) ?? [];
	}

	/** Whether `value` is an input of the graph: also initializers, where these may be overridden. */
	isInput(value: string): boolean {
		return this.#inputs.has(value);
	}

	isOutput(value: string): boolean {
		return this.#outputs.has(value);
	}

	/** The initializer named `value`, dense ones only. */
	initializer(value: string): TensorProto | undefined {
		return this.#initializers.get(value);
	}

	/**
	 * Whether `value` is an initializer that is also a graph input. From IR version 4 on such a one is a default that
	 * whoever runs the model may replace; before, every initializer had to be listed as an input.
	 */
	isOverridable(value: string): boolean {
		return this.#initializers.has(value) && this.model.proto.irVersion >= 4n && this.isInput(value);
	}

	/**
	 * The tensor that holds `value` if it is the same in every run: an initializer or the output of a Constant, also
	 * behind Identity nodes. Undefined for all else, and for initializers that may be overridden.
	 */
	constantTensor(value: string): TensorProto | undefined {
		const name = this.#behindIdentities(value);
		const node = this.producer(name);
		if (node && isOperator(node, "Constant")) return tensorAttribute(node, "value");
		return this.isOverridable(name) ? undefined : this.initializer(name);
	}

	/** The numbers of {@link constantTensor}, or of a Constant node that holds them in an attribute other than a tensor. */
	constant(value: string): OnnxTensor | undefined {
		const tensor = this.constantTensor(value);
		if (tensor) return this.model.read(tensor);
		const node = this.producer(this.#behindIdentities(value));
		return node && isOperator(node, "Constant") ? numbersOfConstant(node) : undefined;
	}

	#behindIdentities(value: string): string {
		let name = value;
		for (let node = this.producer(name); node && isOperator(node, "Identity"); node = this.producer(name)) {
			name = node.input[0] ?? "";
		}
		return name;
	}

	/** A name that no value has, in subgraphs neither: `base`, or with a number behind it. */
	freshName(base: string): string {
		this.#inner ??= new Set(this.proto.node.flatMap((node) => subgraphs(node).flatMap(valuesOf)));
		const inner = this.#inner;
		const taken = (name: string) =>
			[this.#producers, this.#initializers, this.#uses, this.#inputs, this.#outputs, inner].some((names) =>
				names.has(name),
			);
		if (!taken(base)) return base;
		let number = 1;
		while (taken(`${base}_${number}`)) number++;
		return `${base}_${number}`;
	}

	/** Adds an initializer; its name is `name`, or that with a number behind it if there is one already. */
	addInitializer(name: string, tensor: OnnxTensor): TensorProto {
		return this.#insert(makeTensor(this.freshName(name), tensor));
	}

	/** Before IR version 4, every initializer is listed as an input too. */
	#insert(tensor: TensorProto): TensorProto {
		this.proto.initializer.push(tensor);
		this.#initializers.set(tensor.name, tensor);
		if (this.model.proto.irVersion < 4n && !this.isInput(tensor.name)) this.proto.input.push(inputFor(tensor));
		return tensor;
	}

	/** Gives the initializer `name` other contents. All who read it see them: look at {@link consumers} first. */
	replaceInitializer(name: string, tensor: OnnxTensor): void {
		const proto = this.#initializers.get(name);
		check(proto, () => `${this.model.name}: there is no initializer ${quote(name)}`);
		setTensor(proto, tensor);
	}

	/** Puts an initializer in the place of a node that makes one value: those who read that read the initializer. */
	replaceByInitializer(node: NodeProto, tensor: OnnxTensor): TensorProto {
		this.removeNode(node);
		return this.#insert(makeTensor(node.output[0], tensor));
	}

	/** Makes `node` read `value` as its input number `index`. Inputs that are left out in between are "". */
	setInput(node: NodeProto, index: number, value: string): void {
		this.#disconnect(node);
		while (node.input.length <= index) node.input.push("");
		node.input[index] = value;
		this.#connect(node);
	}

	/** Gives output number `index` of `node` another name. Who reads the old one must be given another maker. */
	setOutput(node: NodeProto, index: number, value: string): void {
		this.#disconnect(node);
		node.output[index] = value;
		this.#connect(node);
	}

	/** Adds a node, before `before` or at the end. */
	addNode(init: MessageInitShape<typeof NodeProtoSchema>, before?: NodeProto): NodeProto {
		const node = create(NodeProtoSchema, init);
		for (const name of node.output) {
			check(
				!this.#producers.has(name),
				() => `${this.model.name}: ${nodeLabel(node)} makes ${quote(name)}, which exists`,
			);
		}
		const at = before ? this.proto.node.indexOf(before) : this.proto.node.length;
		this.proto.node.splice(at, 0, node);
		this.#connect(node);
		return node;
	}

	/** Removes a node, and what the file says of its outputs. Who reads them must be given other inputs. */
	removeNode(node: NodeProto): void {
		const at = this.proto.node.indexOf(node);
		check(at >= 0, () => `${this.model.name}: ${nodeLabel(node)} is not in the graph`);
		this.proto.node.splice(at, 1);
		this.#disconnect(node);
		const gone = new Set(node.output);
		this.#forget(gone);
	}

	/**
	 * Removes a node that is to pass one input on as one output. Readers of the output then read the input; if the
	 * graph itself returns the output, its name moves to the input's maker, or, where that cannot be, the node
	 * becomes an Identity.
	 */
	bypass(node: NodeProto, input = 0, output = 0): void {
		const [from, to] = [node.input[input], node.output[output]];
		const keepsName = this.isOutput(to);
		if (keepsName && (!this.#producers.has(from) || this.isOutput(from))) {
			this.#disconnect(node);
			Object.assign(node, { opType: "Identity", domain: "", overload: "", attribute: [], input: [from], output: [to] });
			this.#connect(node);
			return;
		}
		this.removeNode(node);
		if (keepsName) this.renameValue(from, to);
		else this.replaceUses(to, from);
	}

	/** Makes all who read `from` read `to` instead, subgraphs included. The graph's outputs stay. */
	replaceUses(from: string, to: string): void {
		const readers = new Set(this.consumers(from).map(({ node }) => node));
		for (const node of readers) {
			this.#disconnect(node);
			renameReads(node, from, to);
			this.#connect(node);
		}
	}

	/** Gives a value another name, wherever it stands. */
	renameValue(from: string, to: string): void {
		const producer = this.#producers.get(from);
		if (producer) {
			this.#disconnect(producer);
			producer.output = producer.output.map((name) => (name === from ? to : name));
			this.#connect(producer);
		}
		const initializer = this.#initializers.get(from);
		if (initializer) {
			this.#initializers.delete(from);
			initializer.name = to;
			this.#initializers.set(to, initializer);
		}
		this.replaceUses(from, to);
		this.proto.valueInfo = this.proto.valueInfo.filter(({ name }) => name !== to);
		for (const info of [...this.proto.input, ...this.proto.output, ...this.proto.valueInfo]) {
			if (info.name === from) info.name = to;
		}
		this.#listEnds();
	}

	/**
	 * Removes initializers and Constant nodes that nothing reads and the graph does not return; before IR version 4
	 * also the graph inputs that stand for such initializers. Returns their names.
	 */
	removeUnused(): string[] {
		const unused = (name: string) => this.consumers(name).length === 0 && !this.isOutput(name);
		const gone = new Set<string>();
		for (const node of [...this.proto.node]) {
			if (!isOperator(node, "Constant") || !node.output.every(unused)) continue;
			this.removeNode(node);
			for (const name of node.output) gone.add(name);
		}
		const initializers = this.proto.initializer.filter(({ name }) => unused(name) && !this.isOverridable(name));
		for (const { name } of initializers) {
			gone.add(name);
			this.#initializers.delete(name);
		}
		this.proto.initializer = this.proto.initializer.filter(({ name }) => !gone.has(name));
		this.proto.input = this.proto.input.filter(({ name }) => !gone.has(name));
		this.#forget(gone);
		this.#listEnds();
		return [...gone];
	}

	#listEnds(): void {
		this.#inputs = new Set(this.proto.input.map(({ name }) => name));
		this.#outputs = new Set(this.proto.output.map(({ name }) => name));
	}

	/**
	 * Removes what makes `value`, if nothing reads it and the graph does not return it: an initializer that nobody may
	 * override, or a Constant, Identity, Cast or Transpose; and so on for what that read.
	 */
	removeUnread(value: string): void {
		const pending = [value];
		for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
			if (name === "" || this.consumers(name).length > 0 || this.isOutput(name)) continue;
			const node = this.producer(name);
			if (node && passingOn.some((operator) => isOperator(node, operator))) {
				this.removeNode(node);
				pending.push(...node.input);
			} else if (this.initializer(name) && !this.isOverridable(name)) this.#removeInitializer(name);
		}
	}

	#removeInitializer(name: string): void {
		this.#initializers.delete(name);
		this.proto.initializer = this.proto.initializer.filter((tensor) => tensor.name !== name);
		this.proto.input = this.proto.input.filter((input) => input.name !== name);
		this.#forget(new Set([name]));
	}

	/** Drops what the file says of values that are no more. */
	#forget(gone: ReadonlySet<string>): void {
		const { valueInfo, quantizationAnnotation } = this.proto;
		this.proto.valueInfo = valueInfo.filter(({ name }) => !gone.has(name));
		this.proto.quantizationAnnotation = quantizationAnnotation.filter(({ tensorName }) => !gone.has(tensorName));
	}

	#connect(node: NodeProto): void {
		for (const name of node.output) if (name !== "") this.#producers.set(name, node);
		for (const [input, name] of node.input.entries()) if (name !== "") this.#use(name, { node, input });
		for (const name of readsOf(node)) if (!node.input.includes(name)) this.#use(name, { node, input: -1 });
	}

	#use(name: string, use: Use): void {
		const uses = this.#uses.get(name);
		if (uses) uses.push(use);
		else this.#uses.set(name, [use]);
	}

	#disconnect(node: NodeProto): void {
		for (const name of node.output) if (this.#producers.get(name) === node) this.#producers.delete(name);
		for (const name of readsOf(node)) {
			const left = this.consumers(name).filter((use) => use.node !== node);
			if (left.length > 0) this.#uses.set(name, left);
			else this.#uses.delete(name);
		}
	}
}

/** Operators whose only effect is their output. */
const passingOn = ["Constant", "Identity", "Cast", "Transpose"];

/** The graph input that stands for an initializer. */
function inputFor({ name, dataType, dims }: TensorProto): ValueInfoProto {
	const dim = dims.map((length) => ({ value: { case: "dimValue" as const, value: length } }));
	const value = { elemType: dataType, shape: { dim } };
	return create(ValueInfoProtoSchema, { name, type: { value: { case: "tensorType", value } } });
}

/** The numbers of a Constant that holds them as numbers, from operator set 12 on; undefined if it holds another kind. */
function numbersOfConstant(node: NodeProto): OnnxTensor | undefined {
	for (const { name, i, f, ints, floats } of node.attribute) {
		if (name === "value_int") return { type: "int64", shape: [], data: BigInt64Array.of(i) };
		if (name === "value_float") return { type: "float", shape: [], data: Float32Array.of(f) };
		if (name === "value_ints") return { type: "int64", shape: [ints.length], data: BigInt64Array.from(ints) };
		if (name === "value_floats") return { type: "float", shape: [floats.length], data: Float32Array.from(floats) };
	}
	return undefined;
}

/** The values that a subgraph, and those in it, make or hold. */
function valuesOf({ input, initializer, sparseInitializer, node }: GraphProto): string[] {
	return [
		...[...input, ...initializer].map(({ name }) => name),
		...sparseInitializer.map(({ values }) => values?.name ?? ""),
		...node.flatMap((one) => [...one.output, ...subgraphs(one).flatMap(valuesOf)]),
	];
}

/** Renames what `node` and its subgraphs read; a subgraph that makes a value of that name means its own. */
function renameReads(node: NodeProto, from: string, to: string): void {
	node.input = node.input.map((name) => (name === from ? to : name));
	for (const graph of subgraphs(node)) {
		const own = [...graph.input, ...graph.initializer].some(({ name }) => name === from);
		if (own || graph.node.some(({ output }) => output.includes(from))) continue;
		for (const inner of graph.node) renameReads(inner, from, to);
		for (const output of graph.output) if (output.name === from) output.name = to;
	}
}
