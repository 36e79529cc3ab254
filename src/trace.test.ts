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
