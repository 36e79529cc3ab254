// Batches, in an order that depends on nothing but the seed and the number of the epoch: so any
// number of threads sees the same ones, and a run can be taken up again in the middle of an epoch.

import { check } from "../errors.ts";
import type { GatherImagesOptions } from "../ops/gather/op.ts";
import { defaultGenerator, Generator, type GeneratorState } from "../random/generator.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Dataset } from "./dataset.ts";
import { drawWindows, type ImageTransform, planWindows, type WindowPlan } from "./transform.ts";

/** What a {@link DataLoader} yields. */
export interface Batch extends Disposable {
	/** The inputs, `[n, …]`. */
	x: Tensor;
	/** The targets, `[n, …]`. */
	y: Tensor;
	/** Which rows of the data set these are. */
	indices: Int32Array;
	/** The rows of the whole batch: more than these where several processes share it ({@link Shard}). */
	total: number;
}

export interface DataLoaderOptions {
	/** Rows a batch, over all processes that share it. Default 1. */
	batchSize?: number;
	/** A new random order each epoch. Default false: the order of the data set. */
	shuffle?: boolean;
	/** Determines the orders and the crops and flips. Default: that of `generator`. */
	seed?: number;
	/** Leave out a last batch that is not full. Default false. */
	dropLast?: boolean;
	/** What happens to images on their way into the batch. Default: x / 255. */
	transform?: ImageTransform;
	/**
	 * Instead of a seed: its seed and stream determine the orders; how much of it has been used does not
	 * matter, and nothing is drawn from it. Default: the default generator, see `manualSeed()`.
	 */
	generator?: Generator;
	/**
	 * The loader of one of several processes that share each batch: it yields this one's rows. Default: all rows.
	 */
	shard?: Shard;
}

/**
 * One of `size` processes that share each batch, the `rank`-th from 0. Rank r has the rows from ceil(r n / size) up to
 * ceil((r + 1) n / size) of a batch of n: shares differ by one row at most, rank 0's is never the smaller, and all of them
 * in turn are the batch that a single process would have. Of a last batch of fewer rows than processes, some have none.
 */
export interface Shard {
	readonly rank: number;
	readonly size: number;
}

/** Where a {@link Shard} of `count` rows begins and ends. */
export function shareOf(count: number, { rank, size }: Shard): [begin: number, end: number] {
	return [Math.ceil((rank * count) / size), Math.ceil(((rank + 1) * count) / size)];
}

/** Where a {@link DataLoader} stands: plain data, fit for JSON. */
export interface DataLoaderState {
	generator: GeneratorState;
	/** Epochs finished. */
	epoch: number;
	/** Batches of this epoch that have been handed out. */
	position: number;
	/** Of the loader, so that a state is not given to another one. */
	rows: number;
	batchSize: number;
	dropLast: boolean;
	shuffle: boolean;
}

/**
 * Cuts a data set into batches. Iterating over it goes through one epoch:
 *
 *     const loader = new DataLoader(train, { batchSize: 256, shuffle: true, seed: 1 });
 *     for (using batch of loader) step(batch.x, batch.y);
 *
 * A batch's tensors belong to the scope that is open when it is made; in a loop outside of any scope free them with
 * `using` as above (or `x.dispose()`, `y.dispose()`), since the garbage collector only comes between loops.
 *
 * Each epoch has another order, and the same seed has the same orders on every platform and any number of threads.
 * Leaving the loop early ends the epoch: the next loop starts the next one, unless `setState()` was called.
 *
 * @throws EvenkeelError if an option is not possible, or images are to be transformed that are none
 */
export class DataLoader implements Iterable<Batch> {
	readonly dataset: Dataset;
	readonly batchSize: number;
	readonly shuffle: boolean;
	readonly dropLast: boolean;
	readonly transform: ImageTransform;
	readonly shard: Shard;
	readonly #plan: WindowPlan | null;
	#random: Generator;
	#epoch = 0;
	#position = 0;
	/** True after setState: the next loop goes on from the position instead of starting an epoch. */
	#resuming = false;

	constructor(dataset: Dataset, options: DataLoaderOptions = {}) {
		const { batchSize = 1, shuffle = false, dropLast = false, transform = {}, seed, generator } = options;
		const { shard = { rank: 0, size: 1 } } = options;
		check(
			Number.isInteger(batchSize) && batchSize > 0,
			() => `DataLoader: batchSize must be a whole number of at least 1, got ${batchSize}`,
		);
		check(
			Number.isInteger(shard.rank) && Number.isInteger(shard.size) && shard.rank >= 0 && shard.rank < shard.size,
			() => `DataLoader: shard is { rank, size } with rank from 0 to size - 1, got ${JSON.stringify(shard)}`,
		);
		check(
			batchSize >= shard.size,
			() =>
				`DataLoader: ${shard.size} processes cannot share batches of ${batchSize}; use a batchSize of at least ${shard.size}`,
		);
		check(seed === undefined || !generator, "DataLoader: give a seed or a generator, not both");
		this.dataset = dataset;
		this.batchSize = batchSize;
		this.shuffle = shuffle;
		this.dropLast = dropLast;
		this.transform = { ...transform };
		this.shard = { ...shard };
		this.#plan = planFor(dataset, transform);
		const base = generator ?? (seed === undefined ? defaultGenerator() : new Generator(seed));
		this.#random = base.fork("data loader");
	}

