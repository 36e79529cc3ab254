// Tensors outside of any scope: the garbage collector finds them. It sees objects of a hundred bytes, not the megabytes
// behind them, and so comes too late or never; here those bytes are counted, and the collector is called when they
// have grown. What it found is told by a FinalizationRegistry between tasks. A loop that never comes back to the event
// loop hears nothing of it: for it, tensors made since the last collection are looked at by weak references.

import { type Collector, makeCollector } from "./collector.ts";
import type { Storage } from "./storage.ts";
import type { GradFn, Tensor } from "./tensor.ts";

/** What is let go when the garbage collector finds a tensor that nobody freed. */
export interface Held {
	storage: Storage;
	gradFn: GradFn | null;
}

/** By so many bytes tensors outside of scopes may grow before the collector is called: at least, and at most. */
const LEAST = 2 ** 28;
const MOST = 2 ** 29;
/** Between them, so many that it takes this share of the time. */
const SHARE = 1 / 32;
/** An op under way may hold no more than the addresses of what it made: the latest tensors are not looked at. */
const LATEST = 32;

export class Unscoped {
	readonly #free: (held: Held) => void;
	readonly #registry: FinalizationRegistry<Held>;
	#collector: Collector | null | undefined;
	#bytes = 0;
	#allowance = LEAST;
	#limit = LEAST;
	#collectedAt = performance.now();
	/** Made since the last collection, if no task has passed since, in the order they were made in. Held fast: a weak reference for each would cost more. */
	#made: Map<Held, Tensor> | null = null;

	/** `free` is called with what a tensor held that the collector has found. */
	constructor(free: (held: Held) => void, collector?: Collector | null) {
		this.#free = free;
		this.#collector = collector;
		this.#registry = new FinalizationRegistry<Held>((held) => {
			this.#found(held);
			// A task has come between: from here on it is heard of what is found.
			this.#made = null;
			this.#limit = this.#bytes + this.#allowance;
		});
	}

	/** Bytes behind tensors outside of any scope; memory that several share counts once. */
	get bytes(): number {
		return this.#bytes;
	}

	/** Leaves `tensor` to the garbage collector. What is returned goes to {@link remove} when it is freed by hand. */
	add(tensor: Tensor, storage: Storage, gradFn: GradFn | null): Held {
		const held = { storage, gradFn };
		this.#registry.register(tensor, held, held);
		if (storage.outside++ === 0) this.#bytes += storage.bytes;
		this.#made?.set(held, tensor);
		if (this.#bytes > this.#limit) this.collect();
		return held;
	}

	/** Takes a tensor back from the garbage collector. */
	remove(held: Held): void {
		this.#registry.unregister(held);
		this.#made?.delete(held);
		this.#letGo(held);
	}

	/**
	 * Calls the garbage collector. Of what it finds, what was made since the last call is freed at once if no task has passed
	 * in between; the rest when the event loop comes round. Does nothing in browsers.
	 */
	collect(): void {
		if (this.#collector === undefined) this.#collector = makeCollector();
		const collector = this.#collector;
		if (collector === null) {
			this.#limit = Number.POSITIVE_INFINITY;
			return;
		}
		const start = performance.now();
		const { latest, watched } = this.#watch();
		if (watched.length > 0) collector.forgetJob();
		collector.collect();
		const made = new Map<Held, Tensor>();
		for (const { ref, held } of watched) {
			const tensor = ref.deref();
			if (tensor) made.set(held, tensor);
			else {
				this.#registry.unregister(held);
				this.#found(held);
			}
		}
		for (const [held, tensor] of latest) made.set(held, tensor);
		this.#made = made;
		this.#plan(start);
	}

	/**
	 * What was made since the last collection, by weak references but for the latest. In a frame of its own: one under way
	 * would hold fast what it has had in its hands.
	 */
	#watch(): { latest: [Held, Tensor][]; watched: { ref: WeakRef<Tensor>; held: Held }[] } {
		const made = [...(this.#made ?? [])];
		this.#made?.clear();
		const latest = made.splice(Math.max(0, made.length - LATEST));
		return { latest, watched: made.map(([held, tensor]) => ({ ref: new WeakRef(tensor), held })) };
	}

	/** When to call the collector next, by what this call took since `start`. */
	#plan(start: number): void {
		const now = performance.now();
		const share = (now - start) / (now - this.#collectedAt);
		this.#allowance = Math.min(Math.max(LEAST, (this.#allowance * share) / SHARE), MOST);
		this.#collectedAt = now;
		this.#limit = this.#bytes + this.#allowance;
	}

	#found(held: Held): void {
		this.#letGo(held);
		this.#free(held);
	}

	#letGo(held: Held): void {
		if (--held.storage.outside === 0) this.#bytes -= held.storage.bytes;
	}
}
