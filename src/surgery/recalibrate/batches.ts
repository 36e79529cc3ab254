// What a network can be run on, as batches that can be gone through several times.

import { DataLoader } from "../../data/data-loader.ts";
import { type Dataset, TensorDataset } from "../../data/dataset.ts";
import type { ImageTransform } from "../../data/transform.ts";
import { check } from "../../errors.ts";
import { zeros } from "../../ops/creation.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** The inputs of one forward: a tensor, or several for a network that takes them (`[x, mask]`). */
export type NetworkInputs = Tensor | readonly Tensor[];

/**
 * Inputs to run a network on: a data set or loader (targets play no part), the rows of one tensor (uint8
 * `[N, C, H, W]` are images, x / 255), or batches as they are.
 */
export type Inputs = Tensor | Dataset | DataLoader | Iterable<NetworkInputs> | AsyncIterable<NetworkInputs>;

/** Batches, each the inputs of one forward. */
export interface Batches {
	/** How many, where that is known. */
	readonly count: number | null;
	/** Whether they can be gone through only once. */
	readonly once: boolean;
	/**
	 * Goes through them from the first. Each is taken by calling what is yielded, in the scope that is to own what the
	 * data makes for it; null behind the last.
	 */
	begin(): AsyncIterable<() => readonly Tensor[] | null>;
}

export interface BatchOptions {
	/** Rows a batch, where the data is not in batches already. Default 256. */
	batchSize?: number;
	/** How images become floats. Default: x / 255. `crop` and `flip` are left out; a DataLoader of one's own may have them. */
	transform?: ImageTransform;
}

/** The batches of `data`. `what` opens error messages. */
export function batchesOf(data: Inputs, { batchSize, transform = {} }: BatchOptions, what: string): Batches {
	if (data instanceof DataLoader) {
		check(
			batchSize === undefined,
			() =>
				`${what}: batchSize ${batchSize} was given beside a DataLoader, which has its own, ${data.batchSize}; leave it out`,
		);
		return loaded(data);
	}
	if ("isEvenkeelTensor" in data || "gather" in data) {
		const { mean, std } = transform;
		const dataset = "gather" in data ? data : rowsOf(data);
		return loaded(new DataLoader(dataset, { batchSize: batchSize ?? 256, transform: { mean, std } }));
	}
	check(
		Symbol.iterator in data || Symbol.asyncIterator in data,
		() => `${what}: data must be a tensor, a data set, a DataLoader or an iterable of tensors, got ${typeof data}`,
	);
	check(
		batchSize === undefined,
		() => `${what}: batchSize ${batchSize} was given, but the data comes in batches already; leave it out`,
	);
	return given(data);
}

function rowsOf(x: Tensor): Dataset {
	check(x.ndim > 0, () => `recalibrate: ${x.describe()} has no rows`);
	return new TensorDataset(x, zeros([x.shape[0]], { dtype: "int32", name: "no targets" }));
}

function loaded(loader: DataLoader): Batches {
	return { count: loader.length, once: false, begin: () => fromLoader(loader) };
}

async function* fromLoader(loader: DataLoader): AsyncGenerator<() => readonly Tensor[] | null> {
	const batches = loader[Symbol.iterator]();
	let more = true;
	const take = () => {
		const { value } = batches.next();
		more = value !== undefined;
		return value ? [value.x] : null;
	};
	try {
		while (more) yield take;
	} finally {
		batches.return();
	}
}

function given(data: Iterable<NetworkInputs> | AsyncIterable<NetworkInputs>): Batches {
	// An iterator is its own iterable, and a used one stays used.
	return { count: Array.isArray(data) ? data.length : null, once: "next" in data, begin: () => asGiven(data) };
}

async function* asGiven(
	data: Iterable<NetworkInputs> | AsyncIterable<NetworkInputs>,
): AsyncGenerator<() => readonly Tensor[]> {
	for await (const inputs of data) yield () => ("isEvenkeelTensor" in inputs ? [inputs] : inputs);
}
