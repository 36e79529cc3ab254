// An ONNX model to recalibrate: its statistics are written back where they came from, everything else stays byte for byte.

import { isBatchNorm } from "../../nn/is-norm.ts";
import { importOnnx, type OnnxModel, readOnnx, unshareStatistics, updateOnnx, writeOnnx } from "../../onnx/index.ts";
import { checkUsage } from "../errors.ts";
import type { Subject } from "./subject.ts";

/** Reads the model `name`, to be written to `out`. */
export async function openOnnx(name: string, out: string): Promise<Subject> {
	const model = await readOnnx(name);
	unshareStatistics(model);
	const net = await importOnnx(model);
	checkUsage(
		net.inputNames.length === 1,
		() =>
			`${name}: it takes ${net.inputNames.length} inputs (${net.inputNames.join(", ")}); recalibrate it in code, with importOnnx and recalibrate`,
	);
	const training = [...net.namedModules()].flatMap(([layer, module]) =>
		isBatchNorm(module) && module.training ? [layer] : [],
	);
	const shape = shapeOf(model, net.inputNames[0]);
	return {
		source: `${name}, operator set ${model.opset()}`,
		net,
		preset: null,
		inputShape: shape ? shape.slice(1) : null,
		batchSize: shape?.[0] ?? null,
		transform: {},
		notes: training.map(
			(layer) =>
				`"${layer}" trains in the file: it normalizes by each batch and never reads its running statistics when the ` +
				"model runs; export the network in evaluation mode for them to count",
		),
		async write() {
			updateOnnx(model, net);
			await writeOnnx(out, model);
			return [out];
		},
	};
}

/** The lengths that the model declares for an input, null where any will do; null if it declares nothing. */
function shapeOf(model: OnnxModel, name: string): (number | null)[] | null {
	const type = model.graph.input.find((input) => input.name === name)?.type;
	if (type?.value.case !== "tensorType" || !type.value.value.shape) return null;
	return type.value.value.shape.dim.map(({ value }) => (value.case === "dimValue" ? Number(value.value) : null));
}
