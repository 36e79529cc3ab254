// Re-estimating running statistics: what evaluation normalizes by, computed anew from data instead of followed in
// training. The weights stay as they are.

import { noGrad } from "../../autograd/tape.ts";
import { check } from "../../errors.ts";
import { isBatchNorm } from "../../nn/is-norm.ts";
import type { Module } from "../../nn/module.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { withoutTraces } from "../../train/diagnose.ts";
import { inMode } from "../../train/evaluate.ts";
import { Breather } from "../../train/event-loop.ts";
import { type Batches, type BatchOptions, batchesOf, type Inputs } from "./batches.ts";
import { Estimate, keepsStatistics, type Movement } from "./estimate.ts";

/**
 * What the norms before a norm normalize by while its statistics are gathered.
 *
 * - `"per-layer"`: by their new statistics. One pass over the data a norm, in the order in which they run, each pass
 *   only as far as that norm. What comes out is the mean and variance of exactly what each norm is given in evaluation
 *   afterwards, however the data is split into batches.
 * - `"one-pass"`: by their old statistics. One pass in all, and again the same however the data is split. Exact for the
 *   first norm; behind it the new statistics belong to activations that the new statistics above have since changed.
 *   Right where statistics hardly move or a network has one norm; after k repetitions the first k norms are exact.
 * - `"by-batch"`: by the batch's own statistics, as in training. One pass in all, and near the exact ones for large
 *   batches, but dependent on the batches: small ones give others than large ones. PyTorch's `update_bn` is of this kind;
 *   it also leaves dropout on and averages over batches whatever their size, which is not done here.
 */
export type RecalibrationMode = "per-layer" | "one-pass" | "by-batch";

export interface RecalibrateOptions extends BatchOptions {
	/** Default `"per-layer"`. */
	mode?: RecalibrationMode;
	/** Called after each batch. */
	progress?: (report: RecalibrationProgress) => void;
	/** Ends it early: the promise is rejected with the signal's reason, and the network is as it was. */
	signal?: AbortSignal;
}

/** Where a recalibration is. */
export interface RecalibrationProgress {
	/** The pass over the data under way, from 1, and how many there will be at most. */
	pass: number;
	passes: number;
	/** The norm whose statistics are gathered; null for all at once. */
	layer: string | null;
	/** Batches of this pass that are done, and how many it has; null where that is not known. */
	batch: number;
	batches: number | null;
	/** Null where that is not known. */
	secondsLeft: number | null;
}

/** A norm with new statistics. */
export interface RecalibratedLayer extends Movement {
	/** Its path in the network. */
	readonly layer: string;
	/** `"BatchNorm2d"` */
	readonly type: string;
	readonly channels: number;
	/** Values a channel that the statistics are of. */
	readonly count: number;
	/**
	 * How often it runs in one forward. More than once, all its inputs count alike; and since what it is given the second
	 * time may depend on its own statistics, these are then exact for the old ones only.
	 */
	readonly calls: number;
}

export interface RecalibrationReport {
	readonly mode: RecalibrationMode;
	/** Passes over the data. */
	readonly passes: number;
	/** Batches and rows of one pass. */
	readonly batches: number;
	readonly examples: number;
	/** In the order in which they run. */
	readonly layers: readonly RecalibratedLayer[];
	/** Norms that kept what they had, and why. */
	readonly skipped: readonly { readonly layer: string; readonly type: string; readonly reason: string }[];
}

/**
 * Re-estimates the running statistics of every batch norm of `net` (batch renormalization, switchable norm and instance
 * norm that tracks included) as the mean and variance over all of `data`: for inputs that differ from those of training,
 * after averaging weights, or where a NaN batch, a momentum too small or a mistake has spoiled them. No labels are
 * needed, no weight changes, and the network is run in evaluation mode whatever its mode.
 *
 * Counts, means and squared deviations of the batches are merged in float64 (Chan et al. 1979), so every value counts the
 * same, in a last small batch too. `running_var` is unbiased or biased as the layer has it. `num_batches_tracked` stays;
 * where it was 0 it becomes the number of batches gone through. Frozen norms, and those without running statistics, are
 * left alone and reported. No more than one batch is held in memory.
 *
 *     const report = await recalibrate(net, unlabeledImages, { batchSize: 256 });
 *
 * @throws EvenkeelError naming the norm that was given NaN or infinity; if there is nothing to estimate; if data that can
 *   be gone through only once is to be gone through several times. The network is then as it was.
 * @see Li et al. 2016, Revisiting batch normalization for practical domain adaptation, https://arxiv.org/abs/1603.04779;
 *   Wu and Johnson 2021, https://arxiv.org/abs/2105.07576
 */
