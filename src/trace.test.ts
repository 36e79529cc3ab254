import { beforeAll, expect, test } from "vitest";
import "./autograd/backward.ts";
import { init } from "./backend/init.ts";
import { tensor } from "./ops/creation.ts";
import { batchNorm } from "./ops/norm/batch-norm/op.ts";
import { chromeTrace, startTrace, stopTrace } from "./trace.ts";

beforeAll(async () => {
	await init({ threads: 1 });
});

const step = () => {
	const x = tensor([1, 2, 4, 8], [4, 1], { requiresGrad: true });
	batchNorm(x, { training: true }).backward(x);
};

test("a recording holds the ops, their backwards and the kernels inside them", () => {
	startTrace();
	step();
	const spans = stopTrace();
	expect(spans.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
		"forward batchNorm",
		"kernel batch_norm_forward_columns",
		"backward batchNorm",
		"kernel batch_norm_backward_columns",
	]);
	const [forward, kernel] = spans;
	expect(forward.shapes).toEqual([
		[4, 1],
		[4, 1],
	]);
	expect(kernel.start).toBeGreaterThanOrEqual(forward.start);
	expect(kernel.end).toBeLessThanOrEqual(forward.end);
});

test("nothing is recorded while no recording is on", () => {
	step();
	expect(stopTrace()).toEqual([]);
});

test("Chrome's format: microseconds from the first span on", () => {
	const { traceEvents } = JSON.parse(
		chromeTrace([
			{ name: "conv2d", kind: "forward", start: 100, end: 103, shapes: [[1, 2], [3]] },
			{ name: "conv2d", kind: "backward", start: 104, end: 104.5 },
		]),
	);
	expect(traceEvents.slice(2)).toEqual([
		{ name: "conv2d", cat: "forward", ph: "X", pid: 1, tid: 1, ts: 0, dur: 3000, args: { shapes: "[1, 2] [3]" } },
		{ name: "conv2d backward", cat: "backward", ph: "X", pid: 1, tid: 1, ts: 4000, dur: 500 },
	]);
});

test("Chrome's format: reductions under way at once are on rows of their own", () => {
	const { traceEvents } = JSON.parse(
		chromeTrace([
			{ name: "linear", kind: "backward", start: 0, end: 9 },
			{ name: "bucket 1", kind: "reduction", start: 1, end: 4 },
			{ name: "bucket 2", kind: "reduction", start: 3, end: 6 },
			{ name: "bucket 3", kind: "reduction", start: 5, end: 8 },
		]),
	);
	const rows = traceEvents.map(({ name, tid, args }: { name: string; tid: number; args?: { name: string } }) => [
		args?.name ?? name,
		tid,
	]);
	expect(rows.slice(2)).toEqual([
		["reductions 1", 3],
		["reductions 2", 4],
		["linear backward", 1],
		["bucket 1", 3],
		["bucket 2", 4],
		["bucket 3", 3],
	]);
});
