// An ONNX model to inspect: as a network where it can be run, else the norms among its nodes.

import { existsSync } from "node:fs";
import { EvenkeelError } from "../../errors.ts";
import type { OnnxModel } from "../../model-files/onnx/index.ts";
import type { Shape } from "../../tensor/shape.ts";
import { checkUsage } from "../errors.ts";
import type { LoadedNetwork, NetworkFlags } from "./load-network.ts";

/** Reads the model in `file`. */
export async function fromOnnx(file: string, flags: NetworkFlags): Promise<LoadedNetwork> {
	checkUsage(existsSync(file), () => `${file}: there is no such file; check the path`);
	checkUsage(flags.preset === undefined, () => `--preset: ${file} holds its network itself; leave it out`);
	// Loaded only now: other files need no protobuf.
	const { importOnnx, readOnnx } = await import("../../onnx/index.ts");
	const model = await readOnnx(file);
	const { producerName, producerVersion } = model.proto;
	const made = producerName === "" ? "" : ` by ${producerName} ${producerVersion}`.trimEnd();
	const source = `${file}, ONNX${made}, operator set ${model.opset()}`;
	const shared = { preset: null, source, trained: true, batchSize: null };
	try {
		const net = await importOnnx(model);
		const declared = net.inputNames.length === 1 ? declaredShape(model, net.inputNames[0]) : null;
		const { inputShape = declared } = flags;
		const notes = inputShape
			? []
			: ["How large its input is, the file leaves open; --input-shape 1,3,224,224 says so."];
		return { ...shared, net, known: true, inputShape, tensors: [], notes };
	} catch (error) {
		if (!(error instanceof EvenkeelError)) throw error;
		const { normsFromGraph, tensorsOf } = await import("./norms-from-graph.ts");
		const notes = [`${error.message}; so only its norms are shown`];
		return { ...shared, net: normsFromGraph(model), known: false, inputShape: null, tensors: tensorsOf(model), notes };
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
