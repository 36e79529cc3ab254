// The adjoint of a convolution with a stride, cut into convolutions without: pixels of the image whose row and column leave the same
// remainders, divided by the stride, meet the same rows and columns of the kernel, and no others. Each such phase is a
// convolution of the output with a part of the kernel, turned by half a turn.

import { type Geometry, type Pair, weightsOf } from "./geometry.ts";

export interface Phase {
	/** The convolution that computes it; null if no weight meets it. */
	readonly geometry: Geometry | null;
	/** Its height and width. */
	readonly size: Pair;
	/** For each of the convolution's weights of a channel, where it is among those of the whole. */
	readonly columns: () => number[];
}

/** Of an axis: how many pixels of each phase there are, how many taps they meet, the first tap, and the zeros before the output. */
interface Line {
	readonly length: number;
	readonly taps: number;
	readonly first: number;
	readonly before: number;
}

function linesOf(g: Geometry, axis: 0 | 1): Line[] {
	const [stride, kernel] = [g.stride[axis], g.kernel[axis]];
	const before = axis === 0 ? g.top : g.left;
	return Array.from({ length: stride }, (_, i) => {
		const first = (i + before) % stride;
		const taps = Math.max(0, Math.ceil((kernel - first) / stride));
		const length = Math.max(0, Math.ceil((g.size[axis] - i) / stride));
		return { length, taps, first, before: taps - 1 - Math.floor((i + before) / stride) };
	});
}

/** The phases in the order of their first row and column in the image, or null if there is nothing to be gained. */
export function phasesOf(g: Geometry): Phase[] | null {
	const [rows, columns] = [linesOf(g, 0), linesOf(g, 1)];
	const cuts = g.stride[0] * g.stride[1] > 1 && g.dilation[0] === 1 && g.dilation[1] === 1;
	const fits = [...rows, ...columns].every(({ taps, before }) => taps === 0 || before >= 0);
	if (!cuts || !fits) return null;
	return rows.flatMap((row) => columns.map((column) => phase(g, row, column)));
}

function phase(g: Geometry, row: Line, column: Line): Phase {
	const size = [row.length, column.length] as const;
	const taps = row.taps * column.taps;
	if (taps === 0 || size[0] * size[1] === 0) return { geometry: null, size, columns: () => [] };
	const geometry = {
		...{ images: g.images, groups: g.groups, channels: g.outputs, outputs: g.channels },
		...{ size: g.outSize, outSize: size, kernel: [row.taps, column.taps] as const },
		...{ stride: [1, 1] as const, dilation: [1, 1] as const, top: row.before, left: column.before },
	};
	const columns = () =>
		Array.from({ length: g.outputs * taps }, (_, k) => {
			const [m, tap] = [Math.floor(k / taps), k % taps];
			const i = row.first + g.stride[0] * (row.taps - 1 - Math.floor(tap / column.taps));
			const j = column.first + g.stride[1] * (column.taps - 1 - (tap % column.taps));
			return m * weightsOf(g) + i * g.kernel[1] + j;
		});
	return { geometry, size, columns };
}
