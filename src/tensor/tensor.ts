// A tensor: a shape over a Storage, and its place on the tape. What can be done with tensors is in
// src/ops, which adds its methods to this class.

import type { Backend } from "../backend/backend.ts";
import { check, EvenkeelError } from "../errors.ts";
import { type DType, isFloat, type TypedArray } from "./dtype.ts";
import { adopt, disown } from "./scope.ts";
import { formatShape, type Shape, sizeOf } from "./shape.ts";
import type { Storage } from "./storage.ts";
import { type Held, Unscoped } from "./unscoped.ts";

// Browsers without explicit resource management: bundlers compile `using` down to this symbol.
if (!("dispose" in (Symbol as object)))
	Object.defineProperty(Symbol, "dispose", { value: Symbol.for("Symbol.dispose") });

/** What a tensor needs to know of the tape node that made it (src/autograd/tape.ts). */
export interface GradFn {
	readonly name: string;
	retain(): void;
	release(): void;
}

/** Tensors outside of any scope. Internal. */
export const unscoped = new Unscoped(({ storage, gradFn }) => {
	tensorCount--;
	storage.release();
	gradFn?.release();
});

let tensorCount = 0;
let tracked: Set<WeakRef<Tensor>> | null = null;

/**
 * A dense, row-major array of `float32` (`float64` on the reference backend), `int32` or `uint8`.
 * Make one with `tensor(values, shape)`.
 */
export class Tensor implements Disposable {
	readonly isEvenkeelTensor = true;
	readonly shape: Shape;
	/** The number of elements. */
	readonly size: number;
	readonly dtype: DType;
	readonly backend: Backend;
	/** Shown in errors and leak reports. */
	name: string;
	/** True if a gradient flows to or through this tensor. */
	requiresGrad = false;
	/**
	 * The gradient that `backward()` has accumulated here, or null. It belongs to this tensor:
	 * `optimizer.zeroGrad()` frees it, so `clone()` what must outlive that.
	 */
	grad: Tensor | null = null;
	/** The tape node that made this tensor, or null for a leaf. */
	gradFn: GradFn | null = null;
	#storage: Storage | null;
	#freedBecause = "";
	#held: Held | null = null;

	/** Takes over one reference to `storage`. Internal: use `tensor()`. */
	constructor(storage: Storage, shape: Shape, name: string) {
		this.shape = Object.isFrozen(shape) ? shape : Object.freeze([...shape]);
		this.size = sizeOf(shape);
		this.dtype = storage.dtype;
		this.backend = storage.backend;
		this.name = name;
		this.#storage = storage;
		tensorCount++;
		if (!adopt(this)) this.collectWithGarbage();
		tracked?.add(new WeakRef(this));
	}

	/** The number of dimensions. */
	get ndim(): number {
		return this.shape.length;
	}

	get disposed(): boolean {
		return this.#storage === null;
	}

	/** The memory behind this tensor. Throws if the tensor has been freed. */
	get storage(): Storage {
		if (this.#storage === null) {
			throw new EvenkeelError(
				`${this.describe()} was used after it was freed (${this.#freedBecause}); ` +
					"return it from the scope, or keep() it",
			);
		}
		return this.#storage;
	}

	/** Byte offset in the WebAssembly heap. Internal, for kernels. */
	get ptr(): number {
		return this.storage.ptr;
	}

	/**
	 * The elements in place, without a copy, valid until the next tensor is made. Internal, for kernels.
	 *
	 * @param through the launch to wait for, where no later one writes here; default: all that was launched
	 */
	view(through?: number): TypedArray {
		const storage = this.storage;
		return storage.backend.view(storage, through);
	}

	/** A copy of the elements, row-major. */
	async data(): Promise<TypedArray> {
		return this.dataSync();
	}

	/** A copy of the elements, row-major. On backends that compute elsewhere it waits for them. */
	dataSync(): TypedArray {
		return this.view().slice(0, this.size);
	}

	/** The value of a tensor of one element. */
	item(): number {
		check(this.size === 1, () => `item: ${this.describe()} has ${this.size} elements, not one; use data()`);
		return this.view()[0];
	}

