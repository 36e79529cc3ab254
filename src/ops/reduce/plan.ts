// A reduction over any axes as passes over [outer, n, inner], each of which reduces the middle.

import type { Shape } from "../../tensor/shape.ts";

/** One pass: `n` numbers, `inner` elements apart, become one. */
export interface Pass {
	outer: number;
	n: number;
	inner: number;
}

/**
 * The passes that reduce `axes` (sorted) of `shape`: neighboring axes are taken together, and groups that are
 * apart one after another, the last first, so that each pass after the first is small. Empty if nothing is left
 * to do: axes of length 1 reduce themselves.
 */
export function planPasses(shape: Shape, axes: readonly number[]): Pass[] {
	const groups: { length: number; reduced: boolean }[] = [];
	shape.forEach((length, axis) => {
		if (length === 1) return;
		const reduced = axes.includes(axis);
		const before = groups.at(-1);
		if (before?.reduced === reduced) before.length *= length;
		else groups.push({ length, reduced });
	});
	const passes: Pass[] = [];
	for (let i = groups.length - 1, inner = 1; i >= 0; i--) {
		if (!groups[i].reduced) inner *= groups[i].length;
		else
			passes.push({
				outer: groups.slice(0, i).reduce((size, { length }) => size * length, 1),
				n: groups[i].length,
				inner,
			});
	}
	return passes;
}

/** The shape after reducing `axes`, which stay with length 1 if `keepDims`. */
export function reducedShape(shape: Shape, axes: readonly number[], keepDims: boolean): number[] {
	if (keepDims) return shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
	return shape.filter((_, axis) => !axes.includes(axis));
}