export async function recalibrate(
	net: Module,
	data: Inputs,
	options: RecalibrateOptions = {},
): Promise<RecalibrationReport> {
	const { mode = "per-layer" } = options;
	check(
		mode === "per-layer" || mode === "one-pass" || mode === "by-batch",
		() => `recalibrate: mode is "per-layer", "one-pass" or "by-batch", got ${JSON.stringify(mode)}`,
	);
	const run = new Recalibration(net, batchesOf(data, options, "recalibrate"), { ...options, mode });
	try {
		return await run.run();
	} catch (error) {
		run.undo();
		throw error;
	}
}

type Settled = RecalibrateOptions & { mode: RecalibrationMode };
type Skipped = RecalibrationReport["skipped"][number];

/** Thrown to end a forward at the norm behind which nothing matters. */
class Enough extends Error {}

class Recalibration {
	readonly #net: Module;
	readonly #batches: Batches;
	readonly #options: Settled;
	readonly #breather = new Breather();
	readonly #started = performance.now();
	/** Norms without new statistics yet. */
	readonly #waiting: Estimate[];
	readonly #passes: number;
	readonly #skipped: Skipped[] = [];
	readonly #done: { estimate: Estimate; movement: Movement }[] = [];
	/** The one whose turn it is, where they take turns. */
	#target: Estimate | null = null;
	/** Passes that have ended. */
	#passed = 0;
	#counted = { batches: 0, examples: 0 };

	constructor(net: Module, batches: Batches, options: Settled) {
		this.#net = net;
		this.#batches = batches;
		this.#options = options;
		this.#waiting = [];
		for (const [, module] of net.namedModules()) {
			if (!keepsStatistics(module)) {
				if (isBatchNorm(module)) this.#skip(module, "it keeps no running statistics (trackRunningStats is false)");
			} else if (isBatchNorm(module) && module.frozen) this.#skip(module, "it is frozen; unfreeze() it first");
			else this.#waiting.push(new Estimate(module));
		}
		this.#passes = options.mode === "per-layer" ? this.#waiting.length : 1;
		check(this.#waiting.length > 0, () => nothingToDo(this.#skipped));
		check(
			this.#passes === 1 || !batches.once,
			() =>
				`recalibrate: ${this.#passes} norms take ${this.#passes} passes over the data, and an iterator can be gone through ` +
				'once; give an array, a data set, or an object whose [Symbol.iterator] starts anew, or take mode "one-pass"',
		);
	}

	async run(): Promise<RecalibrationReport> {
		const { mode } = this.#options;
		if (mode === "per-layer") while (this.#waiting.length > 0 && (await this.#estimateNext())) this.#passed++;
		else await this.#estimateAll();
		for (const { layer } of this.#waiting) this.#skip(layer, "it did not run");
		check(this.#done.length > 0, () => nothingToDo(this.#skipped));
		return {
			mode,
			passes: this.#passed,
			...this.#counted,
			layers: this.#done.map(({ estimate, movement }) => ({
				layer: estimate.layer.path,
				type: estimate.layer.constructor.name,
				channels: estimate.layer.numFeatures,
				count: estimate.count,
				calls: estimate.calls,
				...movement,
			})),
			skipped: this.#skipped,
		};
	}

	/** Puts back what has been written. */
	undo(): void {
		for (const { estimate } of this.#done) estimate.restore();
	}

	/** One pass over the data, for the first norm to run of those that wait. False if none runs. */
	async #estimateNext(): Promise<boolean> {
		this.#target = null;
		await this.#pass((inputs, batch) => {
			if (this.#target) this.#runUntil(this.#target, inputs, batch);
			else this.#findTarget(inputs, batch);
		});
		if (!this.#target) return false;
		this.#finish(this.#target);
		return true;
	}

	/** Runs the whole network, to see which of the waiting norms runs first and how often. */
	#findTarget(inputs: readonly Tensor[], batch: string): void {
		let complete = true;
		try {
			this.#forward(inputs, this.#waiting, (estimate, x, mask) => {
				this.#target ??= estimate;
				if (estimate !== this.#target) return;
				complete = false;
				estimate.calls++;
				estimate.add(x, mask, batch);
				complete = true;
			});
		} catch (error) {
			// Statistics behind the target may be so wrong that what follows cannot run: their turn comes.
			if (!this.#target || !complete) throw error;
		}
	}

