// What convolutions and pools have in common: strides, dilations, and padding that may depend on the input's size.

import { quote } from "../model-files/show.ts";
import type { NodeContext } from "./node-context.ts";

/** Before and after, along one axis. */
export type Side = readonly [before: number, after: number];

export interface Spatial {
	readonly kernel: readonly number[];
	readonly stride: readonly number[];
	readonly dilation: readonly number[];
	/** The padding of inputs whose spatial lengths are `size`. */
	readonly padding: (size: readonly number[]) => readonly Side[];
	/** The padding, where it is the same for all sizes. */
	readonly fixedPadding: readonly Side[] | null;
}

/**
 * The attributes strides, dilations, pads and auto_pad. SAME pads so that the output has ceil(size / stride) pixels, the
 * odd one at the end (UPPER) or at the beginning (LOWER).
 */
export function spatialOf(node: NodeContext, kernel: readonly number[]): Spatial {
	const each = (name: string, missing: number) => {
		const list = node.ints(name) ?? kernel.map(() => missing);
		if (list.length !== kernel.length) {
			node.fail(`${name} [${list.join(", ")}] must have ${kernel.length} entries, one an axis`);
		}
		return list;
	};
	const stride = each("strides", 1);
	const dilation = each("dilations", 1);
	const auto = node.text("auto_pad", "NOTSET");
	if (auto === "SAME_UPPER" || auto === "SAME_LOWER") {
		const same = (size: readonly number[]) =>
			kernel.map((length, axis) => sameSide(size[axis], length, stride[axis], dilation[axis], auto === "SAME_UPPER"));
		// With stride 1, the padding is one less than what the kernel covers, whatever the size.
		const fixed = stride.every((step) => step === 1) ? same(kernel.map(() => 1)) : null;
		return { kernel, stride, dilation, padding: same, fixedPadding: fixed };
	}
	if (auto !== "NOTSET" && auto !== "VALID") node.fail(`auto_pad ${quote(auto)} is unknown`);
	const sides = auto === "VALID" ? kernel.map((): Side => [0, 0]) : sidesOf(node, kernel.length);
	return { kernel, stride, dilation, padding: () => sides, fixedPadding: sides };
}

function sameSide(size: number, kernel: number, stride: number, dilation: number, upper: boolean): Side {
	const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + dilation * (kernel - 1) + 1 - size);
	const less = Math.floor(total / 2);
	return upper ? [less, total - less] : [total - less, less];
}

/** `pads`: all the beginnings, then all the ends. */
function sidesOf(node: NodeContext, axes: number): Side[] {
	const pads = node.ints("pads") ?? new Array<number>(2 * axes).fill(0);
	if (pads.length !== 2 * axes || pads.some((pad) => pad < 0)) {
		node.fail(`pads [${pads.join(", ")}] must be ${2 * axes} numbers of at least 0`);
	}
	return Array.from({ length: axes }, (_, axis): Side => [pads[axis], pads[axis + axes]]);
}

/** One number an axis, if both sides of each axis are padded alike. */
export function evenPadding(sides: readonly Side[]): number[] | null {
	return sides.every(([before, after]) => before === after) ? sides.map(([before]) => before) : null;
}

/** A number for one axis, a pair for two: as layers take them. */
export function perAxis(list: readonly number[]): [number, number] {
	return [list[0], list[1]];
}
