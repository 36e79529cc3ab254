// linear on the shapes of LeNet and of the 784-512-256-10 network: forward, dx, dW. Run with
// `npx vitest bench src/ops/linear`; EVENKEEL_THREADS sets the threads (2).

import { flopsTable } from "../../../test/support/flops.ts";
import { init } from "../../backend/init.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { productKernels } from "../matmul/op.ts";
import { matrix, transposed } from "../matmul/product.ts";
import { empty, kernelsFor } from "../op.ts";

const threads = Number(process.env.EVENKEEL_THREADS ?? 2);
const backend = await init({ threads });
const measure = flopsTable(threads);

function filled(shape: number[]): Tensor {
	const made = empty(shape, backend, "float", "benchmark");
	made.view().forEach((_, i, values) => {
		values[i] = ((i * 7919) % 1000) / 1000 - 0.5;
	});
	return made;
}

for (const [m, k, n] of [
	[256, 256, 120],
	[256, 120, 84],
	[256, 84, 10],
	[256, 784, 512],
	[256, 512, 256],
	[256, 256, 10],
	[1, 784, 512],
	[1024, 1024, 1024],
]) {
	const [x, w, y, b] = [filled([m, k]), filled([n, k]), filled([m, n]), filled([n])];
	const [dx, dw] = [filled([m, k]), filled([n, k])];
	const { multiply } = kernelsFor(productKernels, x);
	const flops = 2 * m * n * k;
	const name = `linear ${m} x ${k} -> ${n}`;
	measure(`${name}, forward`, flops, () =>
		multiply({ a: matrix(x, k), b: transposed(matrix(w, k)), c: y, bias: b, m, n, k }),
	);
	measure(`${name}, dx`, flops, () => multiply({ a: matrix(y, n), b: matrix(w, k), c: dx, bias: null, m, n: k, k: n }));
	measure(`${name}, dW`, flops, () =>
		multiply({ a: transposed(matrix(y, n)), b: matrix(x, k), c: dw, bias: null, m: n, n: k, k: m }),
	);
}
