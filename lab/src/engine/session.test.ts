import { readFileSync } from "node:fs";
import { join } from "node:path";
import { crossEntropy, currentBackend, data, init, manualSeed, optim, presetNamed, scope, softmax } from "evenkeel";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { root } from "../../../test/support/package.ts";
import { smallSettings } from "../../test/support/settings.ts";
import { defaults, type Settings } from "../settings/settings.ts";
import { type Examples, loadExamples } from "./data/examples.ts";
import type { Side } from "./protocol.ts";
import { Session, type StepObserver } from "./session.ts";
import type { StepContext } from "./topic.ts";

const nowhere = { dataUrl: "http://lab.test/data/", own: undefined, progress: () => {} };
let used: Examples | undefined;
let session: Session | undefined;

beforeAll(async () => {
	await init({ threads: 1 });
	vi.stubGlobal("fetch", async (url: string) => {
		const file = url.replace("http://lab.test/data/fashion-mnist/sample", join(root, "sample/fashion-mnist"));
		return new Response(readFileSync(file));
	});
});

afterEach(() => {
	session?.dispose();
	used?.dispose();
	session = used = undefined;
});

async function begin(settings: Settings): Promise<Session> {
	session?.dispose();
	used?.dispose();
	used = await loadExamples(settings.data, settings.seed, nowhere);
	session = new Session(settings, used, 1);
	return session;
}

function losses(run: Session, steps: number, side: Side): number[] {
	return Array.from({ length: steps }, () => run.advance()[side]?.loss ?? Number.NaN);
}

async function lossesOf(settings: Settings, side: Side, steps = 40): Promise<number[]> {
	return losses(await begin(settings), steps, side);
}

describe("the twins", () => {
	test("are the same network, trained the same, where their settings are", async () => {
		const run = await begin(smallSettings({ b: { norm: "batch" }, both: { dropout: 0.3 } }));
		for (let i = 0; i < 40; i++) {
			const { a, b } = run.advance();
			expect(b?.loss).toBe(a?.loss);
			expect(b?.accuracy).toBe(a?.accuracy);
		}
	});

	test("do not touch each other: one alone does what it does beside the other", async () => {
		const both = smallSettings({ both: { dropout: 0.3 }, b: { batchSize: 20 } });
		expect(await lossesOf({ ...both, b: { ...both.b, on: false } }, "a")).toEqual(await lossesOf(both, "a"));
		expect(await lossesOf({ ...both, a: { ...both.a, on: false } }, "b")).toEqual(await lossesOf(both, "b"));
	});

	test("depend on the seed", async () => {
		const first = await lossesOf(smallSettings(), "a");
		expect(await lossesOf(smallSettings(), "a")).toEqual(first);
		expect(await lossesOf(smallSettings({ seed: 2 }), "a")).not.toEqual(first);
	});

	test("train as the library's own preset does, bit for bit", async () => {
		const run = await begin(defaults);
		const ours = losses(run, 12, "a");
		const preset = presetNamed("lenet-bn");
		manualSeed(defaults.seed);
		const net = preset.build({ norm: "batch" });
		const optimizer = new optim.SGD(net.namedParameters(), { lr: 1 });
		const set = used?.train as data.Dataset;
		const loader = new data.DataLoader(set, { batchSize: 256, shuffle: true, seed: defaults.seed, dropLast: true });
		const theirs: number[] = [];
		for (const { x, y } of loader) {
			scope(() => {
				optimizer.zeroGrad();
				const loss = crossEntropy(net.forward(x), y);
				theirs.push(loss.item());
				loss.backward();
				optimizer.step();
			});
			if (theirs.length === ours.length) break;
		}
		expect(ours).toEqual(theirs);
	});

	test("learn: batch norm parts XOR, and the test set agrees", async () => {
		const run = await begin(smallSettings({ data: { kind: "xor", noise: 0.02 }, both: { lr: 0.3 } }));
		for (let i = 0; i < 300; i++) run.advance();
		expect(assess(run).accuracy.a).toBeGreaterThan(0.93);
	});
});

