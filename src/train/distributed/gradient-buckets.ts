// Summing gradients over ranks while backward still runs. Gradients are gathered in buckets, in the reverse of the order in
// which the network lists its parameters, which is about the order in which backward completes them. A bucket that
// is full is reduced without waiting, so that messages travel while earlier layers' gradients are being computed
// (Li et al. 2020, "PyTorch Distributed", https://arxiv.org/abs/2006.15704).

import type { Communicator, Pending } from "../../communicator/communicator.ts";
import { EvenkeelError } from "../../errors.ts";
import { zeros } from "../../ops/creation.ts";
import { keep } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { spanEnd, spanStart } from "../../trace.ts";

type Values = Float32Array | Float64Array;

/** Some parameters whose gradients travel together. */
interface Bucket {
	readonly params: readonly Tensor[];
	/** Where they are gathered; null for one parameter, whose gradient is reduced where it lies. */
	readonly values: Values | null;
	/** How many gradients it still waits for. */
	missing: number;
	/** What is being reduced, once it is. */
	pending: Pending | null;
	started: number;
	done: boolean;
}

/** Sums the gradients of `params` over all ranks, step after step. */
export class GradientBuckets {
	readonly params: readonly Tensor[];
	readonly #communicator: Communicator;
	readonly #buckets: Bucket[];
	readonly #bucketOf = new Map<Tensor, Bucket>();
	/** Buckets before this one have been started: the order is the same on all ranks. */
	#next = 0;
	/** The parameters that have a gradient here, of the buckets that have been started. */
	readonly #own = new Set<Tensor>();

	/** @param bucketBytes about how large a bucket is; a larger gradient has one of its own */
	constructor(params: readonly Tensor[], communicator: Communicator, bucketBytes: number) {
		this.params = params;
		this.#communicator = communicator;
		this.#buckets = divide(params, bucketBytes);
		for (const bucket of this.#buckets) for (const param of bucket.params) this.#bucketOf.set(param, bucket);
	}

	/** Elements of each bucket, in the order in which they are reduced. */
	get sizes(): number[] {
		return this.#buckets.map(({ params }) => params.reduce((sum, { size }) => sum + size, 0));
	}

	/** To be called before backward. */
	begin(): void {
		this.#next = 0;
		this.#own.clear();
		for (const bucket of this.#buckets) {
			bucket.missing = bucket.params.length;
			bucket.pending = null;
			bucket.done = false;
		}
	}

	/** Takes the gradient of `leaf`, which is complete, and moves on what is under way. */
	ready(leaf: Tensor): void {
		const bucket = this.#bucketOf.get(leaf);
		if (bucket) bucket.missing--;
		for (let next = this.#buckets[this.#next]; next?.missing === 0; next = this.#buckets[this.#next]) this.#start(next);
		for (const started of this.#buckets.slice(0, this.#next)) if (!started.done) this.#look(started);
	}

	/**
	 * Reduces what is left and waits for all of it. Then every gradient is the sum over the ranks, the same bits on each;
	 * one that no rank has stays null.
	 */
	finish(): void {
		while (this.#next < this.#buckets.length) this.#start(this.#buckets[this.#next]);
		for (const bucket of this.#buckets) {
			bucket.pending?.wait();
			this.#look(bucket);
		}
		const present = this.#present();
		for (const bucket of this.#buckets) settle(bucket, present);
	}

	#start(bucket: Bucket): void {
		this.#next++;
		for (const param of bucket.params) if (param.grad) this.#own.add(param);
		if (bucket.values) gather(bucket.params, bucket.values);
		if (bucket.values && this.#next === this.#buckets.length) flags(this.params, this.#own, bucket.values);
		bucket.started = spanStart();
		bucket.pending = this.#communicator.iallreduce(bucket.values ?? valuesOf(gradientOf(bucket.params[0])));
		this.#look(bucket);
	}

	#look(bucket: Bucket): void {
		if (bucket.done || !bucket.pending?.test()) return;
		bucket.done = true;
		const number = this.#buckets.indexOf(bucket) + 1;
		spanEnd("reduction", `gradients, bucket ${number} of ${this.#buckets.length}`, bucket.started);
	}

	/** The parameters that have a gradient on some rank. */
	#present(): Set<Tensor> {
		const counts = this.#buckets.at(-1)?.values?.slice(-this.params.length) ?? [];
		return new Set(this.params.filter((_, i) => counts[i] > 0));
	}
}

/**
 * Cuts the parameters, last first, into buckets of about so many bytes. The last bucket also tells, by a number behind
 * its gradients for each parameter of all, on how many ranks it has one: when it starts, the others are full.
 */
function divide(params: readonly Tensor[], bucketBytes: number): Bucket[] {
	const groups: Tensor[][] = [];
	let bytes = 0;
	for (const param of [...params].reverse()) {
		const own = bytesOf(param);
		if (groups.length === 0 || bytes + own > bucketBytes) {
			groups.push([]);
			bytes = 0;
		}
		groups[groups.length - 1].push(param);
		bytes += own;
	}
	return groups.map((group, i) => {
		const last = i === groups.length - 1;
		const size = group.reduce((sum, param) => sum + param.size, 0) + (last ? params.length : 0);
		const values = group.length > 1 || last ? newValues(group[0], size) : null;
		return { params: group, values, missing: group.length, pending: null, started: 0, done: false };
	});
}

function gather(params: readonly Tensor[], values: Values): void {
	let at = 0;
	for (const { grad, size } of params) {
		if (grad) values.set(valuesOf(grad), at);
		else values.fill(0, at, at + size);
		at += size;
	}
}

function flags(params: readonly Tensor[], present: ReadonlySet<Tensor>, values: Values): void {
	const at = values.length - params.length;
	params.forEach((param, i) => {
		values[at + i] = present.has(param) ? 1 : 0;
	});
}

/** Gives the parameters of `bucket` their sums; those without a gradient anywhere have none here either. */
function settle({ params, values }: Bucket, present: ReadonlySet<Tensor>): void {
	let at = 0;
	for (const param of params) {
		if (present.has(param)) {
			const grad = gradientOf(param);
			if (values) valuesOf(grad).set(values.subarray(at, at + param.size));
			grad.storage.version++;
		} else {
			param.grad?.dispose();
			param.grad = null;
		}
		at += param.size;
	}
}

/** The gradient of `param`; zeros if it has none. */
function gradientOf(param: Tensor): Tensor {
	param.grad ??= keep(zeros(param.shape, { name: `gradient of ${param.name}` }));
	return param.grad;
}

/** The elements in place. */
function valuesOf(tensor: Tensor): Values {
	const view = tensor.view();
	if (view instanceof Float32Array || view instanceof Float64Array) return view.subarray(0, tensor.size);
	throw new EvenkeelError(`${tensor.describe()} is ${tensor.dtype}; gradients are floating numbers`);
}

function newValues({ dtype }: Tensor, size: number): Values {
	return dtype === "float64" ? new Float64Array(size) : new Float32Array(size);
}

function bytesOf({ dtype, size }: Tensor): number {
	return size * (dtype === "float64" ? 8 : 4);
}
