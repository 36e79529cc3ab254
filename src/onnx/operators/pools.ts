// MaxPool, AveragePool and the global pools.

import { AdaptiveAvgPool2d, AvgPool2d, MaxPool2d } from "../../nn/layers/pool.ts";
import { ones } from "../../ops/creation.ts";
import { div } from "../../ops/elementwise/op.ts";
import { avgPool1d, avgPool2d, maxPool1d, maxPool2d } from "../../ops/pool/op.ts";
import { max, mean } from "../../ops/reduce/op.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Run } from "../graph-module.ts";
import type { NodeContext, Operator } from "../node-context.ts";
import { padTensor } from "../pad.ts";
import { evenPadding, perAxis, type Side, type Spatial, spatialOf } from "../spatial.ts";
import type { Dims } from "../value.ts";

/** The attributes that all windows have. */
function windowOf(node: NodeContext): { spatial: Spatial; ceilMode: boolean; flat: boolean } {
	const kernel = node.ints("kernel_shape") ?? node.fail("it has no kernel_shape");
	if (kernel.length !== 1 && kernel.length !== 2)
		node.fail(`pools run along one or two axes, this one has ${kernel.length}`);
	const dims = node.dims(0);
	node.setDims([dims?.[0] ?? null, dims?.[1] ?? null, ...kernel.map(() => null)]);
	return { spatial: spatialOf(node, kernel), ceilMode: node.flag("ceil_mode", false), flat: kernel.length === 1 };
}

/** The padding as layers take it: alike on both sides, and no more than half of the kernel. Null for any other. */
function layerPadding({ fixedPadding, kernel }: Spatial): number[] | null {
	const padding = fixedPadding && evenPadding(fixedPadding);
	return padding?.every((pad, axis) => 2 * pad <= kernel[axis]) ? padding : null;
}

/** The padding of `x`, for all of its axes. */
function allSides(x: Tensor, { padding }: Spatial): Side[] {
	return [[0, 0], [0, 0], ...padding(x.shape.slice(2))];
}

const maxPool: Operator = (node) => {
	node.noOutputsFrom(1, "the indices");
	const { spatial, ceilMode, flat } = windowOf(node);
	const { kernel, stride, dilation } = spatial;
	const padding = layerPadding(spatial);
	if (padding && !flat) {
		const options = { stride: perAxis(stride), dilation: perAxis(dilation), padding: perAxis(padding), ceilMode };
		return node.plain(new MaxPool2d(perAxis(kernel), options));
	}
	const pool = flat ? maxPool1d : maxPool2d;
	const x = node.input(0);
	return (env) => {
		const input = x.tensor(env);
		if (padding) return pool(input, kernel, { stride, dilation, padding, ceilMode });
		const padded = padTensor(input, allSides(input, spatial), "constant", -Infinity);
		return pool(padded, kernel, { stride, dilation, ceilMode });
	};
};

const averagePool: Operator = (node) => {
	const { spatial, ceilMode, flat } = windowOf(node);
	const { kernel, stride, dilation } = spatial;
	if (dilation.some((step) => step !== 1)) node.fail(`dilations [${dilation.join(", ")}] of averages cannot be run`);
	const countIncludePad = node.flag("count_include_pad", false);
	const padding = layerPadding(spatial);
	if (padding && !flat) {
		const options = { stride: perAxis(stride), padding: perAxis(padding), ceilMode, countIncludePad };
		return node.plain(new AvgPool2d(perAxis(kernel), options));
	}
	const pool = flat ? avgPool1d : avgPool2d;
	const x = node.input(0);
	return (env): Tensor => {
		const input = x.tensor(env);
		if (padding) return pool(input, kernel, { stride, padding, ceilMode, countIncludePad });
		const sides = allSides(input, spatial);
		const average = pool(padTensor(input, sides), kernel, { stride, ceilMode });
		if (countIncludePad) return average;
		// What share of each window is not padding.
		const plane = ones([1, 1, ...input.shape.slice(2)]);
		return div(average, pool(padTensor(plane, sides), kernel, { stride, ceilMode }));
	};
};

/** The axes behind batch and channels. */
function spatialAxes(x: Tensor): number[] {
	return Array.from({ length: x.ndim - 2 }, (_, i) => i + 2);
}

function globalDims(node: NodeContext): Dims {
	return node.dims(0)?.map((length, axis) => (axis < 2 ? length : 1));
}

const globalAveragePool: Operator = (node): Run => {
	node.setDims(globalDims(node));
	if (node.dims(0)?.length === 4) return node.plain(new AdaptiveAvgPool2d(1));
	const x = node.input(0);
	return (env) => {
		const input = x.tensor(env);
		return mean(input, spatialAxes(input), { keepDims: true });
	};
};

const globalMaxPool: Operator = (node): Run => {
	node.setDims(globalDims(node));
	const x = node.input(0);
	return (env) => {
		const input = x.tensor(env);
		return max(input, spatialAxes(input), { keepDims: true });
	};
};

export const pools: Readonly<Record<string, Operator>> = {
	MaxPool: maxPool,
	AveragePool: averagePool,
	GlobalAveragePool: globalAveragePool,
	GlobalMaxPool: globalMaxPool,
};
