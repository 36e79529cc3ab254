// One run: the examples, the twins, and their steps side by side on the same batches.

import { currentBackend, data, EvenkeelError, manualSeed, noGrad, scope } from "evenkeel";
import type { Settings } from "../settings/settings.ts";
import type { Examples } from "./data/examples.ts";
import { buildNetwork } from "./networks.ts";
import { type PerSide, type RunInfo, type Side, type Stopped, sides } from "./protocol.ts";
import type { RunContext, StepContext } from "./topic.ts";
import { type Observer, TrainedTwin } from "./twin.ts";

/** Looks into a step of one twin. */
export interface StepObserver {
	readonly needs: Observer["needs"];
	see(context: StepContext): void;
}

/** What a step gave. */
export interface StepResult {
	readonly loss: number;
	readonly accuracy: number;
	readonly seconds: number;
}

/** Rows of the test set that go through a network at once. */
const TEST_ROWS = 500;

/** A twin with the batches it is given. */
interface Lane {
	readonly twin: TrainedTwin;
	readonly loader: data.DataLoader;
	batches: Iterator<data.Batch, void>;
}

export class Session implements RunContext {
	readonly info: RunInfo;
	readonly #examples: Examples;
	readonly #lanes: readonly Lane[];
	#step = 0;

	/** @param generation counts sessions */
	constructor(settings: Settings, examples: Examples, generation: number) {
		this.#examples = examples;
		this.#lanes = sides.filter((side) => settings[side].on).map((side) => makeLane(settings, side, examples));
		const perLane = <T>(of: (lane: Lane) => T): PerSide<T> =>
			Object.fromEntries(this.#lanes.map((lane) => [lane.twin.side, of(lane)]));
		const count = ({ twin }: Lane): number => twin.layers.reduce((sum, { parameters }) => sum + parameters, 0);
		this.info = {
			generation,
			settings,
			data: examples.info,
			layers: perLane(({ twin }) => twin.layers),
			parameters: perLane(count),
		};
	}

	get settings(): Settings {
		return this.info.settings;
	}

	get data() {
		return this.#examples.info;
	}

	/** Steps done. */
	get step(): number {
		return this.#step;
	}

	/** Epochs done, as a fraction. */
	get epoch(): number {
		const loader = this.#lanes[0]?.loader;
		return loader ? this.#step / loader.length : 0;
	}

	/** Whether the last step ended an epoch of some twin. */
	get endedEpoch(): boolean {
		return this.#step > 0 && this.#lanes.some(({ loader }) => this.#step % loader.length === 0);
	}

	get twins(): PerSide<TrainedTwin> {
		return Object.fromEntries(this.#lanes.map(({ twin }) => [twin.side, twin]));
	}

	get stopped(): PerSide<Stopped | null> {
		return Object.fromEntries(this.#lanes.map(({ twin }) => [twin.side, twin.stopped]));
	}

	/** Whether no twin trains any more. */
	get isOver(): boolean {
		return this.#lanes.every(({ twin }) => twin.stopped !== null);
	}

	get normalization() {
		const { mean = 0, std = 1 } = this.#examples.transform;
		return { mean: [mean].flat(), std: [std].flat() };
	}

	examples(split: "train" | "test", rows: readonly number[]) {
		const set = this.#examples[split];
		const how = set.imageShape ? this.#examples.transform : undefined;
		const { x, y } = set.gather(Int32Array.from(rows), how);
		return { x, labels: y };
	}

	/** Each twin takes a step; the same batch for both where their sizes are the same. */
	advance(observer?: StepObserver): PerSide<StepResult> {
		this.#step++;
		const results: { [side in Side]?: StepResult } = {};
		scope(() => {
			let shared: data.Batch | undefined;
			for (const lane of this.#lanes) {
				const started = performance.now();
				const sameAsBefore = shared && lane.loader.batchSize === this.#lanes[0].loader.batchSize;
				const batch = sameAsBefore && shared ? shared : nextBatch(lane);
				shared ??= batch;
				const { twin } = lane;
				const result = twin.step(this.#step, batch, observer && this.#observer(observer, twin, batch));
				results[twin.side] = { ...result, seconds: (performance.now() - started) / 1000 };
			}
		});
		return results;
	}

	#observer({ needs, see }: StepObserver, twin: TrainedTwin, { x, y }: data.Batch): Observer {
		const { settings } = this;
		const step = this.#step;
		return {
			needs,
			see: (observed) => see({ twin, settings, data: this.data, step, x, labels: y, ...observed }),
		};
	}

	/** Examples that each twin has in a step. */
	get batchSizes(): PerSide<number> {
		return Object.fromEntries(this.#lanes.map(({ twin, loader }) => [twin.side, batchRows(loader)]));
	}

	/** Loss and accuracy on the test set, in evaluation mode; yields between parts of it, so that others may have a turn. */
	*test(): Generator<void, { loss: PerSide<number>; accuracy: PerSide<number> }, void> {
		const sums = this.#lanes.map(() => ({ loss: 0, correct: 0 }));
		const { test, transform } = this.#examples;
		const batches = new data.DataLoader(test, { batchSize: TEST_ROWS, transform });
		const iterator = batches[Symbol.iterator]();
		while (batches.position < batches.length) {
			scope(() => {
				const { value: batch } = iterator.next();
				if (!batch) return;
				for (const [i, { twin }] of this.#lanes.entries()) {
					if (twin.stopped) continue;
					const { loss, correct } = assess(twin, batch);
					sums[i].loss += loss;
					sums[i].correct += correct;
				}
			});
			yield;
		}
		const mean = (of: "loss" | "correct"): PerSide<number> =>
			Object.fromEntries(
				this.#lanes.map(({ twin }, i) => [twin.side, twin.stopped ? Number.NaN : sums[i][of] / test.length]),
			);
		return { loss: mean("loss"), accuracy: mean("correct") };
	}

	/** Frees both networks. */
	dispose(): void {
		for (const { twin } of this.#lanes) twin.dispose();
	}

	/** Runs `look` for each twin that trains, between two steps. */
	inspect<T>(look: (twin: TrainedTwin) => T): PerSide<T> {
		const training = this.#lanes.filter(({ twin }) => twin.stopped === null);
		return Object.fromEntries(training.map(({ twin }) => [twin.side, scope(() => noGrad(() => look(twin)))]));
	}

	/** Bytes that tensors hold. */
	get memory(): number {
		return currentBackend().memory().used;
	}
}

/** A network whose test batch overflows has no accuracy, and that is no reason to end the run. */
function assess(twin: TrainedTwin, batch: data.Batch): { loss: number; correct: number } {
	try {
		return twin.assess(batch);
	} catch (error) {
		if (error instanceof EvenkeelError) return { loss: Number.NaN, correct: Number.NaN };
		throw error;
	}
}

function makeLane(settings: Settings, side: Side, { info, train, transform }: Examples): Lane {
	const twin = settings[side];
	manualSeed(settings.seed);
	const network = buildNetwork(settings.network, twin, info.shape, info.classes.length, settings.seed);
	const loader = new data.DataLoader(train, {
		batchSize: twin.batchSize,
		shuffle: true,
		seed: settings.seed,
		// All batches of one size: else an epoch ends with a jump in the curves, or with a batch too small to normalize.
		dropLast: twin.batchSize <= train.length,
		transform,
	});
	return { twin: new TrainedTwin(side, network, twin), loader, batches: loader[Symbol.iterator]() };
}

function batchRows({ batchSize, dataset }: data.DataLoader): number {
	return Math.min(batchSize, dataset.length);
}

/** The next batch, of the next epoch if this one is over. */
function nextBatch(lane: Lane): data.Batch {
	const next = lane.batches.next();
	if (next.value) return next.value;
	lane.batches = lane.loader[Symbol.iterator]();
	const first = lane.batches.next();
	if (!first.value) throw new EvenkeelError("the training set has no examples");
	return first.value;
}
