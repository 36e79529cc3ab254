// One run of training: epochs of steps, each in a scope of its own, with evaluation, checkpoints and the chance to stop
// in between. What a step changes is all in the state that a checkpoint holds, so a run can be taken up anywhere.

import { backward } from "../autograd/backward.ts";
import { currentBackend } from "../backend/backend.ts";
import { type Batch, DataLoader, shareOf } from "../data/data-loader.ts";
import { subset } from "../data/dataset.ts";
import type { ImageTransform } from "../data/transform.ts";
import { check, NotFiniteError } from "../errors.ts";
import type { Module } from "../nn/module.ts";
import { full, zeros } from "../ops/creation.ts";
import { clipGradNorm } from "../optim/index.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { inMicroBatches, type MicroBatch } from "./accumulate.ts";
import {
	type CheckpointParts,
	checkSettings,
	decodeCheckpoint,
	readCheckpointBytes,
	restoreCheckpoint,
	saveCheckpoint,
} from "./checkpoint.ts";
import type { RunSettings } from "./checkpoint-state.ts";
import { Clock, secondsSince } from "./clock.ts";
import { generatorsOf, whyNotFinite } from "./diagnose.ts";
import { runFacts } from "./distributed/facts.ts";
import { Team, type TotalsUnderWay } from "./distributed/team.ts";
import { addBatch, asDataset, type Examples, type Objective, totalsOver } from "./evaluate.ts";
import { Breather } from "./event-loop.ts";
import { checkOptions, checkSmallBatches } from "./fit-checks.ts";
import {
	type Averages,
	averages,
	type EarlyStopping,
	type EpochRecord,
	emptyTotals,
	type History,
	shouldStop,
	type Totals,
} from "./history.ts";
import type { Callbacks, StepReport, TrainerOptions } from "./trainer.ts";

/** Options of `Trainer.fit()`. */
export interface FitOptions extends Callbacks {
	/** How often to go through the training set. */
	epochs: number;
	/** Examples a step. Default 32. */
	batchSize?: number;
	/** Evaluated at the end of each epoch. */
	validation?: Examples;
	/** Ends training after the step under way; a checkpoint is written, and the history says `stopped: "aborted"`. */
	signal?: AbortSignal;
	/** Determines the order of the examples, crops and flips. Default: that of the default generator (`manualSeed`). */
	seed?: number;
	/** A new random order each epoch. Default true. */
	shuffle?: boolean;
	/** Leave out a last batch that is not full. Default false. */
	dropLast?: boolean;
	/** How images become floats. Default: x / 255. Validation takes part in `mean` and `std`, not in `crop` and `flip`. */
	transform?: ImageTransform;
	earlyStopping?: EarlyStopping;
	checkpoint?: CheckpointOptions;
	/** A folder with a checkpoint to go on from: the result is bit for bit that of a run that never stopped. */
	resume?: string;
}

export interface CheckpointOptions {
	/** The folder, made if need be: `checkpoint.safetensors` in it is replaced each time, in one piece. */
	dir: string;
	/** Write one after the first step and every so many steps too, not only at the end of each epoch and on abort. Default: never. */
	everySteps?: number;
	/** What a run that resumes from it must have in common with this one, beside what `fit` compares itself. */
	settings?: RunSettings;
	/** Kept beside `settings`, and not compared: where files lie, say. */
	notes?: RunSettings;
}

/** A run under way. */
export class FitRun {
	readonly #objective: Objective;
	readonly #trainer: TrainerOptions;
	readonly #options: FitOptions;
	readonly #team: Team;
	readonly #loader: DataLoader;
	readonly #settings: RunSettings;
	readonly #breather = new Breather();
	readonly #clock = new Clock();
	#epochs: EpochRecord[] = [];
	#step = 0;
	#totals;
	#epochStarted = performance.now();
	/** Seconds an epoch had already taken when the run was taken up in its middle. */
	#epochBefore = 0;
	readonly #started = performance.now();
	#stepsHere = 0;
	/** Whether a rank was told to stop: what all of them know at the end of a step. */
	#stopping = false;

