// Convolution on the shapes of LeNet (batch 256) and of small residual networks: forward, dx, dW.
// Run with `npx vitest bench src/ops/conv`; EVENKEEL_THREADS sets the threads (2).

import { flopsTable } from "../../../test/support/flops.ts";
import { init } from "../../backend/init.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { empty } from "../op.ts";
import type { Geometry } from "./geometry.ts";
import { type Conv2dOptions, convAttrs, convGeometry } from "./options.ts";
import { wasmConv } from "./wasm.ts";

const threads = Number(process.env.EVENKEEL_THREADS ?? 2);
const backend = await init({ threads });
const measure = flopsTable(threads);

function filled(shape: readonly number[]): Tensor {
	const made = empty(shape, backend, "float", "benchmark");
	made.view().forEach((_, i, values) => {
		values[i] = ((i * 7919) % 1000) / 1000 - 0.5;
	});
	return made;
}

/** Multiplications and additions, zeros of the padding included. */
function flopsOf(g: Geometry): number {
	const [rows, columns] = g.outSize;
	return 2 * g.images * g.groups * g.outputs * g.channels * g.kernel[0] * g.kernel[1] * rows * columns;
}

function benchmark(name: string, x: number[], w: number[], options: Conv2dOptions = {}): void {
	const g = convGeometry(convAttrs("conv2d", 2, w.slice(2), options), x, w, null);
	const image = filled(x);
	const weight = filled(w);
	const bias = filled([w[0]]);
	const out = filled([x[0], w[0], ...g.outSize]);
	const [dx, dw] = [filled(x), filled(w)];
	measure(`${name}, forward`, flopsOf(g), () => wasmConv.gather(g, image, weight, bias, out));
	measure(`${name}, dx`, flopsOf(g), () => wasmConv.scatter(g, out, weight, null, dx));
	measure(`${name}, dW`, flopsOf(g), () => wasmConv.outer(g, image, out, dw, null));
}

benchmark("LeNet 1-6 k5, 28 x 28", [256, 1, 28, 28], [6, 1, 5, 5]);
benchmark("LeNet 6-16 k5, 12 x 12", [256, 6, 12, 12], [16, 6, 5, 5]);
benchmark("16-16 k3, 28 x 28", [64, 16, 28, 28], [16, 16, 3, 3], { padding: 1 });
benchmark("32-32 k3, 14 x 14", [64, 32, 14, 14], [32, 32, 3, 3], { padding: 1 });
benchmark("64-64 k3, 7 x 7", [64, 64, 7, 7], [64, 64, 3, 3], { padding: 1 });
benchmark("16-32 k3 stride 2, 28 x 28", [64, 16, 28, 28], [32, 16, 3, 3], { padding: 1, stride: 2 });
benchmark("16-32 k1 stride 2, 28 x 28", [64, 16, 28, 28], [32, 16, 1, 1], { stride: 2 });
benchmark("64-64 k1, 14 x 14", [64, 64, 14, 14], [64, 64, 1, 1]);
benchmark("64-64 k3, 3 x 3 (narrow)", [64, 64, 3, 3], [64, 64, 3, 3], { padding: 1 });
benchmark("32 depthwise k3, 28 x 28", [64, 32, 28, 28], [32, 1, 3, 3], { padding: 1, groups: 32 });
benchmark("one image, 64-64 k3, 56 x 56", [1, 64, 56, 56], [64, 64, 3, 3], { padding: 1 });
