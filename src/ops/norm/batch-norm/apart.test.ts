// One visit to x after the other, and both of a channel at a time: the same bits.

import { beforeAll, describe, expect, test } from "vitest";
import { bitsOf } from "../../../../test/support/bits.ts";
import { init } from "../../../backend/init.ts";
import { Generator } from "../../../random/generator.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { tensor, zeros } from "../../creation.ts";
import { launchByChannel } from "../shared/statistics.ts";
import { backwardApart, forwardApart, isApart, normalizeByBlock } from "./apart.ts";
import { cutOf, launchByPiece } from "./pieces.ts";

const EPS = 1e-5;

function operands([n, c, s]: readonly number[]) {
	const normal = (shape: number[], seed: number) =>
		tensor(new Generator(seed).fillNormal(new Float32Array(shape.reduce((a, b) => a * b)), 0.5, 2), shape);
	const like = normal([n, c, s], 1);
	return {
		part: { n, c, s },
		x: like,
		dy: normal([n, c, s], 2),
		weight: normal([c], 3),
		bias: normal([c], 4),
		stats: zeros([4, c]),
		y: zeros([n, c, s]),
		dx: zeros([n, c, s]),
		dweight: zeros([c]),
		dbias: zeros([c]),
	};
}

type Operands = ReturnType<typeof operands>;

/** What a channel at a time, or the pieces of one on all threads, gives. */
function together(given: Operands, training: boolean): Tensor[] {
	const { part, x, y, dy, dx, weight, bias, stats, dweight, dbias } = given;
	const run = (kernel: "forward" | "backward", tensors: Tensor[], numbers: number[]) => {
		const cut = cutOf(part, kernel === "forward" ? 1 : 2);
		if (cut.pieces > 1) launchByPiece(`batch_norm_pieces_${kernel}`, x, part, cut, { tensors, numbers });
		else launchByChannel(`batch_norm_${kernel}`, x, part, { tensors, numbers });
	};
	run("forward", [x, y, weight, bias, stats], [EPS]);
	run("backward", [x, dy, dx, weight, dweight, dbias, stats], [training ? 1 : 0]);
	return [y, stats, dx, dweight, dbias];
}

/** What the visits give one after the other. */
function apart(given: Operands, training: boolean): Tensor[] {
	const { part, x, y, stats, dx, dweight, dbias } = given;
	forwardApart(given, EPS, x, part);
	backwardApart({ ...given, training }, x, part);
	return [y, stats, dx, dweight, dbias];
}

describe.each([1, 2, 3])("on %d threads", (threads) => {
	beforeAll(() => init({ threads }));

	// Short rows and long ones, few examples, pieces, and what is left over everywhere.
	test.each([
		[[70, 5, 81]],
		[[3, 7, 64]],
		[[37, 3, 4489]],
		[[130, 9, 577]],
		[[1, 2, 10]],
		[[600, 3, 300]],
		[[2, 1, 5000]],
	])("%j", (shape) => {
		for (const training of [true, false]) {
			const expected = bitsOf(...together(operands(shape), training));
			expect(bitsOf(...apart(operands(shape), training)), `training ${training}`).toBe(expected);
		}
	});
});

test("y from given statistics is that of forward", async () => {
	await init({ threads: 2 });
	const given = operands([37, 5, 100]);
	forwardApart(given, EPS, given.x, given.part);
	const expected = bitsOf(given.y);
	const y = zeros([37, 5, 100]);
	normalizeByBlock({ ...given, y }, given.x, given.part);
	expect(bitsOf(y)).toBe(expected);
});

test("dx that nobody wants is not made", async () => {
	await init({ threads: 2 });
	const given = operands([37, 5, 100]);
	forwardApart(given, EPS, given.x, given.part);
	backwardApart({ ...given, training: true }, given.x, given.part);
	const expected = bitsOf(given.dweight, given.dbias);
	const dweight = zeros([5]);
	const dbias = zeros([5]);
	backwardApart({ ...given, dx: null, dweight, dbias, training: true }, given.x, given.part);
	expect(bitsOf(dweight, dbias)).toBe(expected);
});

test.each([
	["LeNet's first layer", { n: 256, c: 6, s: 576 }, true, true],
	["its second", { n: 256, c: 16, s: 64 }, false, false],
	["columns", { n: 100_000, c: 16, s: 1 }, false, false],
	["x that no cache holds, of channels that one does", { n: 64, c: 64, s: 3136 }, false, false],
	["channels that none does", { n: 4096, c: 6, s: 576 }, true, true],
	["short rows whose channels are in pieces", { n: 2048, c: 16, s: 64 }, true, false],
])("where it is worth it: %s", (_, geometry, forward, backward) => {
	expect([isApart(geometry, 1), isApart(geometry, 2)]).toEqual([forward, backward]);
});
