// The mean of several networks: points of one training run, or runs from one start.

import { check } from "../../errors.ts";
import type { StateDict, StateEntry } from "../../nn/load-state.ts";
import { tensor } from "../../ops/creation.ts";
import { formatShape, type Shape, sameShape } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";

/**
 * The weighted mean of state dicts, entry by entry, in float64: stochastic weight averaging where they are points of one
 * run (Izmailov et al. 2018, https://arxiv.org/abs/1803.05407), a model soup where they are runs from one start. Whole
 * numbers, such as `num_batches_tracked`, are those of the last.
 *
 * The running statistics of the mean network are not the mean of the running statistics: load the result, then
 * `recalibrate(net, data)`.
 *
 *     net.loadStateDict(averageWeights(files.map((file) => decodeSafetensors(file).tensors)));
 *     await recalibrate(net, train);
 *
 * @param states parameters and buffers by name: tensors, or what a file holds
 * @param weights one a state, at least 0. Default: all alike.
 * @returns new tensors, which belong to the caller
 * @throws EvenkeelError if names or shapes differ
 */
export function averageWeights(states: readonly StateDict[], weights?: readonly number[]): Record<string, Tensor> {
	check(states.length > 0, "averageWeights: there is nothing to average; give at least one state dict");
	const shares = sharesOf(states.length, weights);
	const names = Object.keys(states[0]);
	for (const [i, state] of states.entries()) {
		const missing = names.find((name) => !(name in state)) ?? Object.keys(state).find((name) => !(name in states[0]));
		check(
			missing === undefined,
			() =>
				`averageWeights: "${missing}" is in one of the state dicts 0 and ${i}, not in the other; they are of two networks`,
		);
	}
	return Object.fromEntries(
		names.map((name) => [
			name,
			average(
				name,
				states.map((state) => state[name]),
				shares,
			),
		]),
	);
}

function sharesOf(count: number, weights: readonly number[] = new Array<number>(count).fill(1)): number[] {
	const sum = weights.reduce((total, weight) => total + weight, 0);
	check(
		weights.length === count && weights.every((weight) => weight >= 0) && sum > 0 && sum < Infinity,
		() => `averageWeights: weights must be ${count} numbers of at least 0, and not all 0, got [${weights.join(", ")}]`,
	);
	return weights.map((weight) => weight / sum);
}

function average(name: string, entries: readonly (Tensor | StateEntry)[], shares: readonly number[]): Tensor {
	const { shape } = entries[0];
	const lists = entries.map((entry, i) => numbersOf(name, entry, shape, i));
	const last = lists[lists.length - 1];
	if (!(last instanceof Float32Array || last instanceof Float64Array)) {
		return tensor(Int32Array.from(last, Number), shape, { name });
	}
	const sums = new Float64Array(last.length);
	for (const [i, list] of lists.entries()) {
		for (let at = 0; at < sums.length; at++) sums[at] += shares[i] * Number(list[at]);
	}
	return tensor(sums, shape, { name });
}

function numbersOf(
	name: string,
	entry: Tensor | StateEntry,
	shape: Shape,
	index: number,
): ArrayLike<number> | ArrayLike<bigint> {
	check(
		sameShape(entry.shape, shape),
		() =>
			`averageWeights: "${name}" is ${formatShape(shape)} in state dict 0 and ${formatShape(entry.shape)} in ${index}`,
	);
	if (entry instanceof Tensor) return entry.view().subarray(0, entry.size);
	check(!entry.problem, () => `averageWeights: "${name}" ${entry.problem}`);
	return entry.numbers();
}