	/** A new handle on the same memory, off the tape: no gradient flows through it. */
	detach(): Tensor {
		return new Tensor(this.storage.retain(), this.shape, this.name);
	}

	/** Marks a leaf as wanting a gradient (or not). Returns the tensor. */
	setRequiresGrad(requiresGrad = true): this {
		check(
			!requiresGrad || isFloat(this.dtype),
			() => `${this.describe()}: only floating tensors have gradients, this one is ${this.dtype}`,
		);
		check(
			this.gradFn === null,
			() => `${this.describe()} was computed; requiresGrad is set on leaves, detach() it first`,
		);
		this.requiresGrad = requiresGrad;
		return this;
	}

	/** Frees the memory now, unless other tensors or the tape share it. Freeing twice is harmless. */
	dispose(because = "dispose() was called"): void {
		if (this.#storage === null) return;
		disown(this);
		if (this.#held) unscoped.remove(this.#held);
		this.#held = null;
		this.#freedBecause = because;
		tensorCount--;
		this.#storage.release();
		this.#storage = null;
		this.gradFn?.release();
		this.gradFn = null;
		this.grad?.dispose();
		this.grad = null;
	}

	[Symbol.dispose](): void {
		this.dispose("its `using` block ended");
	}

	/** Puts the tensor on the tape as the output of `gradFn`. Internal, for the tape. */
	setGradFn(gradFn: GradFn): void {
		gradFn.retain();
		this.gradFn = gradFn;
		this.requiresGrad = true;
		if (this.#held) this.#held.gradFn = gradFn;
	}

	/** Lets the garbage collector free this tensor. Internal, for scopes. */
	collectWithGarbage(): void {
		if (this.#held || this.#storage === null) return;
		this.#held = unscoped.add(this, this.#storage, this.gradFn);
	}

	/** Takes the tensor from scopes and the garbage collector alike. Internal, for the tape. */
	ownedByTape(): void {
		disown(this);
		if (this.#held) unscoped.remove(this.#held);
		this.#held = null;
	}

	/** A name for errors: `relu [8, 4]`. */
	describe(): string {
		return `Tensor "${this.name}" ${formatShape(this.shape)}`;
	}

	toString(): string {
		if (this.disposed) return `${this.describe()} (freed)`;
		const values = Array.from(this.view().subarray(0, Math.min(6, this.size)), (v) => Number(v.toPrecision(5)));
		return `Tensor(${this.dtype} ${formatShape(this.shape)}) [${values.join(", ")}${this.size > 6 ? ", …" : ""}]`;
	}
}

/** How many tensors are alive, in and out of scopes. */
export function liveTensors(): number {
	return tensorCount;
}

/**
 * Starts (or stops) remembering every tensor made, so that {@link leakReport} can name them.
 * Costs a weak reference a tensor; off by default.
 */
export function trackTensors(on = true): void {
	tracked = on ? new Set() : null;
}

/**
 * The tensors made since {@link trackTensors} that are still alive, grouped by name and shape,
 * largest first: one line each, `3 x "relu" [256, 6, 24, 24], 10.6 MB`.
 */
export function leakReport(): string[] {
	check(tracked, "leakReport: call trackTensors() first, so that tensors are remembered");
	const groups = new Map<string, { count: number; bytes: number }>();
	for (const ref of tracked) {
		const tensor = ref.deref();
		if (!tensor || tensor.disposed) {
			tracked.delete(ref);
			continue;
		}
		const key = `"${tensor.name}" ${formatShape(tensor.shape)}`;
		const group = groups.get(key) ?? { count: 0, bytes: 0 };
		group.count++;
		group.bytes += tensor.view().BYTES_PER_ELEMENT * tensor.size;
		groups.set(key, group);
	}
	return [...groups]
		.sort(([, a], [, b]) => b.bytes - a.bytes)
		.map(([key, { count, bytes }]) => `${count} x ${key}, ${(bytes / 1e6).toFixed(3)} MB`);
}
