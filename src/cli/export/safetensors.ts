// Weights as safetensors, for PyTorch and everything else that reads them.

import { writeFileAtomicSync } from "../../model-files/atomic-write.ts";
import { encodeWeights } from "../../train/index.ts";
import type { ExportFormat } from "./formats.ts";

export const safetensorsFormat: ExportFormat = {
	extension: ".safetensors",
	name: "safetensors",
	async write(source, out, { dtype, metadata }) {
		const state = source.state();
		const bytes = encodeWeights(state, { dtype, metadata });
		writeFileAtomicSync(out, bytes);
		const tensors = Object.values(state);
		const values = tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
		const hint = `In PyTorch: net.load_state_dict(safetensors.torch.load_file(${JSON.stringify(out)}))`;
		return { tensors: tensors.length, values, bytes: bytes.length, hint };
	},
};
