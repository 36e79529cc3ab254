// ONNX Runtime as one side of a comparison: inference only, with all of its graph optimizations, which fold the norms
// that follow a convolution by themselves.

import { createRequire } from "node:module";
import { serve, settings, timeSteps, Unsupported } from "../sides/serve.mjs";
import { networks, withoutNorms } from "./networks.mjs";
import { onnxModel } from "./onnx-model.mjs";

const require = createRequire(import.meta.url);
const ort = require("onnxruntime-node");
const { version } = require("onnxruntime-node/package.json");
const { threads } = settings();

await serve(`onnxruntime-node ${version} (cpu, ${threads} threads)`, async ({ kind, network, batch, folded }) => {
	if (kind !== "infer") throw new Unsupported("it does not train");
	const { model, output } = onnxModel(folded ? withoutNorms(networks[network]) : networks[network]);
	const session = await ort.InferenceSession.create(model, {
		intraOpNumThreads: threads,
		graphOptimizationLevel: "all",
	});
	const x = new ort.Tensor("float32", Float32Array.from({ length: batch * 784 }, Math.random), [batch, 1, 28, 28]);
	const step = async () => {
		const { [output]: y } = await session.run({ x });
		if (y.dims[0] !== batch) throw new Error(`onnxruntime: expected ${batch} rows, got ${y.dims[0]}`);
	};
	await timeSteps(0.3, step);
	return { run: async (seconds) => ({ step: await timeSteps(seconds, step) }), free: () => session.release() };
});
