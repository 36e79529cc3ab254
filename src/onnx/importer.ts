// Reads a graph node by node and collects what a GraphModule is made of: steps, layers, parameters, names.

import { EvenkeelError } from "../errors.ts";
import {
	type NodeProto,
	nodeLabel,
	OnnxGraph,
	type OnnxModel,
	type OnnxTensor,
	type TensorProto,
	type ValueInfoProto,
} from "../model-files/onnx/index.ts";
import { quote } from "../model-files/show.ts";
import type { Module } from "../nn/module.ts";
import { Parameter } from "../nn/parameter.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { geluAround, type WrittenGelu } from "./gelu.ts";
import { GraphModule, LayerSlot, type Origin, type Step } from "./graph-module.ts";
import { Names } from "./names.ts";
import { type Dims, Input, isFloatType, numbersOf } from "./value.ts";

/** How a parameter differs from the constant it is made of. */
export interface Change {
	/** Tells parameters apart that are made of the same constant. */
	readonly label: string;
	/** The parameter's numbers from the file's. */
	readonly apply: (data: ArrayLike<number>) => ArrayLike<number>;
	/** The file's numbers from the parameter's. */
	readonly restore: (values: ArrayLike<number>) => ArrayLike<number>;
}

/** No difference. */
export const asItStands: Change = { label: "", apply: (data) => data, restore: (values) => values };

export class Importer {
	readonly model: OnnxModel;
	readonly graph: OnnxGraph;
	/** Nodes that another one's step does as well. */
	readonly absorbed = new Set<NodeProto>();
	/** Which Erf nodes are the middle of a GELU. */
	readonly gelus = new Map<NodeProto, WrittenGelu>();
	readonly #steps: Step[] = [];
	readonly #dims = new Map<string, Dims>();
	readonly #constants = new Map<string, OnnxTensor | null>();
	readonly #layers = new Map<string, LayerSlot>();
	readonly #parametersByContent = new Map<string, Parameter>();
	readonly #training = new Set<LayerSlot>();
	readonly #free = new Map<string, Parameter>();
	readonly #origins = new Map<Tensor, Origin>();
	readonly #names = new Names();

	constructor(model: OnnxModel) {
		this.model = model;
		this.graph = new OnnxGraph(model);
		for (const info of [...this.graph.proto.valueInfo, ...this.graph.proto.input])
			this.#dims.set(info.name, dimsOf(info));
	}

	/** The graph's inputs that must be given. */
	inputs(): string[] {
		return this.graph.proto.input.map(({ name }) => name).filter((name) => !this.graph.initializer(name));
	}

	dims(name: string): Dims {
		return this.constant(name)?.shape ?? this.#dims.get(name);
	}

	/** Adds what a node says of its output to what the graph declares. */
	setDims(name: string, dims: Dims): void {
		const declared = this.#dims.get(name);
		if (!dims) return;
		const agree = declared?.length === dims.length;
		this.#dims.set(name, agree ? dims.map((length, axis) => length ?? declared[axis]) : dims);
	}

	/** The numbers of a value that is the same in every run. An initializer that may be overridden is taken as it is. */
	constant(name: string): OnnxTensor | null {
		const known = this.#constants.get(name);
		if (known !== undefined) return known;
		const found = this.graph.constant(name) ?? this.#default(name) ?? null;
		this.#constants.set(name, found);
		return found;
	}

