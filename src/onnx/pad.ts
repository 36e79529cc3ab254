// Padding a tensor, made of pieces put together, so that gradients flow.

import { EvenkeelError } from "../errors.ts";
import { quote } from "../model-files/show.ts";
import { full } from "../ops/creation.ts";
import { concat, slice } from "../ops/shape/op.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Side } from "./spatial.ts";

export type PadMode = "constant" | "reflect" | "edge" | "wrap";

/**
 * `x` with elements before and after along each axis; negative numbers cut off.
 *
 * @param sides for each axis of x
 * @param mode what is added: `value`; what lies on the other side of the edge element; the edge element; what lies at
 *   the other end
 */
export function padTensor(x: Tensor, sides: readonly Side[], mode: PadMode = "constant", value = 0): Tensor {
	let out = x;
	for (const [axis, [before, after]] of sides.entries()) {
		const cut = crop(out, axis, Math.max(0, -before), Math.max(0, -after));
		const [head, tail] = [Math.max(0, before), Math.max(0, after)];
		if (head === 0 && tail === 0) {
			out = cut;
			continue;
		}
		const parts =
			mode === "constant"
				? [block(cut, axis, head, value), cut, block(cut, axis, tail, value)]
				: [...pieces(cut, axis, head, mode, true), cut, ...pieces(cut, axis, tail, mode, false)];
		out = concat(
			parts.filter((part) => part.shape[axis] > 0 || part === cut),
			axis,
		);
	}
	return out;
}

/** `x` without the first and last elements along `axis`. */
export function crop(x: Tensor, axis: number, before: number, after: number): Tensor {
	return before === 0 && after === 0 ? x : slice(x, axis, before, x.shape[axis] - after);
}

function block(x: Tensor, axis: number, length: number, value: number): Tensor {
	return full(
		x.shape.map((other, i) => (i === axis ? length : other)),
		value,
	);
}

/** The elements that are added at one end, one after another. */
function pieces(x: Tensor, axis: number, count: number, mode: PadMode, atStart: boolean): Tensor[] {
	const length = x.shape[axis];
	const longest = mode === "reflect" ? length - 1 : length;
	if (count > longest && mode !== "edge") {
		throw new EvenkeelError(`pads ${count} elements by ${quote(mode)} along axis ${axis}, which has only ${length}`);
	}
	return Array.from({ length: count }, (_, i) => {
		// How far from the edge: the first piece at the start is the one farthest from it.
		const distance = atStart ? count - i : i + 1;
		const at = {
			constant: 0,
			edge: atStart ? 0 : length - 1,
			reflect: atStart ? distance : length - 1 - distance,
			wrap: atStart ? length - distance : distance - 1,
		}[mode];
		return slice(x, axis, at, at + 1);
	});
}
