// How a panel gets numbers out of the engine: by a topic, collected again and again from steps under way, or by a query,
// answered once between two steps. Panels define theirs beside their view and register them in extensions.ts.

import type { nn, Tensor } from "evenkeel";
import type { Settings } from "../settings/settings.ts";
import type { DataInfo, LayerInfo, PerSide, Side } from "./protocol.ts";

/** A twin: its network and how it is trained. */
export interface Twin {
	readonly side: Side;
	/** A Sequential whose items are {@link LayerInfo}s, path by path. */
	readonly net: nn.Sequential;
	readonly layers: readonly LayerInfo[];
}

/** A layer as it ran in the step under way. The tensors are freed when the step ends: copy what should outlive it. */
export interface ObservedLayer {
	readonly info: LayerInfo;
	readonly module: nn.Module;
	readonly input: Tensor;
	readonly output: Tensor;
	/** The gradient of the loss by the output; null unless the topic asks for gradients, or if none arrived. */
	readonly gradient: Tensor | null;
}

/** A twin's step under way: forward and backward are done, the weights are not updated yet. */
export interface StepContext {
	readonly twin: Twin;
	readonly settings: Settings;
	readonly data: DataInfo;
	/** The number of this step, from 1. */
	readonly step: number;
	/** The batch, as the network sees it. */
	readonly x: Tensor;
	/** int32 `[n]` */
	readonly labels: Tensor;
	readonly logits: Tensor;
	readonly loss: number;
	/** In the order in which they ran; empty unless the topic asks for layers. */
	readonly layers: readonly ObservedLayer[];
}

/** Numbers collected from a step under way, of both twins at the same step. */
export interface StepTopic<Params, Data> {
	readonly at: "step";
	/** What the step must keep for it: `layers` their inputs and outputs, `gradients` those and the gradients. */
	readonly needs?: "layers" | "gradients";
	/**
	 * Runs inside the step's scope, off the tape. What it returns goes to the page: plain data and typed arrays of its own
	 * (`tensor.dataSync()` is a copy, `tensor.view()` is not).
	 */
	collect(context: StepContext, params: Params): Data;
}

/** Numbers collected between two steps: at the start too, and whenever training pauses. */
export interface StateTopic<Params, Data> {
	readonly at: "rest";
	/** Runs in a scope of its own, off the tape; it must leave the network as it was. */
	collect(context: StateContext, params: Params): Data;
}

/** What {@link StateTopic}s look at: a twin, and the run. */
export interface StateContext extends RunContext {
	readonly twin: Twin;
}

/** Numbers collected from the run again and again. */
export type Topic<Params, Data> = StepTopic<Params, Data> | StateTopic<Params, Data>;

/** The run, between two steps. */
export interface RunContext {
	readonly settings: Settings;
	readonly data: DataInfo;
	/** Steps done. */
	readonly step: number;
	readonly twins: PerSide<Twin>;
	/** Mean and standard deviation that images are normalized by; what a picture must be before it is shown to a twin. */
	readonly normalization: { readonly mean: readonly number[]; readonly std: readonly number[] };
	/** Examples `rows` of the training or test set, as the networks see them. In a scope of the caller's. */
	examples(split: "train" | "test", rows: readonly number[]): { x: Tensor; labels: Tensor };
}

/** One question, one answer. */
export interface Query<Args, Result> {
	/**
	 * Training pauses until it has answered. Tensors it makes need a `scope` of its own.
	 *
	 * @throws EvenkeelError with what to tell the user
	 */
	answer(context: RunContext, args: Args): Result | Promise<Result>;
}

/** A topic, its parameters and data known to the type checker on both sides. */
export function defineTopic<Params, Data>(topic: StepTopic<Params, Data>): Topic<Params, Data>;
export function defineTopic<Params, Data>(topic: StateTopic<Params, Data>): Topic<Params, Data>;
export function defineTopic<Params, Data>(topic: Topic<Params, Data>): Topic<Params, Data> {
	return topic;
}

/** A query, likewise. */
export function defineQuery<Args, Result>(query: Query<Args, Result>): Query<Args, Result> {
	return query;
}
