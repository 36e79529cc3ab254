// The tape: which op made a tensor, from what, and what its backward needs. A node belongs to its
// output and to the nodes that use it; when the last of them goes, so does what it saved.

import { check, EvenkeelError } from "../errors.ts";
import { isThenable } from "../tensor/scope.ts";
import type { GradFn, Tensor } from "../tensor/tensor.ts";
import { Tensor as TensorClass } from "../tensor/tensor.ts";
import { spanEnd, spanStart } from "../trace.ts";

/** Where a gradient goes next: to the node that made an input, to a leaf, or nowhere. */
export type Edge = { node: GraphNode } | { leaf: Tensor } | null;

/** What an op's backward is given. `saved` are the tensors that forward passed to `save`. */
export interface BackwardContext<Attrs> {
	readonly attrs: Attrs;
	readonly saved: readonly Tensor[];
	/** For each input, whether its gradient is wanted: what is not wanted need not be computed. */
	readonly needsGrad: readonly boolean[];
	/** Whether `saved` is freed after this: what nobody else holds (`storage.refs` is 1) may be overwritten and returned. */
	readonly last: boolean;
}

type Backward = (dy: Tensor, ctx: BackwardContext<never>) => readonly (Tensor | null)[];

let gradEnabled = true;
let nextId = 0;

/**
 * Runs `fn` without recording: nothing made inside it requires a gradient, nothing is saved.
 *
 * @throws EvenkeelError if `fn` returns a promise: what it does after its first `await` would be recorded
 */
export function noGrad<T>(fn: () => T): T {
	const before = gradEnabled;
	gradEnabled = false;
	let result: T;
	try {
		result = fn();
	} finally {
		gradEnabled = before;
	}
	if (isThenable(result)) {
		result.then(undefined, () => {});
		throw new EvenkeelError(
			"noGrad: the function returned a promise, and what it does after its first await would be recorded; " +
				"await outside, and call noGrad around what is synchronous",
		);
	}
	return result;
}

export function isGradEnabled(): boolean {
	return gradEnabled;
}

export class GraphNode implements GradFn {
	/** Grows with time: a node's inputs have smaller ids than the node. */
	readonly id = nextId++;
	readonly name: string;
	readonly edges: readonly Edge[];
	readonly shape: readonly number[];
	/** Called with the gradient of this node's output; may return another in its place. */
	hooks: ((grad: Tensor) => Tensor | undefined)[] = [];
	#backward: Backward;
	#attrs: unknown;
	#needsGrad: boolean[];
	#saved: { tensor: Tensor; version: number }[];
	#refs = 0;
	#released = false;

	constructor(
		name: string,
		shape: readonly number[],
		inputs: readonly Tensor[],
		backward: Backward,
		attrs: unknown,
		saved: Tensor[],
	) {
		this.name = name;
		this.shape = shape;
		this.#backward = backward;
		this.#attrs = attrs;
		this.#saved = saved.map((tensor) => ({ tensor, version: tensor.storage.version }));
		this.#needsGrad = inputs.map((input) => input.requiresGrad);
		this.edges = inputs.map((input): Edge => {
			if (!input.requiresGrad) return null;
			if (!(input.gradFn instanceof GraphNode)) return { leaf: input };
			input.gradFn.retain();
			return { node: input.gradFn };
		});
	}

	retain(): void {
		this.#refs++;
	}

	release(): void {
		if (--this.#refs > 0) return;
		// A long chain is let go in a loop: recursion would run out of stack.
		const pending: GraphNode[] = [this];
		for (let node = pending.pop(); node; node = pending.pop()) {
			node.releaseSaved();
			for (const edge of node.edges) {
				if (edge && "node" in edge && --edge.node.#refs === 0) pending.push(edge.node);
			}
		}
	}

	/** Frees what forward saved; the node can then not run backward again. */
	releaseSaved(): void {
		this.#released = true;
		for (const { tensor } of this.#saved) tensor.dispose();
		this.#saved = [];
	}

	/** Whether `tensor` is one that forward saved: an op may return it as a gradient. */
	hasSaved(tensor: Tensor): boolean {
		return this.#saved.some((entry) => entry.tensor === tensor);
	}

	/** The gradients of the inputs, given that of the output. `last`: {@link releaseSaved} comes next. */
	run(dy: Tensor, last: boolean): readonly (Tensor | null)[] {
		check(
			!this.#released,
			() =>
				`backward: the tensors that "${this.name}" saved were freed by an earlier backward(); ` +
				"run forward again, or call backward(dy, { retainGraph: true }) the first time",
		);
		for (const { tensor, version } of this.#saved) {
			if (tensor.storage.version !== version) {
				throw new EvenkeelError(
					`backward: ${tensor.describe()}, saved by "${this.name}", was changed in place since; ` +
						"run backward() before optimizer.step() or loadStateDict()",
				);
			}
		}
		const ctx: BackwardContext<never> = {
			attrs: this.#attrs as never,
			saved: this.#saved.map(({ tensor }) => tensor),
			needsGrad: this.#needsGrad,
			last,
		};
		const start = spanStart();
		const grads = this.#backward(dy, ctx);
		spanEnd("backward", this.name, start);
		return grads;
	}
}

/** A handle of the tape's own on a tensor's memory: the tensor may be freed, the memory stays. */
export function saveForBackward(tensor: Tensor): Tensor {
	const saved = new TensorClass(tensor.storage.retain(), tensor.shape, tensor.name);
	saved.ownedByTape();
	return saved;
}

/** Puts `output` on the tape. */
export function record<Attrs>(
	name: string,
	output: Tensor,
	inputs: readonly Tensor[],
	backward: (dy: Tensor, ctx: BackwardContext<Attrs>) => readonly (Tensor | null)[],
	attrs: Attrs,
	saved: Tensor[],
): void {
	output.setGradFn(new GraphNode(name, output.shape, inputs, backward as Backward, attrs, saved));
}
