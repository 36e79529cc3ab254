// A norm that nothing takes, as a multiplication and an addition: for runtimes that have no batch normalization.

import { type NodeProto, nodeLabel, type OnnxGraph } from "../../model-files/onnx/index.ts";
import { quote } from "../../model-files/show.ts";
import { demand } from "../../surgery/fold/refusal.ts";
import { floatConstant, inType, rankOf, typeOf } from "./constants.ts";
import { affineOfNode } from "./norm-node.ts";
import type { Change } from "./plan.ts";

/**
 * Mul and Add in the place of `norm`.
 *
 * @throws Refusal if its scale and shift are not constant, or the number of axes is not known
 */
export function planMulAdd(graph: OnnxGraph, norm: NodeProto): Change {
	const affine = affineOfNode(graph, norm);
	const [x] = norm.input;
	const rank = rankOf(graph, x) ?? rankOf(graph, norm.output[0]);
	demand(rank !== null && rank >= 2, "it is not known how many axes it reads, which a product and a sum must know");
	demand(graph.model.opset() >= 7, "before version 7 a product and a sum had their own kind of broadcasting");
	const own = floatConstant(graph, norm.input[1], "its scale").type;
	// From version 15 on its numbers may be of another type than what it reads.
	const type = graph.model.opset() < 15 ? own : (typeOf(graph, x) ?? typeOf(graph, norm.output[0]));
	demand(type !== null, () => `it is not known of which type ${quote(x)} is, which a product and a sum must share`);
	const shape = [affine.scale.length, ...new Array<number>(rank - 2).fill(1)];
	const [scale, shift] = [inType(type, shape, affine.scale), inType(type, shape, affine.shift)];
	const fits = [scale, shift].every(({ data }) => Array.prototype.every.call(data, Number.isFinite));
	demand(fits, () => `its scale and shift would be too large for ${type}`);
	return {
		folded: { norm: nodeLabel(norm), into: [], how: "mul-add" },
		apply() {
			const [output] = norm.output;
			const base = norm.name || output;
			const constants = norm.input.slice(1);
			const names = [scale, shift].map((one, i) => graph.addInitializer(`${base}_${i ? "shift" : "scale"}`, one).name);
			const scaled = graph.freshName(`${output}_scaled`);
			// The norm steps aside before it goes, so that what the graph says of its output stays.
			graph.setOutput(norm, 0, graph.freshName(`${output}_norm`));
			graph.addNode({ opType: "Mul", name: `${base}_mul`, input: [x, names[0]], output: [scaled] }, norm);
			graph.addNode({ opType: "Add", name: `${base}_add`, input: [scaled, names[1]], output: [output] }, norm);
			graph.removeNode(norm);
			for (const name of constants) graph.removeUnread(name);
		},
	};
}
