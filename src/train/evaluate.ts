// Running a network without training it: its loss and metrics over a data set, and its outputs.

import { noGrad } from "../autograd/tape.ts";
import { DataLoader } from "../data/data-loader.ts";
import { type Dataset, TensorDataset } from "../data/dataset.ts";
import type { ImageTransform } from "../data/transform.ts";
import { check } from "../errors.ts";
import type { Module } from "../nn/module.ts";
import { zeros } from "../ops/creation.ts";
import { empty } from "../ops/op.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Breather } from "./event-loop.ts";
import { type Averages, averages, emptyTotals, type Totals } from "./history.ts";
import type { LossFunction, Metric } from "./objective.ts";

/** A data set, or its inputs and targets as two tensors. */
export type Examples = Dataset | readonly [x: Tensor, y: Tensor];

export interface EvaluateOptions {
	/** Rows at a time. Default 256; it does not change the result beyond rounding. */
	batchSize?: number;
	/** How images become floats. Default: x / 255. `crop` and `flip` are for training and are not done here. */
	transform?: ImageTransform;
	/** Ends the evaluation early: it then rejects with the signal's reason. */
	signal?: AbortSignal;
}

/** What the trainer knows of a network. */
export interface Objective {
	readonly net: Module;
	readonly loss: { readonly name: string; readonly compute: LossFunction };
	readonly metrics: readonly Metric[];
}

export function asDataset(examples: Examples): Dataset {
	if (typeof examples === "object" && examples !== null && "gather" in examples) return examples;
	check(
		Array.isArray(examples) && examples.length === 2 && examples.every(isTensor),
		"Trainer: examples are a data set, or [x, y], two tensors with as many rows",
	);
	return new TensorDataset(examples[0], examples[1]);
}

function isTensor(value: unknown): value is Tensor {
	return typeof value === "object" && value !== null && "isEvenkeelTensor" in value;
}

/** The averages over a data set, in evaluation mode; each example counts the same. */
export async function evaluate(objective: Objective, examples: Examples, options: EvaluateOptions): Promise<Averages> {
	const totals = await totalsOver(objective, asDataset(examples), options);
	check(totals.seen > 0, "evaluate: the data set has no examples");
	return averages(totals, objective.metrics);
}

/** The sums over a data set, in evaluation mode. */
export async function totalsOver(objective: Objective, dataset: Dataset, options: EvaluateOptions): Promise<Totals> {
	const totals = emptyTotals(objective.metrics);
	await eachBatch(objective.net, dataset, options, (output, target) => {
		addBatch(totals, objective, output, target, objective.loss.compute(output, target).item());
		return undefined;
	});
	return totals;
}

/** Adds a batch of a known mean loss to the sums. */
export function addBatch(totals: Totals, { metrics }: Objective, output: Tensor, target: Tensor, loss: number): void {
	const rows = target.shape[0];
	totals.seen += rows;
	totals.loss += loss * rows;
	metrics.forEach((metric, i) => {
		totals.metrics[i] += metric.total(output, target);
	});
}

/** The outputs for every row, one below the other. The tensor belongs to the caller. */
export async function predict(net: Module, inputs: Tensor | Dataset, options: EvaluateOptions): Promise<Tensor> {
	const made = "gather" in inputs ? null : zeros([inputs.shape[0] ?? 0], { dtype: "int32", name: "no targets" });
	const dataset = "gather" in inputs ? inputs : new TensorDataset(inputs, made ?? inputs);
	check(dataset.length > 0, "predict: there are no rows");
	let all: Tensor | undefined;
	let row = 0;
	try {
		await eachBatch(net, dataset, options, (output) => {
			const [rows, ...rest] = output.shape;
			all ??= empty([dataset.length, ...rest], output.backend, output.dtype, "predictions");
			all.view().set(output.view().subarray(0, output.size), (row * output.size) / rows);
			row += rows;
			return all;
		});
	} finally {
		made?.dispose();
	}
	check(all, "predict: there are no rows");
	return all;
}

/** Shows `visit` the network's output for every batch; what it returns outlives the batch. */
async function eachBatch(
	net: Module,
	dataset: Dataset,
	options: EvaluateOptions,
	visit: (output: Tensor, target: Tensor) => Tensor | undefined,
): Promise<void> {
	const { batchSize = 256, transform = {}, signal } = options;
	const { mean, std } = transform;
	const loader = new DataLoader(dataset, { batchSize, transform: { mean, std } });
	const batches = loader[Symbol.iterator]();
	const breather = new Breather();
	while (loader.position < loader.length) {
		inMode(net, false, () =>
			noGrad(() =>
				scope(() => {
					const { value } = batches.next();
					return value && visit(net.forward(value.x), value.y);
				}),
			),
		);
		if (breather.due) await breather.pause();
		signal?.throwIfAborted();
	}
}

/** Runs `fn` with the network in training or evaluation mode and puts every module's own mode back. */
export function inMode<T>(net: Module, training: boolean, fn: () => T): T {
	const modes = net.modules().map((module): [Module, boolean] => [module, module.training]);
	net.train(training);
	try {
		return fn();
	} finally {
		for (const [module, mode] of modes) module.training = mode;
	}
}
