// Launching the kernels: channels are the work items, taken by threads in groups that hold enough
// work to be worth handing out.

import type { Tensor } from "../../../tensor/tensor.ts";
import { launchByChannel } from "../shared/statistics.ts";
import { backwardThen, forwardThen, normalizeThen } from "./activated.ts";
import { backwardApart, forwardApart, isApart, normalizeByBlock } from "./apart.ts";
import type { BatchNormKernels } from "./fused.ts";
import { cutOf, launchByPiece } from "./pieces.ts";
import { backwardRows, forwardRows, isLargeTable, normalizeRows } from "./rows.ts";

export const wasmBatchNorm: BatchNormKernels = {
	forward({ x, y, pooled, weight, bias, stats, mask, eps, following, halving, part }) {
		const { start, statsStart } = part;
		const tensors = [[x, start], [y, start], weight, bias, [stats, statsStart]] as const;
		if (following) {
			const through = {
				x: [x, start],
				y: [y, start],
				pooled,
				weight,
				bias,
				stats: [stats, statsStart],
				halving,
			} as const;
			return forwardThen(following, through, eps, x, part);
		}
		if (mask) {
			const masked = { tensors: [...tensors, mask], numbers: [eps, part.count], columns: false };
			launchByChannel("batch_norm_masked_forward", x, part, masked);
		} else if (isLargeTable(part)) {
			forwardRows({ x: [x, start], y: [y, start], weight, bias, stats: [stats, statsStart], eps }, x, part);
		} else if (isApart(part, 1)) {
			const located = { x: [x, start], y: [y, start], weight, bias, stats: [stats, statsStart] } as const;
			return forwardApart(located, eps, x, part);
		} else {
			const cut = cutOf(part, 1);
			const args = { tensors, numbers: [eps] };
			if (cut.pieces > 1) launchByPiece("batch_norm_pieces_forward", x, part, cut, args);
			else launchByChannel("batch_norm_forward", x, part, args);
		}
		return undefined;
	},

	normalize({ x, y, pooled, weight, bias, stats, following, halving, part }) {
		const tensors = [x, y, weight, bias, stats];
		if (following) {
			normalizeThen(following, { x, y, pooled, weight, bias, stats, halving }, x, part);
		} else if (isLargeTable(part)) normalizeRows({ x, y, weight, bias, stats }, x, part);
		else if (part.s > 1) normalizeByBlock({ x, y, weight, bias, stats }, x, part);
		else launchByChannel("batch_norm_normalize", x, part, { tensors });
	},

	backward({ x, dy, dx, weight, dweight, dbias, stats, mask, training, y, following, halving, part }) {
		const { start, statsStart } = part;
		const at = (tensor: Tensor | null) => [tensor, start] as const;
		const sums = [weight, dweight, dbias, [stats, statsStart] as const];
		const tensors = [at(x), at(dy), at(dx), ...sums];
		if (following && y) {
			const given = { x: at(x), dy: at(dy), y: at(y), dx: at(dx), weight, dweight, dbias };
			backwardThen(following, { ...given, stats: [stats, statsStart], training, halving }, x, part);
		} else if (mask) {
			const masked = { tensors: [...tensors, mask], numbers: [part.count], columns: false };
			launchByChannel("batch_norm_masked_backward", x, part, masked);
		} else if (isLargeTable(part)) {
			const located = { x: at(x), dy: at(dy), dx: at(dx), weight, dweight, dbias, stats: [stats, statsStart] as const };
			backwardRows({ ...located, training }, x, part);
		} else if (isApart(part, 2)) {
			const located = { x: at(x), dy: at(dy), dx: at(dx), weight, dweight, dbias, stats: [stats, statsStart] as const };
			backwardApart({ ...located, training }, x, part);
		} else {
			const cut = cutOf(part, 2);
			const args = { tensors, numbers: [training ? 1 : 0] };
			if (cut.pieces > 1) launchByPiece("batch_norm_pieces_backward", x, part, cut, args);
			else launchByChannel("batch_norm_backward", x, part, args);
		}
	},
};
