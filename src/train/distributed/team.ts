// The processes that train a network together, as a run sees them: one alone, or the ranks of a communicator, each
// of which takes its share of every batch. Alone, everything here does nothing: the loop of training is one.

import type { BackwardOptions } from "../../autograd/backward.ts";
import {
	checkAgreement,
	type Facts,
	fromFirst,
	rankList,
	ranksUnlikeFirst,
	sha256,
} from "../../communicator/agreement.ts";
import type { Communicator, Pending, Sendable } from "../../communicator/communicator.ts";
import type { Shard } from "../../data/data-loader.ts";
import { EvenkeelError } from "../../errors.ts";
import type { Module } from "../../nn/module.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { spanEnd, spanStart } from "../../trace.ts";
import { generatorsOf } from "../diagnose.ts";
import type { Totals } from "../history.ts";
import { GradientBuckets } from "./gradient-buckets.ts";

/**
 * About how large the pieces are in which gradients are summed: at 10 Gbit/s such a message takes some 0.2 ms, a few times
 * what any message takes, and a network of a million parameters still has sixteen of them.
 */
export const defaultBucketBytes = 256 * 1024;

/** A sum over the ranks that is under way. */
export interface TotalsUnderWay {
	/** Waits for it. True if any rank was told to stop. */
	wait(): boolean;
}

export class Team {
	readonly shard: Shard;
	/** Null for one process alone. */
	readonly #communicator: Communicator | null;
	readonly #bucketBytes: number;
	#buckets: GradientBuckets | null = null;

	constructor(communicator: Communicator | undefined, bucketBytes = defaultBucketBytes) {
		const { rank, size } = communicator ?? { rank: 0, size: 1 };
		this.shard = { rank, size };
		this.#communicator = size > 1 && communicator ? communicator : null;
		this.#bucketBytes = bucketBytes;
	}

	/** How many processes there are. */
	get size(): number {
		return this.shard.size;
	}

	/** Whether this is the process that writes checkpoints. */
	get leads(): boolean {
		return this.shard.rank === 0;
	}

	/** Throws, on every rank, unless all were started with the same `facts`. */
	checkAgreement(facts: () => Facts): void {
		if (this.#communicator) checkAgreement(this.#communicator, facts());
	}

	/** What `read` returns on rank 0, on every rank. */
	fromFirst(read: () => Uint8Array): Uint8Array {
		return this.#communicator ? fromFirst(this.#communicator, read) : read();
	}

	/** Gives every rank rank 0's parameters and buffers. */
	equalize(net: Module): void {
		if (!this.#communicator) return;
		for (const parameter of net.parameters()) this.#fromFirst(parameter);
		this.equalizeBuffers(net);
	}

	/** Gives every rank rank 0's buffers: running statistics. */
	equalizeBuffers(net: Module): void {
		if (!this.#communicator) return;
		for (const [, buffer] of net.namedBuffers()) this.#fromFirst(buffer);
	}

	/** Throws, on every rank, unless all hold the same bits in the parameters of `net`. */
	checkEqualWeights(net: Module): void {
		if (!this.#communicator) return;
		const hash = sha256(...net.parameters().map((tensor) => bytesOf(elementsOf(tensor))));
		const others = ranksUnlikeFirst(this.#communicator, hash);
		if (others.length === 0) return;
		throw new EvenkeelError(
			`the weights of ${rankList(others)} are no longer those of rank 0, though all had the same gradients: something other ` +
				"than the optimizer changes them, or the machines compute differently",
		);
	}

	/** Adds up `totals` over the ranks, in place, and asks whether any rank is to stop. */
	sum(totals: Totals, stop: boolean): TotalsUnderWay {
		if (!this.#communicator) return { wait: () => stop };
		const values = Float64Array.of(stop ? 1 : 0, totals.loss, totals.seen, ...totals.metrics);
		const started = spanStart();
		const pending = this.#communicator.iallreduce(values);
		return { wait: () => this.#waitFor(pending, values, totals, started) };
	}

	/** What backward needs so that the gradients of `net` are summed over the ranks while it runs. */
	summing(net: Module): BackwardOptions | undefined {
		if (!this.#communicator) return undefined;
		const params = net.parameters().filter(({ requiresGrad }) => requiresGrad);
		const same =
			this.#buckets?.params.length === params.length && params.every((p, i) => p === this.#buckets?.params[i]);
		const buckets =
			same && this.#buckets ? this.#buckets : new GradientBuckets(params, this.#communicator, this.#bucketBytes);
		this.#buckets = buckets;
		buckets.begin();
		return { onGradientReady: (leaf) => buckets.ready(leaf) };
	}

	/** Waits for the sums. Every rank then has the gradients of the whole batch, the same bits. */
	finishSumming(): void {
		this.#buckets?.finish();
	}

	/**
	 * Lets the random numbers that the network draws in training differ from rank to rank, as its examples do. Returns what
	 * puts the generators back on the streams that all ranks have in common.
	 */
	scatterGenerators(net: Module): () => void {
		const { rank } = this.shard;
		if (rank === 0) return () => {};
		const before = generatorsOf(net).map(([, generator]) => ({ generator, stream: generator.state().stream }));
		for (const { generator } of before) {
			generator.setState({ ...generator.state(), stream: generator.fork(`rank ${rank}`).state().stream });
		}
		return () => {
			for (const { generator, stream } of before) generator.setState({ ...generator.state(), stream });
		};
	}

	#fromFirst(tensor: Tensor): void {
		this.#communicator?.broadcast(elementsOf(tensor));
		tensor.storage.version++;
	}

	#waitFor(pending: Pending, values: Float64Array, totals: Totals, started: number): boolean {
		pending.wait();
		spanEnd("reduction", "loss and metrics", started);
		const [stop, loss, seen, ...metrics] = values;
		Object.assign(totals, { loss, seen, metrics });
		return stop > 0;
	}
}

/** The elements in place. */
function elementsOf(tensor: Tensor): Sendable {
	return tensor.view().subarray(0, tensor.size);
}

function bytesOf({ buffer, byteOffset, byteLength }: Sendable): Uint8Array {
	return new Uint8Array(buffer, byteOffset, byteLength);
}
