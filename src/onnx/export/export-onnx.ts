// exportOnnx: from a network to an ONNX model. The network runs, and what it does is written down.

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { version } from "../../../package.json" with { type: "json" };
import { check } from "../../errors.ts";
import { ModelProtoSchema, type ValueInfoProtoSchema } from "../../model-files/onnx/generated/onnx-ml_pb.ts";
import { OnnxModel } from "../../model-files/onnx/index.ts";
import type { Module } from "../../nn/module.ts";
import { tensor } from "../../ops/creation.ts";
import { gatherRows } from "../../ops/gather/op.ts";
import { Generator } from "../../random/generator.ts";
import type { DType } from "../../tensor/dtype.ts";
import { scope } from "../../tensor/scope.ts";
import { checkShape, type Shape, sizeOf } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { withoutTraces } from "../../train/diagnose.ts";
import { GraphBuilder } from "./graph-builder.ts";
import { formatLength, isFixed, type Length } from "./lengths.ts";
import { mergeTraces } from "./merge.ts";
import { checkNotReadOff, otherValues } from "./probe.ts";
import { type Trace, traceNetwork } from "./trace.ts";

/** The versions of ONNX's operators that can be written. */
const OLDEST = 13;
const NEWEST = 22;
/** The version of the file format that each of them came with: the first that has it. */
const irVersions: readonly (readonly [opset: number, ir: bigint])[] = [
	[21, 10n],
	[19, 9n],
	[15, 8n],
	[OLDEST, 7n],
];

export interface ExportOnnxOptions {
	/** The shape of one example, without the batch: `[1, 28, 28]`. Give this or `input`. */
	inputShape?: Shape;
	/** An example of the input, with the batch as its first axis; several for a network that takes several. */
	input?: Tensor | readonly Tensor[];
	/** The version of ONNX's operators, 13 to 22. Default 17, which all current runtimes know. */
	opset?: number;
	/**
	 * Leave the size of the batch open (default true): the network then runs on batches of three sizes, and what
	 * differs follows the batch. False: the graph is for the batch of `input`, or for one example.
	 */
	dynamicBatch?: boolean;
	/** What the graph is called. Default `"evenkeel"`. */
	name?: string;
	/** What is said of the model in the file (`doc_string`). */
	description?: string;
	/** Entries for the model's metadata. */
	metadata?: Readonly<Record<string, string>>;
	/**
	 * Write what the network does in training: batch normalization by the batch's statistics (`training_mode`), dropout.
	 * For runtimes that train; others cannot run such a graph. Default false.
	 */
	training?: boolean;
}

/**
 * Writes a network as an ONNX model: any module, whatever its forward does with the ops of this library. Parameters and
 * buffers are initializers under the names of the state dict. Inputs are called `input` (`input_1`, `input_2`, … where
 * there are several), the output `output`.
 *
 *     const model = exportOnnx(net, { inputShape: [1, 28, 28] });
 *     await writeOnnx("net.onnx", model);
 *
 * The network runs to be looked at, in evaluation mode unless `training`, and is left as it was. What forward decides in
 * JavaScript (by the values of a tensor, or by a shape) is in the graph as it was decided then.
 *
 * @throws EvenkeelError naming the module and the op if one cannot be written, if forward does other things for
 *   another size of the batch, and if it reads numbers off the input and computes with them
 */
