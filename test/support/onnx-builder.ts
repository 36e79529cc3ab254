// Small ONNX models, made for a test through the library's own codec.

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type AttributeValue, makeAttribute } from "../../src/model-files/onnx/attributes.ts";
import { formats, type OnnxDataType } from "../../src/model-files/onnx/data-types.ts";
import {
	ModelProtoSchema,
	type NodeProtoSchema,
	type TensorProto,
	type ValueInfoProtoSchema,
} from "../../src/model-files/onnx/generated/onnx-ml_pb.ts";
import { OnnxModel } from "../../src/model-files/onnx/model.ts";
import { makeTensor } from "../../src/model-files/onnx/tensor.ts";

/** A node: `node("Conv", ["x", "w"], ["y"], { group: 2n })`. */
export function node(
	opType: string,
	input: string[],
	output: string[],
	attributes: Readonly<Record<string, AttributeValue>> = {},
	fields: Partial<MessageInitShape<typeof NodeProtoSchema>> = {},
): MessageInitShape<typeof NodeProtoSchema> {
	const attribute = Object.entries(attributes).map(([name, value]) => makeAttribute(name, value));
	return { opType, input, output, attribute, name: `${opType}_${output[0]}`, ...fields } as MessageInitShape<
		typeof NodeProtoSchema
	>;
}

/** What a graph takes or returns. A string is an axis of any length; no shape is any shape. */
export function value(
	name: string,
	shape?: readonly (number | string)[],
	type: OnnxDataType = "float",
): MessageInitShape<typeof ValueInfoProtoSchema> {
	const dim = shape?.map((length) =>
		typeof length === "number"
			? { value: { case: "dimValue" as const, value: BigInt(length) } }
			: { value: { case: "dimParam" as const, value: length } },
	);
	return {
		name,
		type: {
			value: {
				case: "tensorType",
				value: { elemType: formats[type].code, ...(dim ? { shape: { dim } } : {}) },
			},
		},
	};
}

/** A float initializer. */
export function weight(name: string, shape: readonly number[], data: ArrayLike<number>): TensorProto {
	return makeTensor(name, { type: "float", shape, data: Float32Array.from(data) });
}

/** An int64 initializer of one axis, or a scalar. */
export function integers(name: string, data: readonly number[] | number): TensorProto {
	const list = typeof data === "number" ? [data] : data;
	const shape = typeof data === "number" ? [] : [data.length];
	return makeTensor(name, { type: "int64", shape, data: BigInt64Array.from(list.map(BigInt)) });
}

export interface ModelParts {
	nodes: readonly MessageInitShape<typeof NodeProtoSchema>[];
	inputs?: readonly MessageInitShape<typeof ValueInfoProtoSchema>[];
	outputs?: readonly MessageInitShape<typeof ValueInfoProtoSchema>[];
	initializers?: readonly TensorProto[];
	/** Version of ONNX's own operators. Default 17. */
	opset?: number;
	/** Default 8, which opset 17 came with. */
	ir?: number;
}

/** A model; by default it takes `x` and returns `y`, floats of any shape. */
export function model({
	nodes,
	inputs = [value("x")],
	outputs = [value("y")],
	initializers = [],
	opset = 17,
	ir = 8,
}: ModelParts): OnnxModel {
	return new OnnxModel(
		create(ModelProtoSchema, {
			irVersion: BigInt(ir),
			producerName: "evenkeel",
			opsetImport: [{ domain: "", version: BigInt(opset) }],
			graph: {
				name: "test",
				node: [...nodes],
				input: [...inputs],
				output: [...outputs],
				initializer: [...initializers],
			},
		}),
	);
}

/** `count` numbers from a fixed sequence, between -1 and 1. */
export function noise(count: number, seed = 1): Float32Array {
	let state = (seed * 2654435761) >>> 0 || 1;
	return Float32Array.from({ length: count }, () => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return state / 2 ** 31 - 1;
	});
}
