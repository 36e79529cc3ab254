// A run that was stopped anywhere and taken up again ends bit for bit as one that was not.

import fs, { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { onEachBackend } from "../../test/support/backends.ts";
import { clusters, type Flavor, smallRun } from "../../test/support/small-run.ts";
import { init } from "../backend/init.ts";
import { decodeSafetensors, encodeSafetensors } from "../model-files/safetensors.ts";
import { checkpointFile, readCheckpoint } from "./checkpoint.ts";
import type { FitOptions } from "./fit.ts";
import { Trainer } from "./trainer.ts";
import { saveWeights } from "./weights-file.ts";
import { weightsHash } from "./weights-hash.ts";

let dir: string;

beforeEach(() => {
	dir = mkdtempSync(join(tmpdir(), "evenkeel-checkpoint-"));
});

afterEach(() => {
	rmSync(dir, { recursive: true, force: true });
});

/** 4 epochs of 5 steps, the last of each not full. */
function options(more: Partial<FitOptions> = {}): FitOptions {
	return { epochs: 4, batchSize: 16, seed: 5, validation: clusters(20, 4), ...more };
}

/** Thrown to stand for the end of the process. */
class Killed extends Error {}

async function trainUntil(step: number, flavor: Flavor, everySteps: number): Promise<void> {
	const { trainer } = smallRun(flavor);
	const onStep = (report: { step: number }): void => {
		if (report.step === step) throw new Killed();
	};
	await expect(trainer.fit(clusters(70), options({ checkpoint: { dir, everySteps }, onStep }))).rejects.toThrow(Killed);
}

onEachBackend("resuming", () => {
	describe.each(["momentum", "adam"] as const)("with %s", (flavor) => {
		test("after the process ended at any step, the weights and the history are those of a run that did not", async () => {
			const whole = smallRun(flavor);
			const history = await whole.trainer.fit(clusters(70), options());
			const expected = await weightsHash(whole.net);
			// Just after the first checkpoint; mid-epoch; an epoch's last step and the first after it; the last of all.
			for (const step of [2, 3, 5, 6, 13, 20]) {
				await trainUntil(step, flavor, 2);
				const again = smallRun(flavor);
				const resumed = await again.trainer.fit(clusters(70), options({ resume: dir }));
				expect(await weightsHash(again.net), `killed at step ${step}`).toBe(expected);
				expect(resumed.epochs.map(figures)).toEqual(history.epochs.map(figures));
			}
		});

		test("on abort a checkpoint is written at that very step", async () => {
			const whole = smallRun(flavor);
			await whole.trainer.fit(clusters(70), options());
			const controller = new AbortController();
			const { trainer } = smallRun(flavor);
			const stopped = await trainer.fit(
				clusters(70),
				options({
					checkpoint: { dir },
					signal: controller.signal,
					onStep: ({ step }) => {
						if (step === 8) controller.abort();
					},
				}),
			);
			expect(stopped.stopped).toBe("aborted");
			expect(stopped.epochs).toHaveLength(1);
			expect(readCheckpoint(dir).state).toMatchObject({ step: 8, loader: { epoch: 1, position: 3 } });
			const again = smallRun(flavor);
			await again.trainer.fit(clusters(70), options({ resume: dir }));
			expect(await weightsHash(again.net)).toBe(await weightsHash(whole.net));
		});
	});

	test("aborted while it evaluates, it goes on with the evaluation", async () => {
		const whole = smallRun();
		const history = await whole.trainer.fit(clusters(70), options({ epochs: 1 }));
		const controller = new AbortController();
		const { trainer } = smallRun();
		const stopped = await trainer.fit(
			clusters(70),
			options({
				epochs: 1,
				checkpoint: { dir },
				signal: controller.signal,
				onStep: ({ step }) => {
					if (step === 5) controller.abort();
				},
			}),
		);
		expect(stopped).toEqual({ epochs: [], stopped: "aborted" });
		const again = smallRun();
		const resumed = await again.trainer.fit(clusters(70), options({ epochs: 1, resume: dir }));
		expect(resumed.epochs.map(figures)).toEqual(history.epochs.map(figures));
	});

	test("a run that is complete has nothing left to do, and more epochs go on from it", async () => {
		const five = smallRun();
		await five.trainer.fit(clusters(70), options({ epochs: 5 }));
		const { trainer } = smallRun();
		await trainer.fit(clusters(70), options({ checkpoint: { dir } }));
		const again = smallRun();
		const resumed = await again.trainer.fit(clusters(70), options({ resume: dir, epochs: 5 }));
		expect(resumed.epochs).toHaveLength(5);
		expect(await weightsHash(again.net)).toBe(await weightsHash(five.net));
	});
});

/** A record without the figures that depend on the clock. */
function figures({ examplesPerSecond, seconds, ...rest }: { examplesPerSecond: number; seconds: number }) {
	expect(examplesPerSecond).toBeGreaterThan(0);
	expect(seconds).toBeGreaterThan(0);
	return rest;
}

describe("what does not fit is named, and changes nothing", () => {
	const file = (): string => join(dir, checkpointFile);

	beforeEach(async () => {
		await init({ threads: 2 });
		await smallRun().trainer.fit(
			clusters(70),
			options({ epochs: 1, checkpoint: { dir, settings: { preset: "small" } } }),
		);
	});

	async function resume(more: Partial<FitOptions>, flavor: Flavor = "momentum"): Promise<void> {
		const { net, trainer } = smallRun(flavor);
		const before = await weightsHash(net);
		try {
			await trainer.fit(clusters(70), options({ resume: dir, ...more }));
		} finally {
			expect(await weightsHash(net)).toBe(before);
		}
	}

	test.each<[string, Partial<FitOptions>, RegExp]>([
		[
			"another batch size",
			{ batchSize: 8 },
			/^resume: batchSize was 16 when .*checkpoint.safetensors was written, and is 8 now; /,
		],
		["another seed", { seed: 6 }, /^resume: seed was 5 when .* is 6 now/],
		["another order", { shuffle: false }, /^resume: shuffle was true/],
		[
			"another transform",
			{ checkpoint: { dir: "unused", settings: { preset: "large" } } },
			/preset was "small" .* "large" now/,
		],
	])("%s", async (_, more, message) => {
		await expect(resume(more)).rejects.toThrow(message);
	});

	test("another optimizer", async () => {
		await expect(resume({}, "adam")).rejects.toThrow(/optimizer was "SGD" .* is "Adam" now/);
	});

	test("another number of examples", async () => {
		const { trainer } = smallRun();
		await expect(trainer.fit(clusters(71), options({ resume: dir }))).rejects.toThrow(/examples was 70 .* is 71 now/);
	});

	test("another network", async () => {
		const saved = decodeSafetensors(readFileSync(file()));
		const { "model.0.weight": weight, ...others } = saved.tensors;
		expect(weight.shape).toEqual([16, 6]);
		writeFileSync(file(), encodeSafetensors(others, saved.metadata));
		await expect(resume({})).rejects.toThrow(/does not fit this run: loadStateDict: .* missing: 0.weight/);
	});

	test.each<[string, (bytes: Buffer) => Buffer, RegExp]>([
		["cut short", (bytes) => bytes.subarray(0, bytes.length - 5), /checkpoint.safetensors: cut short/],
		["of zeros", (bytes) => Buffer.alloc(bytes.length), /checkpoint.safetensors: not a safetensors file/],
		["empty", () => Buffer.alloc(0), /checkpoint.safetensors: cut short/],
		["text", () => Buffer.from("this is not a checkpoint at all"), /checkpoint.safetensors: not a safetensors file/],
	])("a file that is %s", async (_, damage, message) => {
		writeFileSync(file(), damage(readFileSync(file())));
		await expect(resume({})).rejects.toThrow(message);
	});

	test.each<[string, (state: Record<string, unknown>) => void, RegExp]>([
		["without a part", (state) => delete state.loader, /"loader" is missing; the file is damaged/],
		["with another part", (state) => (state.history = [5]), /"history" is not what it must be; the file is damaged/],
		["with a step that is none", (state) => (state.step = -1), /"step" is not what it must be/],
		[
			"of another version",
			(state) => (state.version = 2),
			/a checkpoint of version 2, and this evenkeel reads version 1/,
		],
	])("a state %s", async (_, damage, message) => {
		const { tensors, metadata } = decodeSafetensors(readFileSync(file()));
		const state: Record<string, unknown> = JSON.parse(metadata["evenkeel.checkpoint"]);
		damage(state);
		writeFileSync(file(), encodeSafetensors(tensors, { "evenkeel.checkpoint": JSON.stringify(state) }));
		await expect(resume({})).rejects.toThrow(message);
	});

	test("weights instead of a checkpoint", async () => {
		saveWeights(smallRun().net, file());
		await expect(resume({})).rejects.toThrow(/these are tensors, but not a checkpoint of evenkeel/);
	});

	test("a folder without one", async () => {
		rmSync(file());
		await expect(resume({})).rejects.toThrow(/there is no checkpoint.safetensors in this folder/);
	});
});

test("a write that fails leaves the checkpoint before, whole, and nothing beside it", async () => {
	await init({ threads: 2 });
	const { trainer } = smallRun();
	await trainer.fit(clusters(70), options({ epochs: 1, checkpoint: { dir } }));
	const before = readFileSync(join(dir, checkpointFile));
	const fsync = vi.spyOn(fs, "fsyncSync").mockImplementation(() => {
		throw Object.assign(new Error("ENOSPC: no space left on device, fsync"), { code: "ENOSPC", syscall: "fsync" });
	});
	try {
		await expect(trainer.fit(clusters(70), options({ checkpoint: { dir } }))).rejects.toThrow(
			/checkpoint.safetensors: it was not written: the disk is full; free some space/,
		);
	} finally {
		fsync.mockRestore();
	}
	expect(readFileSync(join(dir, checkpointFile)).equals(before)).toBe(true);
	expect(readdirSync(dir)).toEqual([checkpointFile]);
});

test("weights are written under PyTorch's names and types", async () => {
	await init({ threads: 2 });
	const { net } = smallRun();
	saveWeights(net, join(dir, "model.safetensors"));
	const { tensors, metadata } = decodeSafetensors(readFileSync(join(dir, "model.safetensors")));
	expect(metadata).toEqual({ format: "pt" });
	expect(tensors["1.num_batches_tracked"]).toMatchObject({ dtype: "I64", shape: [] });
	expect(tensors["1.running_mean"]).toMatchObject({ dtype: "F32", shape: [16] });
	expect(Object.keys(tensors)).toEqual(Object.keys(net.stateDict()));
});

describe("figures that are not finite", () => {
	/** A metric that is NaN, infinite, and a number in turn; `early` stops by it. */
	function run() {
		const { net, optimizer, schedule } = smallRun();
		let calls = 0;
		const odd = () => [Number.NaN, Infinity, -Infinity, 1][calls++ % 4];
		const trainer = new Trainer(net, { optimizer, schedule, loss: "crossEntropy", metrics: [odd] });
		return { net, trainer };
	}

	test("a run goes on from them, in the middle of an epoch and after one", async () => {
		await init({ threads: 1 });
		const controller = new AbortController();
		const onStep = ({ step }: { step: number }) => step === 7 && controller.abort();
		const stopped = await run().trainer.fit(
			clusters(70),
			options({ checkpoint: { dir }, signal: controller.signal, onStep: (report) => void onStep(report) }),
		);
		expect(stopped.epochs[0].trainMetrics).toEqual({ odd: Number.NaN });
		expect(readCheckpoint(dir).state).toMatchObject({ totals: { metrics: [-Infinity] }, history: stopped.epochs });
		const again = run();
		const resumed = await again.trainer.fit(clusters(70), options({ resume: dir }));
		expect(resumed.epochs[0]).toEqual(stopped.epochs[0]);
		expect(resumed.epochs[1].trainMetrics).toEqual({ odd: Number.NaN });
	});

	test("nulls that an earlier evenkeel wrote in their place are NaN, and never the best", async () => {
		await init({ threads: 1 });
		await run().trainer.fit(clusters(70), options({ epochs: 1, checkpoint: { dir } }));
		const file = join(dir, checkpointFile);
		const { tensors, metadata } = decodeSafetensors(readFileSync(file));
		const state = JSON.parse(metadata["evenkeel.checkpoint"]);
		expect(state.history[0].trainMetrics).toEqual({ odd: "NaN" });
		state.history[0].testLoss = null;
		state.history[0].trainMetrics.odd = null;
		writeFileSync(file, encodeSafetensors(tensors, { "evenkeel.checkpoint": JSON.stringify(state) }));
		expect(readCheckpoint(dir).state.history[0]).toMatchObject({
			testLoss: Number.NaN,
			trainMetrics: { odd: Number.NaN },
		});
		const resumed = await run().trainer.fit(clusters(70), options({ resume: dir, earlyStopping: { patience: 2 } }));
		expect(resumed.epochs.length).toBeGreaterThan(2);
	});
});
