// ONNX files: reading, writing, and rewriting their graphs. Nothing here knows what an operator computes.

export * from "./attributes.ts";
export { checkModel } from "./check.ts";
export type { OnnxData, OnnxDataType } from "./data-types.ts";
export type {
	AttributeProto,
	GraphProto,
	ModelProto,
	NodeProto,
	TensorProto,
	ValueInfoProto,
} from "./generated/onnx-ml_pb.ts";
export { isOperator, OnnxGraph, type Use } from "./graph.ts";
export {
	decodeOnnx,
	encodeOnnx,
	OnnxModel,
	type ReadOnnxOptions,
	readOnnx,
	type WriteOnnxOptions,
	writeOnnx,
} from "./model.ts";
export { makeTensor, type OnnxTensor, setTensor } from "./tensor.ts";
export { nodeLabel } from "./topology.ts";