	/** Runs the network up to the last time that it calls the norm. */
	#runUntil(target: Estimate, inputs: readonly Tensor[], batch: string): void {
		let calls = 0;
		try {
			this.#forward(inputs, [target], (_, x, mask) => {
				target.add(x, mask, batch);
				if (++calls === target.calls) throw new Enough();
			});
		} catch (error) {
			if (!(error instanceof Enough)) throw error;
		}
	}

	async #estimateAll(): Promise<void> {
		const order = new Set<Estimate>();
		await this.#pass((inputs, batch) => {
			const first = order.size === 0;
			this.#forward(inputs, this.#waiting, (estimate, x, mask) => {
				order.add(estimate);
				if (first) estimate.calls++;
				estimate.add(x, mask, batch);
			});
		});
		for (const estimate of order) this.#finish(estimate);
		this.#passed++;
	}

	#finish(estimate: Estimate): void {
		const movement = estimate.finish(this.#counted.batches);
		this.#done.push({ estimate, movement });
		this.#waiting.splice(this.#waiting.indexOf(estimate), 1);
	}

	/** Shows every batch to `visit`, which is to run the network on it. */
	async #pass(visit: (inputs: readonly Tensor[], batch: string) => void): Promise<void> {
		const { signal } = this.#options;
		let [batches, examples] = [0, 0];
		for await (const take of this.#batches.begin()) {
			signal?.throwIfAborted();
			const rows = scope(() => {
				const inputs = take();
				const count = inputs?.[0]?.shape[0] ?? 0;
				if (inputs && count > 0) visit(inputs, `batch ${batches + 1}`);
				return count;
			});
			if (rows === 0) continue;
			batches++;
			examples += rows;
			this.#report(batches);
			if (this.#breather.due) await this.#breather.pause();
		}
		signal?.throwIfAborted();
		check(batches > 0, () =>
			this.#passed === 0
				? "recalibrate: the data has no examples"
				: `recalibrate: the data had no examples left in pass ${this.#passed + 1}; it must start anew each time it is gone through`,
		);
		this.#counted = { batches, examples };
	}

	/** Runs the network once and shows `watch` what the norms are given; modes, buffers and hooks are then as before. */
	#forward(
		inputs: readonly Tensor[],
		estimates: readonly Estimate[],
		watch: (estimate: Estimate, x: Tensor, mask?: Tensor) => void,
	): void {
		const byBatch = this.#options.mode === "by-batch";
		const removers = estimates.map((estimate) =>
			estimate.layer.registerForwardPreHook((_, [x, mask]) => watch(estimate, x, mask)),
		);
		const forward = () => noGrad(() => void this.#net.forward(...inputs));
		try {
			inMode(this.#net, false, () => {
				for (const { layer } of byBatch ? estimates : []) layer.training = true;
				if (byBatch) withoutTraces(this.#net, forward);
				else forward();
			});
		} finally {
			for (const remove of removers) remove();
		}
	}

	#report(batch: number): void {
		const { progress } = this.#options;
		if (!progress) return;
		const { count } = this.#batches;
		const total = count === null ? null : count * this.#passes;
		const done = (count ?? 0) * this.#passed + batch;
		const seconds = (performance.now() - this.#started) / 1000;
		const secondsLeft = total === null || done === 0 ? null : Math.max(0, (seconds / done) * (total - done));
		const layer = this.#target?.layer.path ?? null;
		progress({ pass: this.#passed + 1, passes: this.#passes, layer, batch, batches: count, secondsLeft });
	}

	#skip(module: Module, reason: string): void {
		this.#skipped.push({ layer: module.path, type: module.constructor.name, reason });
	}
}

function nothingToDo(skipped: readonly Skipped[]): string {
	if (skipped.length === 0)
		return "recalibrate: the network has no norm with running statistics; there is nothing to re-estimate";
	const [{ layer, type, reason }] = skipped;
	return `recalibrate: there is no norm to re-estimate: of ${skipped.length} the first, ${type} "${layer}", is left alone: ${reason}`;
}