describe("what stops a twin", () => {
	test("a loss that overflows; the other goes on", async () => {
		const run = await begin(smallSettings({ network: "mlp", both: { depth: 6, scale: 100, lr: 0.5 } }));
		for (let i = 0; i < 30; i++) run.advance();
		expect(run.stopped.b).toEqual({ step: expect.any(Number), message: "" });
		expect(run.stopped.a).toBeNull();
		expect(run.isOver).toBe(false);
		expect(run.advance().b?.loss).toBeNaN();
		expect(assess(run)).toMatchObject({ loss: { b: Number.NaN }, accuracy: { b: Number.NaN } });
	});

	test("a batch that the norm cannot take; evenkeel's message is kept", async () => {
		const run = await begin(smallSettings({ both: { batchSize: 1 } }));
		run.advance();
		expect(run.stopped.a?.message).toMatch(/BatchNorm1d.*one value/);
		expect(run.stopped.b).toBeNull();
	});
});

describe("a look into a step", () => {
	test("shows both twins' layers, and gradients that are those of the loss", async () => {
		const run = await begin(smallSettings());
		const seen: string[] = [];
		run.advance(
			observer("gradients", ({ twin, layers, logits, labels, x, step }) => {
				seen.push(twin.side);
				expect(step).toBe(1);
				expect(x.shape).toEqual([50, 2]);
				expect(layers.map(({ info }) => info.name)).toEqual(twin.layers.map(({ name }) => name));
				expect(layers.at(-1)?.output).toBe(logits);
				const n = labels.size;
				const expected = softmax(logits, 1).dataSync();
				for (const [row, label] of labels.dataSync().entries()) expected[2 * row + label] -= 1;
				const gradient = layers.at(-1)?.gradient?.dataSync() ?? [];
				expect(gradient).toHaveLength(expected.length);
				for (const [i, value] of expected.entries()) expect(gradient[i]).toBeCloseTo(value / n, 6);
			}),
		);
		expect(seen).toEqual(["a", "b"]);
	});

	test("changes nothing, to the bit", async () => {
		const plain = await lossesOf(defaults, "a", 4);
		const run = await begin(defaults);
		const watched = Array.from({ length: 4 }, () => run.advance(observer("gradients", () => {})).a?.loss);
		expect(watched).toEqual(plain);
	});

	test("names layers alike in both twins", async () => {
		const run = await begin(defaults);
		const { a, b } = run.info.layers;
		expect(a?.map(({ name }) => name)).toEqual([
			...["conv1", "norm1", "sigmoid1", "pool1", "conv2", "norm2", "sigmoid2", "pool2", "flatten"],
			...["linear3", "norm3", "sigmoid3", "linear4", "norm4", "sigmoid4", "linear5"],
		]);
		expect(b?.map(({ name }) => name)).toEqual(a?.map(({ name }) => name).filter((name) => !name.startsWith("norm")));
		expect(a?.find(({ name }) => name === "norm2")).toMatchObject({ type: "BatchNorm2d", shape: [16, 8, 8] });
		expect(run.info.parameters).toEqual({ a: 44_878, b: 44_426 });
	});
});

test("nothing is left behind: memory is what it was before", async () => {
	await begin(smallSettings());
	const before = currentBackend().memory().used;
	for (let round = 0; round < 3; round++) {
		const run = await begin(smallSettings({ both: { optimizer: "adam", dropout: 0.2 } }));
		for (let i = 0; i < 20; i++) run.advance(i % 5 === 0 ? observer("gradients", () => {}) : undefined);
		assess(run);
	}
	await begin(smallSettings());
	expect(currentBackend().memory().used).toBe(before);
});

function observer(needs: StepObserver["needs"], see: (context: StepContext) => void): StepObserver {
	return { needs, see };
}

function assess(run: Session) {
	const parts = run.test();
	for (;;) {
		const { done, value } = parts.next();
		if (done) return value;
	}
}
