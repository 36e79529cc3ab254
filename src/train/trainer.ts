// The trainer: a network, an optimizer and a loss, and the loops around them.

import type { Communicator } from "../communicator/communicator.ts";
import type { Dataset } from "../data/dataset.ts";
import { check } from "../errors.ts";
import type { Module } from "../nn/module.ts";
import type { Optimizer, Schedule } from "../optim/index.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type AccumulateOptions, checkAccumulate } from "./accumulate.ts";
import { type EvaluateOptions, type Examples, evaluate, type Objective, predict } from "./evaluate.ts";
import { type FitOptions, FitRun } from "./fit.ts";
import type { Averages, EpochRecord, History } from "./history.ts";
import {
	type LossFunction,
	type LossName,
	lossNamed,
	type MetricFunction,
	type MetricName,
	metricNamed,
} from "./objective.ts";

/** Where training is, after a step. */
export interface StepReport {
	/** The epoch under way, from 1. */
	epoch: number;
	epochs: number;
	/** Batches of this epoch that are done, and how many it has. */
	batch: number;
	batches: number;
	/** Steps since the run began, over all epochs. */
	step: number;
	/** The mean loss of this batch, before the update. */
	batchLoss: number;
	/** The averages over this epoch so far. */
	loss: number;
	accuracy?: number;
	metrics?: Record<string, number>;
	/** In this epoch so far. */
	examplesPerSecond: number;
	/** Until the last epoch ends, evaluations included. */
	secondsLeft: number;
}

/** Functions that training calls as it goes. What they throw ends the run. */
export interface Callbacks {
	/** After each step. Training goes on when it returns, so keep it short. */
	onStep?(report: StepReport): void;
	/** After each epoch, when its checkpoint is written. Training waits for it. */
	onEpoch?(record: EpochRecord): void | Promise<void>;
}

/** What the trainer needs of an optimizer: SGD, Adam, AdamW, or one's own. */
export type TrainerOptimizer = Pick<Optimizer, "name" | "step" | "zeroGrad" | "stateDict" | "loadStateDict">;

/** Options of {@link Trainer}. */
export interface TrainerOptions {
	/** Updates the network's parameters. */
	optimizer: TrainerOptimizer;
	/** Moved on after each step, up to its end, where it has one. Default: the learning rate stays what it is. */
	schedule?: Schedule;
	/** What to minimize: by name, or a function from output and target to a scalar, the batch's mean. */
	loss: LossName | LossFunction;
	/** What to measure beside the loss. Default: nothing. */
	metrics?: readonly (MetricName | MetricFunction)[];
	/** Scales the gradients down where their norm, over all parameters together, is larger. Default: never. */
	clipGradNorm?: number;
	/** Pass each batch through the network in parts, for batches that do not fit memory. Default: in one. */
	accumulate?: AccumulateOptions;
	callbacks?: readonly Callbacks[];
	/**
	 * The processes that train this network together, each on its share of every batch: `await mpiWorld()` of
	 * `evenkeel/mpi`. See {@link Trainer.fit}. Default: this process alone.
	 */
	communicator?: Communicator;
	/**
	 * With a communicator: gradients are summed in pieces of about so many bytes, so that the first are on their way while
	 * backward computes the rest. Default 256 KiB.
	 */
	bucketBytes?: number;
}

/**
 * Trains a network, evaluates it, and runs it.
 *
 *     const trainer = new Trainer(net, { optimizer, loss: "crossEntropy", metrics: ["accuracy"] });
 *     const history = await trainer.fit(train, { epochs: 10, batchSize: 256, validation: test });
 */
export class Trainer {
	readonly net: Module;
	readonly #options: TrainerOptions;
	readonly #objective: Objective;
	#running = false;

	constructor(net: Module, options: TrainerOptions) {
		const { clipGradNorm, loss, metrics = [], accumulate, bucketBytes } = options;
		check(
			clipGradNorm === undefined || clipGradNorm > 0,
			() => `Trainer: clipGradNorm must be above 0, got ${clipGradNorm}`,
		);
		check(
			bucketBytes === undefined || bucketBytes > 0,
			() => `Trainer: bucketBytes must be above 0, got ${bucketBytes}`,
		);
		if (accumulate) checkAccumulate(accumulate, net);
		this.net = net;
		this.#options = options;
		this.#objective = { net, loss: lossNamed(loss), metrics: metrics.map(metricNamed) };
	}

	/**
	 * Goes through the examples `epochs` times, a batch at a time: forward, loss, backward, update. Every 50 ms or so it
	 * lets timers, signals and the browser have their turn. The result depends on the seeds alone, not on the number of
	 * threads, and a run that was stopped and resumed ends bit for bit as one that was not.
	 *
	 * With a `communicator`, fit() is a collective: every rank calls it, with the same network, options and data. Rank 0's
	 * weights are everybody's at the start. `batchSize` is that of all ranks together: they share each batch's rows as
	 * evenly as can be, gradients are weighted by the rows, and a step is the step of one process with that batch, up to
	 * rounding; so neither the learning rate nor the meaning of a checkpoint depends on the number of ranks. All have the same
	 * bits of weights after each step. What differs is batch norm: it averages over a rank's own rows, and the running statistics
	 * that count are rank 0's, unless `convertSyncBatchNorm` lets the ranks share them. Losses, metrics and
	 * validation are those of all ranks, and callbacks are called on each; rank 0 alone writes checkpoints and reads the
	 * one to resume from, which any number of ranks, also one process, can take up. `signal` on one rank stops all.
	 *
	 * @throws EvenkeelError before the update if a loss is not finite, naming the first layer whose output is not; if a
	 *   checkpoint cannot be written (the one before stays) or does not fit the run
	 */
	async fit(examples: Examples, options: FitOptions): Promise<History> {
		check(!this.#running, "fit: this trainer is already training; await the first fit(), or make another trainer");
		this.#running = true;
		try {
			return await new FitRun(this.#objective, this.#options, examples, options).run();
		} finally {
			this.#running = false;
		}
	}

	/** The mean loss and metrics over the examples, in evaluation mode. */
	async evaluate(examples: Examples, options: EvaluateOptions = {}): Promise<Averages> {
		return evaluate(this.#objective, examples, options);
	}

	/**
	 * The network's outputs in evaluation mode, one row an example.
	 *
	 * @param inputs a data set, or a tensor `[N, …]`; uint8 `[N, C, H, W]` are images, x / 255
	 */
	async predict(inputs: Tensor | Dataset, options: EvaluateOptions = {}): Promise<Tensor> {
		return predict(this.net, inputs, options);
	}
}
