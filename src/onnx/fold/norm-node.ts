// BatchNormalization of all versions: whether a node normalizes by fixed statistics, and then its scale and shift.

import {
	floatAttribute,
	intAttribute,
	isOperator,
	type NodeProto,
	type OnnxGraph,
} from "../../model-files/onnx/index.ts";
import { type Affine, affineOf } from "../../surgery/fold/affine.ts";
import { demand, refuse } from "../../surgery/fold/refusal.ts";
import { numbersOf } from "../value.ts";
import { floatConstant } from "./constants.ts";

export function isBatchNorm(node: NodeProto): boolean {
	return isOperator(node, "BatchNormalization");
}

/**
 * Scale and shift of a node.
 *
 * @throws Refusal if it is training, normalizes each element of a map for itself, or is not constant
 */
export function affineOfNode(graph: OnnxGraph, node: NodeProto): Affine {
	checkInference(graph.model.opset(), node);
	const read = (input: number, what: string) => {
		const { data } = numbersOf(floatConstant(graph, node.input[input] ?? "", `its ${what}`));
		return data;
	};
	const [weight, bias, mean, variance] = ["scale", "shift", "mean", "variance"].map((what, i) => read(i + 1, what));
	demand(
		[bias, mean, variance].every(({ length }) => length === weight.length),
		() =>
			`its scale, shift, mean and variance are of ${[weight, bias, mean, variance].map(({ length }) => length).join(", ")} values`,
	);
	return affineOf({ weight, bias, mean, variance, eps: floatAttribute(node, "epsilon", 1e-5) });
}

function checkInference(version: number, node: NodeProto): void {
	const flag = (name: string, missing: number) => intAttribute(node, name, missing) !== 0;
	const training = "it normalizes by the statistics of the batch";
	if (version < 1) refuse("the model does not say which version of ONNX's operators it uses");
	if (version >= 14 && flag("training_mode", 0)) refuse(`it is training (training_mode is 1): ${training}`);
	if (version < 7 && !flag("is_test", 0)) refuse(`it is training (is_test is 0): ${training}`);
	if (version < 9 && !flag("spatial", 1)) refuse("each element of a map has statistics of its own (spatial is 0)");
	// Before version 14 this is how a node says that it is training.
	if (node.output.slice(1).some((name) => name !== "")) refuse(`it is training (it returns statistics): ${training}`);
}
