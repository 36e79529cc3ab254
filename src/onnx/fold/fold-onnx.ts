// foldOnnx: an ONNX model without the batch normalizations that its convolutions and products can take.

import { type NodeProto, nodeLabel, OnnxGraph, type OnnxModel } from "../../model-files/onnx/index.ts";
import { subgraphs } from "../../model-files/onnx/walk.ts";
import { attempt } from "../../surgery/fold/refusal.ts";
import type { FoldedNorm, FoldReport, LeftNorm } from "../../surgery/fold/report.ts";
import { planMulAdd } from "./mul-add.ts";
import { isBatchNorm } from "./norm-node.ts";
import { type Change, planFor } from "./plan.ts";

export interface FoldOnnxOptions {
	/**
	 * Take initializers that are also graph inputs for constants. From IR version 4 on such a one is a default that
	 * whoever runs the model may replace, so that nothing can be folded of it; with this, these stop being inputs.
	 * Default false.
	 */
	fixInputs?: boolean;
	/** What becomes of a norm that nothing takes: `"keep"` (default), or `"mul-add"`, a Mul and an Add. */
	rest?: "keep" | "mul-add";
}

/** What {@link foldOnnx} did. */
export interface OnnxFoldReport extends FoldReport {
	/** Nodes of the main graph. */
	readonly nodes: { readonly before: number; readonly after: number };
}

/**
 * Folds BatchNormalization nodes of every version into the Conv, ConvTranspose, Gemm or MatMul (with its Add) before
 * them, or into all of those behind them, or into a BatchNormalization before them. Identity, Dropout, averages of
 * pixels, Flatten and Reshape may lie between, as far as they keep the channels apart.
 *
 * The output stays what it was, but for rounding: float64 on the way, stored in the type that the weights have. Where
 * that cannot be, the node stays, and the report says why: it is training or not spatial, its numbers or the weights are
 * computed or may be replaced, its neighbor's output has another reader or is returned, a convolution behind it pads.
 * Weights that several nodes share are only replaced for the one that takes a norm.
 *
 * Nothing else changes: other nodes, names, metadata and fields that are not known. Tensors that change move into the
 * model where their data lay in another file.
 *
 * @param source left as it is
 * @throws EvenkeelError if a tensor's data cannot be read
 */
export function foldOnnx(
	source: OnnxModel,
	options: FoldOnnxOptions = {},
): { model: OnnxModel; report: OnnxFoldReport } {
	const model = source.copy();
	if (options.fixInputs) fixInputs(model);
	const graph = new OnnxGraph(model);
	const before = graph.proto.node.length;
	const elsewhere = normsElsewhere(model);
	const folded: FoldedNorm[] = [];
	let left: LeftNorm[] = [];
	const locked =
		model.proto.trainingInfo.length > 0 ? "the model says how it is to be trained, by the names of its weights" : null;
	for (let count = -1; count < folded.length; ) {
		count = folded.length;
		left = pass(graph, (norm) => locked ?? planFor(graph, norm), folded);
	}
	if (options.rest === "mul-add" && !locked) {
		const reasons = new Map(left.map(({ norm, reason }) => [norm, reason]));
		left = pass(graph, (norm) => mulAdd(graph, norm, reasons.get(nodeLabel(norm))), folded);
	}
	return {
		model,
		report: { folded, left: [...left, ...elsewhere], nodes: { before, after: graph.proto.node.length } },
	};
}

/** Plans each norm in the order of running, and does what is planned at once. Returns those that stay. */
function pass(graph: OnnxGraph, plan: (norm: NodeProto) => Change | string, folded: FoldedNorm[]): LeftNorm[] {
	const left: LeftNorm[] = [];
	for (const norm of graph.nodes().filter(isBatchNorm)) {
		const found = plan(norm);
		if (typeof found === "string") left.push({ norm: nodeLabel(norm), reason: found });
		else {
			found.apply();
			folded.push(found.folded);
		}
	}
	return left;
}

/** As Mul and Add; if even that cannot be, the reason of before stays the one that counts. */
function mulAdd(graph: OnnxGraph, norm: NodeProto, reason: string | undefined): Change | string {
	const plan = attempt(() => planMulAdd(graph, norm));
	return typeof plan === "string" && reason !== undefined && reason !== plan
		? `${reason}; as Mul and Add: ${plan}`
		: plan;
}

/** Makes constants of initializers that are also inputs. */
function fixInputs({ graph, proto }: OnnxModel): void {
	if (proto.irVersion < 4n) return;
	const initializers = new Set(graph.initializer.map(({ name }) => name));
	graph.input = graph.input.filter(({ name }) => !initializers.has(name));
}

/** Norms in the branches and bodies of nodes, and in the model's own functions. */
function normsElsewhere({ graph, proto }: OnnxModel): LeftNorm[] {
	const found: LeftNorm[] = [];
	const look = (nodes: readonly NodeProto[], where: string | null) => {
		for (const node of nodes) {
			if (where !== null && isBatchNorm(node))
				found.push({ norm: nodeLabel(node), reason: `it stands in ${where}, where nothing is folded` });
			for (const inner of subgraphs(node)) look(inner.node, `a subgraph of ${nodeLabel(node)}`);
		}
	};
	look(graph.node, null);
	for (const { name, node } of proto.functions) look(node, `the function "${name}"`);
	return found;
}