	/** The number of batches in an epoch. */
	get length(): number {
		const full = this.dataset.length / this.batchSize;
		return this.dropLast ? Math.floor(full) : Math.ceil(full);
	}

	/** Epochs finished; the number, from 0, of the epoch that is under way. */
	get epoch(): number {
		return this.#epoch;
	}

	/** Batches of the epoch under way that have been handed out. */
	get position(): number {
		return this.#position;
	}

	/** The rest of the epoch that `setState()` went to, else the next epoch. */
	*[Symbol.iterator](): globalThis.Generator<Batch, void, undefined> {
		if (this.#position > 0 && !this.#resuming) this.#nextEpoch();
		this.#resuming = false;
		const epoch = this.#epoch;
		const { order, windows } = this.#drawEpoch();
		while (this.#position < this.length) {
			const from = this.#position++ * this.batchSize;
			const total = Math.min(this.batchSize, order.length - from);
			const [begin, end] = shareOf(total, this.shard).map((row) => from + row);
			yield this.#batch(order.slice(begin, end), total, windows?.slice(3 * begin, 3 * end));
			check(
				this.#epoch === epoch,
				"DataLoader: another loop over this loader, or setState(), went on to another epoch; use two loaders",
			);
		}
		this.#nextEpoch();
	}

	/** Where the loader stands. After batch k of an epoch was handed out, resuming goes on with batch k + 1. */
	state(): DataLoaderState {
		return { generator: this.#random.state(), epoch: this.#epoch, position: this.#position, ...this.#layout() };
	}

	/**
	 * Goes to where {@link state} was taken: the next loop yields what was left of that epoch, bit for bit.
	 *
	 * @throws EvenkeelError if the state is that of a loader with other batches
	 */
	setState(state: DataLoaderState): void {
		for (const [name, own] of Object.entries(this.#layout())) {
			const other = state[name as keyof DataLoaderState];
			check(
				other === own,
				() =>
					`DataLoader: the saved state has ${name} ${other}, this loader ${own}; resume with the same data and options`,
			);
		}
		const { epoch, position } = state;
		check(
			Number.isInteger(epoch) && epoch >= 0 && Number.isInteger(position) && position >= 0 && position <= this.length,
			() => `DataLoader: the saved state is damaged: epoch ${epoch}, batch ${position} of ${this.length}`,
		);
		this.#random = new Generator().setState(state.generator);
		this.#epoch = epoch;
		this.#position = position;
		this.#resuming = true;
	}

	#layout() {
		const { batchSize, dropLast, shuffle } = this;
		return { rows: this.dataset.length, batchSize, dropLast, shuffle };
	}

	#nextEpoch(): void {
		this.#epoch++;
		this.#position = 0;
	}

	/** The order of this epoch's rows, and a window for each of them by its place in the order. */
	#drawEpoch(): { order: Int32Array; windows: Int32Array | null } {
		const count = this.dataset.length;
		const random = this.#random.fork(`epoch ${this.#epoch}`);
		const order = this.shuffle ? random.permutation(count) : Int32Array.from({ length: count }, (_, i) => i);
		return { order, windows: this.#plan && drawWindows(this.#plan, count, random.fork("windows")) };
	}

	#batch(indices: Int32Array, total: number, windows?: Int32Array): Batch {
		const { x, y } = this.dataset.gather(indices, this.dataset.imageShape ? this.#gatherOptions(windows) : undefined);
		return {
			x,
			y,
			indices,
			total,
			[Symbol.dispose]() {
				x.dispose("its batch was disposed of");
				y.dispose("its batch was disposed of");
			},
		};
	}

	#gatherOptions(windows?: Int32Array): GatherImagesOptions {
		const { mean, std } = this.transform;
		return { mean, std, windows, windowSize: windows && this.#plan?.size };
	}
}

function planFor(dataset: Dataset, transform: ImageTransform): WindowPlan | null {
	const asked = Object.entries(transform).filter(([, value]) => value !== undefined && value !== false);
	if (asked.length === 0) return null;
	check(
		dataset.imageShape,
		() =>
			`DataLoader: transform.${asked[0][0]} is for images kept as bytes, uint8 [N, C, H, W], and this data set has none; ` +
			"transform the numbers before making the TensorDataset",
	);
	return planWindows(transform, dataset.imageShape);
}
