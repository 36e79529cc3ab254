// Damaged models: an error that says so, or a network that runs or says why not.

import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { damaged, numRuns } from "../../test/support/damaged.ts";
import { integers, model, node, noise, value, weight } from "../../test/support/onnx-builder.ts";
import { input } from "../../test/support/onnx-compare.ts";
import { noGrad } from "../autograd/tape.ts";
import { init } from "../backend/init.ts";
import { EvenkeelError } from "../errors.ts";
import { encodeOnnx } from "../model-files/onnx/index.ts";
import { tensor } from "../ops/creation.ts";
import { scope } from "../tensor/scope.ts";
import { importOnnx } from "./index.ts";

beforeAll(async () => {
	await init({ threads: 1 });
});

/** Layers, shapes that are computed, pools, norms. */
function small(): Uint8Array {
	const names = ["bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"];
	return encodeOnnx(
		model({
			nodes: [
				node("Conv", ["x", "c.weight"], ["a"], { pads: [0n, 1n, 1n, 0n], strides: [2n, 1n] }),
				node("BatchNormalization", ["a", ...names], ["b"]),
				node("Relu", ["b"], ["c"]),
				node("MaxPool", ["c"], ["d"], { kernel_shape: [2n, 2n] }),
				node("GroupNormalization", ["d", "g", "g"], ["e"], { num_groups: 2n }),
				node("Pad", ["e", "pads"], ["f"]),
				node("Shape", ["f"], ["s"], { end: 1n }),
				node("Concat", ["s", "minus"], ["shape"], { axis: 0n }),
				node("Reshape", ["f", "shape"], ["h"]),
				node("Slice", ["h", "minus", "pads"], ["i"]),
				node("ReduceMean", ["h"], ["j"]),
				node("Split", ["h"], ["k", "l"], { axis: 1n, num_outputs: 2n }),
				node("Gather", ["h", "zero"], ["m"], { axis: 1n }),
				node("Softmax", ["m"], ["y"], { axis: 0n }),
			],
			inputs: [value("x", ["N", 2, 6, 5])],
			outputs: [value("y"), value("k")],
			initializers: [
				weight("c.weight", [4, 2, 3, 2], noise(48)),
				...names.map((name, i) =>
					weight(
						name,
						[4],
						noise(4, i + 1).map((v) => v + 2),
					),
				),
				weight("g", [2], [1, 2]),
				integers("pads", [0, 0, 1, 0, 0, 0, 0, 1]),
				integers("minus", [-1]),
				integers("zero", 0),
			],
			opset: 18,
		}),
	);
}

test("damaged models", async () => {
	let ran = 0;
	const x = tensor(input([2, 2, 6, 5]).data as Float32Array, [2, 2, 6, 5]);
	const files = [small()];
	await fc.assert(
		fc.asyncProperty(damaged(files), async (bytes) => {
			try {
				const net = await importOnnx(bytes);
				scope(() => noGrad(() => void net.forward(x)));
				ran++;
			} catch (error) {
				if (!(error instanceof EvenkeelError)) throw error;
			}
		}),
		{ numRuns },
	);
	expect(ran).toBeGreaterThan(numRuns / 100);
	expect(ran).toBeLessThan(numRuns);
});
