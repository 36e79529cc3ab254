// What page and engine say to each other. The engine is one module worker that trains both networks; it is told what to
// do by commands and answers with reports. Both are plain data: typed arrays are handed over, not copied.
//
//     page                                engine
//     open ------------------------------->            starts evenkeel
//          <------------------------------- opened
//     configure -------------------------->            loads the data, builds the twins, at step 0
//          <------------------------------- loading*, configured | failed
//     start, pause, step, reset ---------->
//          <------------------------------- snapshot   the steps since the last one, and what was subscribed to
//     painted ---------------------------->            the page has drawn it: the next one may come
//     subscribe, unsubscribe ------------->
//     ask -------------------------------->            one answer to one question, between two steps
//          <------------------------------- answer | refused
//
// Training never waits for the page: while nothing is painted, steps gather for the next snapshot.

import type { Settings } from "../settings/settings.ts";

/** The twins: A is drawn in the first color, B in the second. */
export type Side = "a" | "b";

export const sides: readonly Side[] = ["a", "b"];

/** One thing for each of the twins that are switched on. */
export type PerSide<T> = { readonly [side in Side]?: T };

/** Examples that the user brought: a table, or pictures by their classes. */
export type OwnData =
	| { readonly kind: "csv"; readonly name: string; readonly text: string }
	| { readonly kind: "images"; readonly files: readonly { readonly path: string; readonly file: Blob }[] };

/** What the page tells the engine. */
export type Command =
	| { readonly type: "open"; readonly dataUrl: string; readonly threads: number | "auto" }
	| { readonly type: "configure"; readonly settings: Settings; readonly own?: OwnData }
	| { readonly type: "start" }
	| { readonly type: "pause" }
	/** So many steps, then pause. */
	| { readonly type: "step"; readonly count: number }
	/** Back to step 0, with the same settings. */
	| { readonly type: "reset" }
	/** The page has drawn the last snapshot. */
	| { readonly type: "painted" }
	| {
			readonly type: "subscribe";
			readonly id: number;
			/** The topic's name in extensions.ts. */
			readonly topic: string;
			readonly params: unknown;
			/** At most so often, in at most so many hundredths of the time; all topics together take a tenth at most. */
			readonly perSecond: number;
	  }
	| { readonly type: "unsubscribe"; readonly id: number }
	/** `query`: its name in extensions.ts. */
	| { readonly type: "ask"; readonly id: number; readonly query: string; readonly args: unknown };

/** What the engine tells the page. */
export type Report =
	| { readonly type: "opened"; readonly engine: EngineInfo }
	/** `received` of `total` bytes; total 0 where the server does not say. */
	| { readonly type: "loading"; readonly received: number; readonly total: number }
	| { readonly type: "configured"; readonly run: RunInfo }
	| { readonly type: "snapshot"; readonly snapshot: Snapshot }
	| { readonly type: "answer"; readonly id: number; readonly value: unknown }
	| { readonly type: "refused"; readonly id: number; readonly message: string }
	/** The engine cannot do what it was told; it is paused. */
	| { readonly type: "failed"; readonly message: string };

/** What evenkeel runs on. */
export interface EngineInfo {
	readonly threads: number;
	/** The kernels' build: with fused multiply-add (`relaxed`) or without (`simd`). */
	readonly build: string;
	/** Why there are fewer threads than there could be, or "". */
	readonly notice: string;
}

/** What a layer is, for drawing: every layer has one kind. */
export type LayerKind = "conv" | "linear" | "norm" | "activation" | "pool" | "dropout" | "flatten";

/** A layer of one twin, in the order in which they run. */
export interface LayerInfo {
	/** Its path in the network, `"3"`: the key by which topics name it. */
	readonly path: string;
	/** What people call it: `conv1`, `norm1`, `sigmoid1`. The same layer of both twins has the same name. */
	readonly name: string;
	/** Its class, `BatchNorm2d`. */
	readonly type: string;
	readonly kind: LayerKind;
	/** Of its output, without the axis of examples: `[6, 24, 24]`. */
	readonly shape: readonly number[];
	/** How many numbers it learns. */
	readonly parameters: number;
}

/** The run that was configured. */
export interface RunInfo {
	/** Counts configurations and resets: what belongs to an earlier one is stale. */
	readonly generation: number;
	readonly settings: Settings;
	readonly data: DataInfo;
	readonly layers: PerSide<readonly LayerInfo[]>;
	/** How many numbers each twin learns. */
	readonly parameters: PerSide<number>;
}

/** The examples. */
export interface DataInfo {
	readonly kind: Settings["data"]["kind"];
	readonly train: number;
	readonly test: number;
	/** Of one example: `[1, 28, 28]` or `[2]`. */
	readonly shape: readonly number[];
	readonly classes: readonly string[];
	/** The name of the user's file that they come from; "" if there is none. */
	readonly file: string;
	/** For examples of two numbers: the training examples, to be drawn. `points` has x and y by turns. */
	readonly plane: { readonly points: Float32Array; readonly labels: Int32Array; readonly extent: number } | null;
}

/** Why a twin trains no more, although its brother may: its loss is not a number, or a layer refused the batch. */
export interface Stopped {
	/** The step that it did not finish. */
	readonly step: number;
	/** What is wrong and what to do, in English; "" if the loss is not a number. */
	readonly message: string;
}

/** The steps since the last snapshot, one after the other. */
export interface Steps {
	/** The number of the first one, from 1. */
	readonly first: number;
	readonly count: number;
	/** The mean loss of each step's batch; NaN once it has stopped. */
	readonly loss: PerSide<Float32Array>;
	/** The share of each step's batch that was classified rightly, before the update. */
	readonly accuracy: PerSide<Float32Array>;
}

/** The test set, in evaluation mode. */
export interface TestResult {
	readonly step: number;
	readonly loss: PerSide<number>;
	readonly accuracy: PerSide<number>;
}

/** How fast it goes, over the last second or so. */
export interface Speed {
	/** Examples a second of all twins together, by the clock on the wall; 0 before there is any. */
	readonly examplesPerSecond: number;
	/** Examples a second of each twin in the time that its own steps took. */
	readonly own: PerSide<number>;
	readonly stepsPerSecond: number;
}

/** What a topic collected, for each twin that is on, at one and the same step. */
export interface TopicData<Data = unknown> {
	readonly generation: number;
	readonly step: number;
	readonly sides: PerSide<Data>;
}

/** What the page is told about training, when it has drawn what it was told before. */
export interface Snapshot {
	readonly generation: number;
	/** Steps done. */
	readonly step: number;
	/** Epochs of twin A, or of B if A is off: a fraction. */
	readonly epoch: number;
	readonly running: boolean;
	/** Null for a twin that trains. */
	readonly stopped: PerSide<Stopped | null>;
	readonly steps: Steps;
	readonly tests: readonly TestResult[];
	readonly speed: Speed;
	/** By the subscription's id. */
	readonly topics: readonly { readonly id: number; readonly data: TopicData }[];
}
