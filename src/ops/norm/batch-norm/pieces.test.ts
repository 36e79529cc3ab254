// Channels that do not fit a core's cache, which threads share.

import { beforeAll, describe, expect, test, vi } from "vitest";
import { bothBackends, withBackend } from "../../../../test/support/backends.ts";
import { relativeError, runBatchNorm } from "../../../../test/support/batch-norm-run.ts";
import { bitsOf, expectSameBits } from "../../../../test/support/bits.ts";
import type { Backend } from "../../../backend/backend.ts";
import type { WasmBackend } from "../../../backend/wasm/wasm-backend.ts";
import { isApart } from "./apart.ts";
import { cutOf } from "./pieces.ts";

// More than a third-level cache is taken to hold. Examples that do not divide into pieces evenly, channels that do not into
// groups, rows that are no multiple of four.
const shapes = [
	[37, 27, 67, 67],
	[16, 29, 96, 96],
	[9, 31, 131, 130],
	[17, 9, 171, 171],
];

test("the pieces of a cut hold all examples, and none is empty", () => {
	for (let n = 1; n < 100; n++) {
		for (const s of [1, 100, 3000, 30_000, 1_000_000]) {
			for (const tensors of [1, 2]) {
				const { pieces, rows } = cutOf({ n, c: 3, s }, tensors);
				expect(pieces * rows, `${n} ${s}`).toBeGreaterThanOrEqual(n);
				expect((pieces - 1) * rows, `${n} ${s}`).toBeLessThan(n);
			}
		}
	}
});

describe("wasm against the float64 reference", () => {
	let backends: { reference: Backend; wasm: Backend };
	beforeAll(async () => {
		backends = await bothBackends();
	});

	test.each<[number[], number]>([...shapes.map((shape): [number[], number] => [shape, 0]), [shapes[0], 1000]])(
		"%j, mean %d",
		(shape, mean) => {
			const [n, c, height, width] = shape;
			const geometry = { n, c, s: height * width };
			expect([isApart(geometry, 1), isApart(geometry, 2)]).toEqual([false, false]);
			expect(cutOf(geometry, 1).pieces).toBeGreaterThan(1);
			expect(cutOf(geometry, 2).pieces).toBeGreaterThan(1);
			const expected = withBackend(backends.reference, () => runBatchNorm(shape, mean));
			const actual = withBackend(backends.wasm, () => runBatchNorm(shape, mean));
			for (const key of Object.keys(expected)) {
				expect(relativeError(actual[key], expected[key]), key).toBeLessThan(key === "dx" && mean > 0 ? 1e-4 : 1e-5);
			}
		},
	);

	test("a thread that finds no other does their sums, and what comes later finds its own there", () => {
		const wasm = backends.wasm as WasmBackend;
		const expected = withBackend(wasm, () => runBatchNorm(shapes[1]));
		const launch = wasm.launch.bind(wasm);
		// A piece at a time: those that nobody has begun with have to be summed by who needs them.
		const oneByOne = vi
			.spyOn(wasm, "launch")
			.mockImplementation((kernel, args, total, grain, scratchBytes) =>
				launch(kernel, args, total, /pieces_(forward|backward)/.test(kernel) ? 1 : grain, scratchBytes),
			);
		const actual = withBackend(wasm, () => runBatchNorm(shapes[1]));
		expect(oneByOne.mock.calls.filter(([kernel]) => kernel.startsWith("batch_norm_pieces")).length).toBe(4);
		oneByOne.mockRestore();
		for (const key of Object.keys(expected)) expect(bitsOf(actual[key]), key).toBe(bitsOf(expected[key]));
	});
});

test.each(shapes.map((shape) => [shape]))("the same bits on 1, 2 and 3 threads: %j", (shape) =>
	expectSameBits(() => Object.values(runBatchNorm(shape))),
);
