// Networks whose every number shows in their output, for tests of what is done to networks.

import type { Module } from "../../src/nn/index.ts";
import { tensor } from "../../src/ops/creation.ts";
import { Generator } from "../../src/random/generator.ts";
import { scope } from "../../src/tensor/scope.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";

/** Standard normal values. */
export const normal = (shape: readonly number[], seed = 1) =>
	tensor(new Generator(seed).fillNormal(new Float32Array(shape.reduce((a, b) => a * b, 1))), shape);

/** Gives every parameter and statistic a value that shows: means and shifts far from 0, deviations and scales from 1. */
export function shaken<Net extends Module>(net: Net, seed = 3): Net {
	const generator = new Generator(seed);
	for (const [name, value] of [...net.namedParameters(), ...net.namedBuffers()]) {
		const values = value.view().subarray(0, value.size);
		if (name.endsWith("running_var")) for (let i = 0; i < values.length; i++) values[i] = 0.3 + 2 * generator.uniform();
		else if (!name.endsWith("tracked"))
			for (let i = 0; i < values.length; i++) values[i] = 2 * generator.uniform() - 0.8;
	}
	return net;
}

/** What `net` returns for `x` in evaluation mode; it stays in its own mode. */
export function outputs(net: Module, x: Tensor): Float32Array {
	const training = net.training;
	const y = scope(() => Float32Array.from(net.eval().forward(x).view().subarray(0)));
	net.train(training);
	return y;
}
