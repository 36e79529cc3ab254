// importOnnx: from a model to a network that runs and trains.

import { check, EvenkeelError } from "../errors.ts";
import {
	isOperator,
	type NodeProto,
	nodeLabel,
	OnnxModel,
	type ReadOnnxOptions,
	readOnnx,
} from "../model-files/onnx/index.ts";
import type { GraphModule } from "./graph-module.ts";
import { Importer } from "./importer.ts";
import { NodeContext } from "./node-context.ts";
import { operators } from "./operators/index.ts";

/** The versions of ONNX's operators that are understood. Version 6 but for its own kind of broadcasting. */
const OLDEST = 6;
/** Since 22 no operator that is understood has changed in what it computes. */
const NEWEST = 28;

/**
 * Reads an ONNX model as a network: convolutions, linear layers and norms become those of `nn`, with their weights as
 * parameters, everything else runs between them. Names are those of PyTorch where its exporter kept them, so that the
 * state dict fits. Everything is computed in float32.
 *
 * Each layer is in evaluation mode, as models are meant, unless its node says that it is training; `net.train()` trains
 * all of them, and `net.training` says whether one does. Running statistics follow ONNX: biased variances, and `momentum` as the weight of the old.
 *
 * Understood are operator sets 6 to 28, and in them: Add, AveragePool, BatchNormalization, Cast, Clip, Concat, Constant,
 * ConstantOfShape, Conv, ConvTranspose, Div, Dropout, Elu, Exp, Flatten, Gather, Gelu, Gemm, GlobalAveragePool,
 * GlobalMaxPool, GroupNormalization, HardSigmoid, HardSwish, Identity, InstanceNormalization, LayerNormalization, LeakyRelu,
 * Log, LogSoftmax, MatMul, Max, MaxPool, Mean, Min, Mul, Neg, PRelu, Pad, Pow, Reciprocal, ReduceMax, ReduceMean,
 * ReduceMin, ReduceSum, Relu, Reshape, Shape, Sigmoid, Slice, Softmax, Softplus, Split, Sqrt, Squeeze, Sub, Sum, Tanh,
 * Transpose, Unsqueeze; and Erf where it is a part of GELU.
 *
 * @param source a path, the bytes of a file, or a model that has been read
 * @throws EvenkeelError if the model cannot be read ({@link readOnnx}), or naming the operators that are not known
 *   and the nodes that use them
 */
export async function importOnnx(
	source: string | Uint8Array | OnnxModel,
	options: ReadOnnxOptions = {},
): Promise<GraphModule> {
	const model = source instanceof OnnxModel ? source : await readOnnx(source, options);
	const opset = model.opset();
	check(
		opset >= OLDEST && opset <= NEWEST,
		() =>
			`${model.name}: uses version ${opset} of ONNX's operators; ${OLDEST} to ${NEWEST} can be run. ` +
			"Export it for one of these, or convert it with onnx.version_converter",
	);
	const importer = new Importer(model);
	const nodes = importer.graph.nodes().filter((node) => !isConstant(importer, node));
	for (const node of nodes) if (isOperator(node, "Erf")) importer.findGelu(node);
	checkKnown(importer, nodes);
	for (const node of nodes) if (!importer.absorbed.has(node)) addNode(importer, node);
	return importer.finish();
}

/** A node whose output is the same in every run, and already known. */
function isConstant(importer: Importer, node: NodeProto): boolean {
	if (isOperator(node, "Constant")) return importer.constant(node.output[0]) !== null;
	return isOperator(node, "Identity") && importer.constant(node.output[0]) !== null;
}

function isKnown(node: NodeProto): boolean {
	return isOperator(node, node.opType) && Object.hasOwn(operators, node.opType);
}

function checkKnown(importer: Importer, nodes: readonly NodeProto[]): void {
	const unknown = nodes.filter((node) => !isKnown(node) || (isOperator(node, "Erf") && !importer.gelus.has(node)));
	if (unknown.length === 0) return;
	const shown = unknown.slice(0, 5).map(nodeLabel).join(", ");
	const more = unknown.length > 5 ? ` and ${unknown.length - 5} more` : "";
	throw new EvenkeelError(
		`${importer.model.name}: operators that cannot be run: ${shown}${more}; the model can still be read, changed and written`,
	);
}

function addNode(importer: Importer, proto: NodeProto): void {
	const node = new NodeContext(importer, proto);
	if (node.opset < 7 && node.flag("broadcast", false))
		node.fail("it broadcasts as before version 7 of ONNX's operators");
	const run = operators[proto.opType](node);
	node.finish();
	const { label, reads, outputs, layer, layerInput: input } = node;
	importer.add({ label, reads, outputs, run, layer, input });
}