export function exportOnnx(net: Module, options: ExportOnnxOptions): OnnxModel {
	const { opset = 17, dynamicBatch = true, name = "evenkeel", training = false } = options;
	check(
		Number.isInteger(opset) && opset >= OLDEST && opset <= NEWEST,
		() => `exportOnnx: opset must be a whole number from ${OLDEST} to ${NEWEST}, got ${opset}`,
	);
	const merged = mergeTraces(traces(net, options, dynamicBatch, training));
	const names = merged.inputs.map((_, i) => (merged.inputs.length === 1 ? "input" : `input_${i + 1}`));
	const graph = new GraphBuilder(net, merged, { opset, inputNames: names, training }).build("output");
	const model = new OnnxModel(
		create(ModelProtoSchema, {
			irVersion: irVersions.find(([from]) => opset >= from)?.[1],
			producerName: "evenkeel",
			producerVersion: version,
			docString: options.description,
			opsetImport: [{ domain: "", version: BigInt(opset) }],
			metadataProps: Object.entries(options.metadata ?? {}).map(([key, value]) => ({ key, value })),
			graph: {
				name,
				input: merged.inputs.map(({ shape, dtype }, i) => valueInfo(names[i], shape, dtype)),
				output: [valueInfo("output", merged.outputShape, merged.outputType)],
				node: graph.nodes,
				initializer: graph.initializers,
				valueInfo: graph.values.map((value) => valueInfo(value.name, value.shape, value.dtype)),
			},
		}),
		{ name },
	);
	model.check();
	return model;
}

/**
 * Runs the network: once, or on batches of three sizes, so that two tell what follows the batch and one checks it. And
 * once more, on other values, which must not show.
 */
function traces(net: Module, options: ExportOnnxOptions, dynamicBatch: boolean, training: boolean): Trace[] {
	const run = (inputs: readonly Tensor[]) => withoutTraces(net, () => traceNetwork(net, inputs, training));
	return scope(() => {
		const examples = examplesOf(options, dynamicBatch);
		const [{ shape }] = examples;
		const batches = dynamicBatch
			? [0, 1, 3].map((more) => examples.map((example) => rows(example, shape[0] + more)))
			: [examples];
		const runs = batches.map(run);
		const probe = unlessRefused(() => run(otherValues(examples)));
		if (probe) checkNotReadOff(runs[0], probe);
		return runs;
	});
}

/** Null where forward refuses values that are not those given: that tells nothing. */
function unlessRefused(run: () => Trace): Trace | null {
	try {
		return run();
	} catch {
		return null;
	}
}

function examplesOf({ inputShape, input }: ExportOnnxOptions, dynamicBatch: boolean): readonly Tensor[] {
	check(
		(inputShape === undefined) !== (input === undefined),
		"exportOnnx: give the shape of one example, { inputShape: [1, 28, 28] }, or an example of the input, { input: x }",
	);
	if (inputShape) {
		checkShape(inputShape, "exportOnnx: inputShape");
		const shape = [dynamicBatch ? 2 : 1, ...inputShape];
		const values = new Generator(0).fillUniform(new Float32Array(sizeOf(shape)));
		return [tensor(values, shape, { name: "input" })];
	}
	const examples = "isEvenkeelTensor" in (input ?? []) ? [input as Tensor] : (input as readonly Tensor[]);
	check(examples.length > 0, "exportOnnx: input is empty; give one tensor for each argument of forward");
	for (const example of examples) {
		check(
			!dynamicBatch || (example.ndim > 0 && example.shape[0] > 0 && example.shape[0] === examples[0].shape[0]),
			() =>
				`exportOnnx: ${example.describe()}: the first axis of each input is the batch, which must have an example, ` +
				"and as many in each; export with dynamicBatch: false if there is no batch",
		);
	}
	return examples;
}

/** `count` rows of `x`, which begins again where it ends. */
function rows(x: Tensor, count: number): Tensor {
	return gatherRows(
		x.detach(),
		Array.from({ length: count }, (_, i) => i % x.shape[0]),
	);
}

/** ONNX's numbers for our types; what is computed in float64 is written as float32. */
const elementTypes: Readonly<Record<DType, number>> = { float32: 1, float64: 1, uint8: 2, int32: 6 };

/** What a graph takes, returns or holds. A length that follows the batch is an axis with a name. */
function valueInfo(
	name: string,
	shape: readonly Length[],
	dtype: DType,
): MessageInitShape<typeof ValueInfoProtoSchema> {
	const dim = shape.map((length) =>
		isFixed(length)
			? { value: { case: "dimValue" as const, value: BigInt(length.plus) } }
			: { value: { case: "dimParam" as const, value: formatLength(length) } },
	);
	return { name, type: { value: { case: "tensorType", value: { elemType: elementTypes[dtype], shape: { dim } } } } };
}
