// A network with its weights as ONNX, for onnxruntime and everything else that runs it.

import { formatShape } from "../../tensor/shape.ts";
import { checkUsage } from "../errors.ts";
import type { ExportFormat } from "./formats.ts";

export const onnxFormat: ExportFormat = {
	extension: ".onnx",
	name: "onnx",
	async write({ network, description }, out, { dtype, opset, metadata }) {
		const inputShape = network?.inputShape?.slice(1);
		checkUsage(
			network && inputShape,
			() => `${out}: ONNX holds the network as well, and it is not known; name it with --preset`,
		);
		checkUsage(
			dtype === undefined || dtype === "f32",
			() => `--dtype ${dtype}: ONNX is written in f32; f16 and bf16 are for .safetensors`,
		);
		// Loaded only now: the other formats need no protobuf.
		const { encodeOnnx, exportOnnx } = await import("../../onnx/index.ts");
		const { writeFileAtomic } = await import("../../model-files/atomic-write.ts");
		const name = network.preset?.name;
		const model = exportOnnx(network.net, { inputShape, opset, name, description, metadata });
		const bytes = encodeOnnx(model);
		await writeFileAtomic(out, bytes);
		const tensors = model.graph.initializer;
		const values = tensors.reduce((sum, { dims }) => sum + dims.reduce((a, b) => a * Number(b), 1), 0);
		const input = formatShape([0, ...inputShape]).replace("0", "N");
		const hint = `For onnxruntime, operator set ${model.opset()}: input "input" ${input}, output "output"`;
		return { tensors: tensors.length, values, bytes: bytes.length, opset: model.opset(), hint };
	},
};
