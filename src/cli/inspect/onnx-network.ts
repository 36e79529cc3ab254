// An ONNX model as something to inspect: a network where it can be run, else the norms among its nodes.

import { EvenkeelError } from "../../errors.ts";
import { isBatchNorm } from "../../nn/is-norm.ts";
import { importOnnx, type OnnxModel } from "../../onnx/index.ts";
import type { Shape } from "../../tensor/shape.ts";
import type { LoadedNetwork } from "./load-network.ts";
import { missingNotes, normsFromGraph, tensorsOf, trainingFinding } from "./norms-from-graph.ts";

/** `shape`: of its input, where the model leaves it open. */
export async function networkOfModel(model: OnnxModel, shape?: Shape): Promise<LoadedNetwork> {
	const { producerName, producerVersion } = model.proto;
	const made = producerName === "" ? "" : ` by ${producerName} ${producerVersion}`.trimEnd();
	const source = `${model.name}, ONNX${made}, operator set ${model.opset()}`;
	const shared = { preset: null, source, trained: true, batchSize: null };
	try {
		const net = await importOnnx(model);
		const declared = net.inputNames.length === 1 ? declaredShape(model, net.inputNames[0]) : null;
		const inputShape = shape ?? declared;
		const notes = inputShape
			? []
			: ["How large its input is, the file leaves open; --input-shape 1,3,224,224 says so."];
		const findings = [...net.namedModules()].flatMap(([name, module]) =>
			isBatchNorm(module) && module.training ? [trainingFinding(name)] : [],
		);
		return {
			...shared,
			net,
			known: true,
			inputShape,
			tensors: [],
			notes: [...notes, ...missingNotes(model)],
			findings,
		};
	} catch (error) {
		if (!(error instanceof EvenkeelError)) throw error;
		const { net, notes: missing, findings } = normsFromGraph(model);
		const notes = [`${error.message}; so only its norms are shown`, ...missing];
		return { ...shared, net, known: false, inputShape: null, tensors: tensorsOf(model), notes, findings };
	}
}

/** The shape of an input as the file has it, for one example; null where it leaves other lengths than the batch open. */
function declaredShape(model: OnnxModel, name: string): Shape | null {
	const type = model.graph.input.find((input) => input.name === name)?.type?.value;
	if (type?.case !== "tensorType" || !type.value.shape) return null;
	const shape = type.value.shape.dim.map(({ value }, axis) => {
		if (value.case === "dimValue" && value.value > 0n) return Number(value.value);
		return axis === 0 ? 1 : null;
	});
	const known = shape.filter((length) => length !== null);
	return known.length === shape.length ? known : null;
}