	constructor(objective: Objective, trainer: TrainerOptions, examples: Examples, options: FitOptions) {
		checkOptions(options, objective);
		const { batchSize = 32, shuffle = true, dropLast = false, seed, transform } = options;
		const dataset = asDataset(examples);
		this.#objective = objective;
		this.#trainer = trainer;
		this.#options = options;
		this.#team = new Team(trainer.communicator, trainer.bucketBytes);
		const { shard } = this.#team;
		this.#loader = new DataLoader(dataset, { batchSize, shuffle, dropLast, seed, transform, shard });
		this.#totals = emptyTotals(objective.metrics);
		check(
			this.#loader.length > 0,
			() => `fit: ${dataset.length} examples make no batch of ${batchSize}; give more, or a smaller batchSize`,
		);
		this.#settings = {
			...options.checkpoint?.settings,
			examples: dataset.length,
			batchSize,
			shuffle,
			dropLast,
			seed: seed ?? null,
			transform: JSON.stringify(transform ?? {}),
			loss: objective.loss.name,
			metrics: objective.metrics.map(({ name }) => name).join(", "),
			optimizer: trainer.optimizer.name,
			accumulate: trainer.accumulate ? JSON.stringify(trainer.accumulate) : null,
			precision: currentBackend().float,
		};
	}

	/** Trains until the last epoch, or until told to stop. The network's modes are then what they were. */
	async run(): Promise<History> {
		const modes = this.#objective.net.modules().map((module): [Module, boolean] => [module, module.training]);
		try {
			return await this.#run();
		} finally {
			for (const [module, mode] of modes) module.training = mode;
		}
	}

	async #run(): Promise<History> {
		const { epochs, earlyStopping, resume } = this.#options;
		const { net } = this.#objective;
		this.#team.checkAgreement(() =>
			runFacts(this.#objective, this.#trainer, this.#loader, this.#settings, this.#options),
		);
		checkSmallBatches(this.#objective, this.#loader, this.#trainer.accumulate?.steps ?? 1);
		if (resume !== undefined) this.#resume(resume);
		this.#team.equalize(net);
		const gather = this.#team.scatterGenerators(net);
		try {
			while (this.#loader.epoch < epochs) {
				if (earlyStopping && shouldStop(this.#epochs, earlyStopping)) return this.#history("early");
				if (!(await this.#runEpoch())) {
					this.#save();
					return this.#history("aborted");
				}
			}
		} finally {
			gather();
		}
		return this.#history();
	}

	/** Trains one epoch, or the rest of it, and evaluates. False if it was told to stop. */
	async #runEpoch(): Promise<boolean> {
		const batches = this.#loader[Symbol.iterator]();
		this.#objective.net.train();
		this.#askWhetherToStop();
		this.#clock.start();
		while (this.#loader.position < this.#loader.length) {
			if (this.#mustStop) return false;
			scope(() => this.#trainOn(batches));
			if (this.#isCheckpointDue()) this.#save();
			if (this.#breather.due) await this.#breather.pause();
		}
		this.#clock.stop();
		this.#team.checkEqualWeights(this.#objective.net);
		const test = await this.#validate();
		if (test === "aborted") return false;
		// The loader moves to the next epoch only now: until here, a checkpoint takes the run up before the evaluation.
		batches.next();
		const record = this.#record(test);
		this.#epochs.push(record);
		this.#totals = emptyTotals(this.#objective.metrics);
		this.#clock.reset();
		this.#epochStarted = performance.now();
		this.#epochBefore = 0;
		this.#save();
		for (const { onEpoch } of this.#callbacks()) await onEpoch?.(record);
		return true;
	}

	/** After the first step, so that what fails at once leaves an older run's checkpoint, and then every so many. */
	#isCheckpointDue(): boolean {
		const every = this.#options.checkpoint?.everySteps;
		return every !== undefined && (this.#step === 1 || this.#step % every === 0);
	}

	/** One process is told at once; ranks agree on it step by step, since none can go on without the others. */
	get #mustStop(): boolean {
		return this.#team.size === 1 ? this.#options.signal?.aborted === true : this.#stopping;
	}

	#askWhetherToStop(): void {
		this.#stopping = this.#team.sum(emptyTotals([]), this.#options.signal?.aborted === true).wait();
	}

	/** One step, in the scope that is open. */
	#trainOn(batches: Iterator<Batch, void>): void {
		const { value: batch } = batches.next();
		if (!batch) return;
		const { net, metrics } = this.#objective;
		const { optimizer, schedule, accumulate = { steps: 1 }, clipGradNorm: maxNorm } = this.#trainer;
		optimizer.zeroGrad();
		const totals = emptyTotals(metrics);
		let underWay: TotalsUnderWay | undefined;
		inMicroBatches(net, batch, accumulate, this.#loader, (part) => {
			scope(() => {
				const { from, dy } = this.#forward(part, totals);
				if (!part.last) return backward(from, dy);
				underWay = this.#team.sum(totals, this.#options.signal?.aborted === true);
				backward(from, dy, this.#team.summing(net));
			});
		});
		this.#team.finishSumming();
		if (maxNorm !== undefined) clipGradNorm(net.parameters(), maxNorm);
		optimizer.step();
		if (schedule && schedule.stepCount < (schedule.curve.end ?? Infinity)) schedule.step();
		this.#step++;
		this.#stepsHere++;
		this.#stopping = underWay?.wait() ?? false;
		addTotals(this.#totals, totals);
		this.#report(totals.loss / totals.seen);
	}

	/** What backward starts from, and the gradient there, so that the parts' gradients add up to that of the batch's mean loss. */
	#forward({ x, y, share }: MicroBatch, totals: Totals): { from: Tensor; dy?: Tensor } {
		const { net, loss } = this.#objective;
		const output = net.forward(x);
		// A part without examples has no loss, but its rank takes part in what the layers exchange.
		if (y.shape[0] === 0) return { from: output, dy: zeros(output.shape) };
		const mean = loss.compute(output, y);
		const own = mean.item();
		if (!Number.isFinite(own)) this.#refuse(own, { x, y });
		addBatch(totals, this.#objective, output, y, own);
		return { from: mean, dy: share === 1 ? undefined : full(mean.shape, share) };
	}

	#refuse(loss: number, { x, y }: Pick<Batch, "x" | "y">): never {
		const { epoch, position, length } = this.#loader;
		throw new NotFiniteError(
			`epoch ${epoch + 1}, batch ${position} of ${length}: the loss is ${loss}, so training stopped before the update: ` +
				whyNotFinite(this.#objective.net, x, y),
		);
	}

	#report(batchLoss: number): void {
		const callbacks = this.#callbacks().filter(({ onStep }) => onStep);
		if (callbacks.length === 0) return;
		const { epoch, position, length } = this.#loader;
		const { epochs } = this.#options;
		const stepsLeft = (epochs - epoch) * length - position;
		const report: StepReport = {
			epoch: epoch + 1,
			epochs,
			batch: position,
			batches: length,
			step: this.#step,
			batchLoss,
			...averages(this.#totals, this.#objective.metrics),
			examplesPerSecond: this.#totals.seen / this.#clock.seconds,
			secondsLeft: (secondsSince(this.#started) / this.#stepsHere) * stepsLeft,
		};
		for (const { onStep } of callbacks) onStep?.(report);
	}

	/** The validation set's figures, null without one. */
	async #validate(): Promise<Averages | null | "aborted"> {
		const { validation, transform, batchSize, signal } = this.#options;
		const { net, metrics } = this.#objective;
		if (this.#mustStop) return "aborted";
		if (validation === undefined) return null;
		// Batch norm's running statistics are those of each rank's own examples; the network that counts is rank 0's.
		this.#team.equalizeBuffers(net);
		const dataset = asDataset(validation);
		const [begin, end] = shareOf(dataset.length, this.#team.shard);
		const own = this.#team.size === 1 ? dataset : subset(dataset, range(begin, end));
		const options = { transform, batchSize: Math.max(256, batchSize ?? 0) };
		try {
			// A rank that stopped by itself would be waited for.
			const totals = await totalsOver(this.#objective, own, this.#team.size === 1 ? { ...options, signal } : options);
			if (this.#team.sum(totals, signal?.aborted === true).wait() && this.#team.size > 1) return "aborted";
			return averages(totals, metrics);
		} catch (error) {
			if (signal?.aborted && error === signal.reason) return "aborted";
			throw error;
		}
	}

	#record(test: Averages | null): EpochRecord {
		const train = averages(this.#totals, this.#objective.metrics);
		return {
			epoch: this.#loader.epoch,
			loss: train.loss,
			...(train.accuracy === undefined ? {} : { trainAccuracy: train.accuracy }),
			...(test ? { testLoss: test.loss } : {}),
			...(test?.accuracy === undefined ? {} : { testAccuracy: test.accuracy }),
			...(train.metrics ? { trainMetrics: train.metrics } : {}),
			...(test?.metrics ? { testMetrics: test.metrics } : {}),
			examplesPerSecond: this.#totals.seen / this.#clock.seconds,
			seconds: this.#epochBefore + secondsSince(this.#epochStarted),
		};
	}

	#history(stopped?: History["stopped"]): History {
		return { epochs: [...this.#epochs], ...(stopped ? { stopped } : {}) };
	}

	#callbacks(): readonly Callbacks[] {
		return [...(this.#trainer.callbacks ?? []), this.#options];
	}

	#save(): void {
		const { checkpoint, epochs } = this.#options;
		if (!checkpoint || !this.#team.leads) return;
		const running = this.#clock.running;
		this.#clock.stop();
		saveCheckpoint(checkpoint.dir, this.#parts(), {
			version: 1,
			step: this.#step,
			epochs,
			loader: this.#loader.state(),
			totals: this.#totals,
			trainedSeconds: this.#clock.seconds,
			epochSeconds: this.#epochBefore + secondsSince(this.#epochStarted),
			generators: Object.fromEntries(generatorsOf(this.#objective.net).map(([name, of]) => [name, of.state()])),
			history: this.#epochs,
			settings: { ...checkpoint.notes, ...this.#settings },
		});
		if (running) this.#clock.start();
	}

	#resume(dir: string): void {
		const saved = decodeCheckpoint(
			this.#team.fromFirst(() => readCheckpointBytes(dir)),
			dir,
		);
		checkSettings(saved, this.#settings);
		restoreCheckpoint(saved, this.#parts());
		const { state } = saved;
		this.#loader.setState(state.loader);
		this.#step = state.step;
		this.#epochs = [...state.history];
		this.#totals = { ...state.totals, metrics: [...state.totals.metrics] };
		this.#clock.reset(state.trainedSeconds);
		this.#epochStarted = performance.now();
		this.#epochBefore = state.epochSeconds;
		for (const [name, generator] of generatorsOf(this.#objective.net)) {
			if (state.generators[name]) generator.setState(state.generators[name]);
		}
	}

	#parts(): CheckpointParts {
		const { optimizer, schedule } = this.#trainer;
		return { net: this.#objective.net, optimizer, schedule };
	}
}

function addTotals(sum: Totals, { loss, seen, metrics }: Totals): void {
	sum.loss += loss;
	sum.seen += seen;
	metrics.forEach((total, i) => {
		sum.metrics[i] += total;
	});
}

function range(begin: number, end: number): Int32Array {
	return Int32Array.from({ length: end - begin }, (_, i) => begin + i);
}