	#default(name: string): OnnxTensor | undefined {
		const initializer = this.graph.initializer(name);
		return initializer && this.model.read(initializer);
	}

	/** Whether a constant is an initializer, which is what models keep parameters in, and not a Constant node. */
	isInitializer(name: string): boolean {
		return this.#tensorBehind(name) !== undefined;
	}

	#tensorBehind(name: string): TensorProto | undefined {
		const tensor = this.graph.constantTensor(name) ?? this.graph.initializer(name);
		return tensor && this.graph.initializer(tensor.name) === tensor ? tensor : undefined;
	}

	/** Reads the nodes around an Erf as one, if together they are a GELU. */
	findGelu(erf: NodeProto): void {
		const found = geluAround(this, erf);
		if (!found) return;
		this.gelus.set(erf, found);
		for (const node of [...found.rest, found.last]) this.absorbed.add(node);
	}

	/** An input of a node: from each run, or a parameter, or numbers. */
	input(name: string, reader: string): Input {
		const constant = this.constant(name);
		if (!constant) return new Input(name, reader);
		const learned = isFloatType(constant) && sizeOf(constant.shape) > 1 && this.isInitializer(name);
		return new Input(name, reader, learned ? this.#freeParameter(name, constant) : numbersOf(constant));
	}

	/** A parameter of a node that is no layer: under the initializer's own name. */
	#freeParameter(name: string, constant: OnnxTensor): Parameter {
		const parameter = this.parameter(name, constant.shape);
		if (![...this.#free.values()].includes(parameter)) {
			this.#free.set(this.#claim(name.replace(/[^\w.]/g, "_")), parameter);
		}
		return parameter;
	}

	/**
	 * The parameter that holds the constant `name`. Nodes that read the same one share it, unless `change` tells them apart.
	 *
	 * @param change where the parameter is not the constant as it stands
	 */
	parameter(name: string, shape: Shape, change: Change = asItStands): Parameter {
		const key = JSON.stringify([name, shape, change.label]);
		const known = this.#parametersByContent.get(key);
		if (known) return known;
		const constant = this.constant(name);
		if (!constant) throw new EvenkeelError(`${this.model.name}: ${quote(name)} is no constant`);
		const parameter = new Parameter(shape, name);
		parameter.view().set(change.apply(numbersOf(constant).data));
		parameter.storage.version++;
		// What a Constant node holds was not meant to be learned.
		if (!this.isInitializer(name)) parameter.setRequiresGrad(false);
		this.#parametersByContent.set(key, parameter);
		this.#origins.set(parameter, { value: name, restore: change.restore });
		return parameter;
	}

	/** Remembers that a buffer was read from the constant `name`. */
	bindBuffer(buffer: Tensor, name: string): void {
		this.#origins.set(buffer, { value: name, restore: asItStands.restore });
	}

	/**
	 * A layer under `path`. One of the same `content` is shared: a module that the network calls twice.
	 */
	layer<T extends Module>(path: string, content: string, make: () => T): LayerSlot<T> {
		const known = this.#layers.get(content);
		if (known) return known as LayerSlot<T>;
		const slot = new LayerSlot(this.#claim(path), make());
		this.#layers.set(content, slot);
		return slot;
	}

	/** Notes that the node of `layer` says that it is training. */
	trains(layer: LayerSlot): void {
		this.#training.add(layer);
	}

	/** A name for a property of the network. */
	#claim(wanted: string): string {
		return this.#names.claim(isTaken(wanted) ? `${wanted}_` : wanted);
	}

	add(step: Step): void {
		this.#steps.push(step);
	}

	/** The network. Each layer is in evaluation mode, unless its node says that it is training. */
	finish(): GraphModule {
		const origins = new Map<string, Origin>();
		const net = new GraphModule({
			name: this.model.name,
			inputs: this.inputs(),
			outputs: this.#outputs(),
			steps: this.#steps,
			layers: [...this.#layers.values()],
			parameters: this.#free,
			origins,
		});
		for (const [name, tensor] of [...net.namedParameters(), ...net.namedBuffers()]) {
			const origin = this.#origins.get(tensor);
			if (origin) origins.set(name, origin);
		}
		net.eval();
		for (const { imported } of this.#training) imported.train();
		net.training = this.#training.size > 0;
		return net;
	}

	#outputs(): string[] {
		const made = new Set([...this.inputs(), ...this.#steps.flatMap(({ outputs }) => outputs)]);
		for (const { name } of this.graph.proto.output) {
			if (made.has(name)) continue;
			// A constant that the graph returns, which no step makes.
			const input = this.input(name, `${this.model.name}: output ${quote(name)}`);
			this.add({ label: input.reader, reads: [], outputs: [name], run: (env) => input.value(env) });
		}
		return this.graph.proto.output.map(({ name }) => name);
	}

	/** Throws an error about `node`. */
	fail(node: NodeProto, message: string): never {
		throw new EvenkeelError(`${this.model.name}: ${nodeLabel(node)}: ${message}`);
	}
}

/** Names that a layer or parameter of a GraphModule cannot have. */
function isTaken(name: string): boolean {
	return name in GraphModule.prototype || ["training", "path", "inputNames", "outputNames"].includes(name);
}

/** What the graph declares of a value's shape. */
function dimsOf({ type }: ValueInfoProto): Dims {
	if (type?.value.case !== "tensorType") return undefined;
	return type.value.value.shape?.dim.map(({ value }) => (value.case === "dimValue" ? Number(value.value) : null));
}
