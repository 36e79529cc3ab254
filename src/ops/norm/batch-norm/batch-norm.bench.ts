// Batch normalization alone, training mode, with what it moves: x and y forward, x, dy and dx backward.

import { bench, describe } from "vitest";
import { init } from "../../../backend/init.ts";
import { full, zeros } from "../../creation.ts";
import { batchNorm } from "./op.ts";
import "../../../autograd/backward.ts";
import { scope } from "../../../tensor/scope.ts";

await init();

for (const shape of [
	[64, 64, 56, 56],
	[256, 6, 24, 24],
	[256, 512],
]) {
	const channels = shape[1];
	const x = zeros(shape).setRequiresGrad();
	x.view().forEach((_, i, values) => {
		values[i] = ((i * 7919) % 1009) / 1009;
	});
	const dy = zeros(shape);
	dy.view().set(x.view());
	const weight = full([channels], 1).setRequiresGrad();
	const bias = zeros([channels]).setRequiresGrad();
	const running = { runningMean: zeros([channels]), runningVar: full([channels], 1) };
	const options = { weight, bias, ...running, training: true };
	describe(JSON.stringify(shape), () => {
		bench("forward", () => scope(() => void batchNorm(x, options)));
		bench("forward and backward", () =>
			scope(() => {
				batchNorm(x, options).backward(dy);
				for (const leaf of [x, weight, bias]) {
					leaf.grad?.dispose();
					leaf.grad = null;
				}
			}),
		);
	});
}
