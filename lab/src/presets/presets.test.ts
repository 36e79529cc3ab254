// What the presets tell to watch, held against what happens in the first steps of each. The first preset, on LeNet, is run
// to its end in test/twin-run.browser.test.ts.

import { data, init } from "evenkeel";
import { beforeAll, describe, expect, test } from "vitest";
import { labDataFile } from "../../../src/cli/lab/data-files.ts";
import type { Examples } from "../engine/data/examples.ts";
import { imageSet } from "../engine/data/fashion.ts";
import { makePoints } from "../engine/data/plane.ts";
import type { Side } from "../engine/protocol.ts";
import { Session } from "../engine/session.ts";
import { planeKinds } from "../settings/settings.ts";
import { presetNamed } from "./presets.ts";

let fashion: Examples;

beforeAll(async () => {
	await init({ threads: 2 });
	const read = async (name: string): Promise<data.Idx> => {
		const path = `data/fashion-mnist/sample/${name}-ubyte.gz`;
		const file = labDataFile(path);
		if (!file) throw new Error(`${path} is not there`);
		return data.readIdx(new Uint8Array(file.read()), path);
	};
	const train = imageSet(await read("train-images-idx3"), await read("train-labels-idx1"));
	const test = imageSet(await read("t10k-images-idx3"), await read("t10k-labels-idx1"));
	const shape = train.images.shape.slice(1);
	const info = { kind: "fashion", file: "", plane: null, classes: train.classes, shape } as const;
	fashion = {
		info: { ...info, train: train.length, test: test.length },
		train,
		test,
		transform: {},
		dispose() {},
	};
});

/** The first `steps` steps of a preset: mean loss and accuracy over the last 20 of them, test accuracy, where it stopped. */
function run(id: string, steps: number) {
	const preset = presetNamed(id);
	if (!preset) throw new Error(`there is no preset ${id}`);
	const { settings } = preset;
	const { kind, noise } = settings.data;
	const isPlane = planeKinds.includes(kind);
	const examples = isPlane && kind === "spirals" ? makePoints(kind, noise, settings.seed) : fashion;
	const session = new Session(settings, examples, 1);
	const recent = { a: { loss: 0, accuracy: 0 }, b: { loss: 0, accuracy: 0 } };
	for (let step = 1; step <= steps; step++) {
		const results = session.advance();
		for (const side of ["a", "b"] as const) {
			if (step <= steps - 20) continue;
			recent[side].loss += (results[side]?.loss ?? Number.NaN) / 20;
			recent[side].accuracy += (results[side]?.accuracy ?? Number.NaN) / 20;
		}
	}
	const parts = session.test();
	let part = parts.next();
	while (!part.done) part = parts.next();
	const tested = part.value.accuracy;
	const of = (side: Side) => ({ ...recent[side], test: tested[side] ?? Number.NaN, stopped: session.stopped[side] });
	const result = { a: of("a"), b: of("b") };
	session.dispose();
	return result;
}

describe("what a preset tells to watch happens", () => {
	test("sixteen layers: B never starts, A learns", () => {
		const { a, b } = run("deep", 60);
		expect(a.accuracy).toBeGreaterThan(0.6);
		expect(b.accuracy).toBeLessThan(0.15);
		expect(b.loss).toBeCloseTo(Math.log(10), 1);
	});

	test("weights six times too large: B overflows within five steps, A learns", () => {
		const { a, b } = run("large", 60);
		expect(b.stopped?.step).toBeLessThanOrEqual(5);
		expect(a.stopped).toBeNull();
		expect(a.accuracy).toBeGreaterThan(0.7);
	});

	test("weights five times too small: B stays at guessing, A learns", () => {
		const { a, b } = run("small", 60);
		expect(a.accuracy).toBeGreaterThan(0.6);
		expect(b.accuracy).toBeLessThan(0.15);
	});

	test("three spirals: A knows them within 200 steps, B does not", () => {
		const { a, b } = run("spirals", 200);
		expect(a.test).toBeGreaterThan(0.9);
		expect(b.test).toBeLessThan(0.6);
	});

	test("dropout: training accuracy well behind, accuracy on unseen images not", () => {
		const { a, b } = run("dropout", 280);
		expect(a.accuracy - b.accuracy).toBeGreaterThan(0.05);
		expect(b.test).toBeGreaterThan(a.test - 0.03);
	});
});
