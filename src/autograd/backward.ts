// Walking the tape backwards. Nodes run in the reverse of the order they were made in, each once,
// with the sum of the gradients that reached its output.

import { check } from "../errors.ts";
import { addInPlace } from "../ops/elementwise/add-in-place.ts";
import { checkTensor, viewAs } from "../ops/op.ts";
import { keep, scope } from "../tensor/scope.ts";
import { formatShape, sameShape } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { GraphNode, noGrad } from "./tape.ts";

export interface BackwardOptions {
	/** Keep what forward saved, so that backward can run again. Default false. */
	retainGraph?: boolean;
	/**
	 * Called with each leaf that requires a gradient as soon as `leaf.grad` is complete, while backward goes on with the
	 * rest: leaves used last come first. One that no gradient reached has what it had before, which may be null.
	 */
	onGradientReady?: (leaf: Tensor) => void;
}

/**
 * Accumulates into `leaf.grad` the gradient of `root` with respect to every leaf that requires
 * one. `dy` is the gradient that arrives at `root`, of its shape; a tensor of one element needs none.
 */
export function backward(root: Tensor, dy?: Tensor, options: BackwardOptions = {}): void {
	void root.storage;
	check(root.requiresGrad, () => `backward: ${root.describe()} does not depend on anything that requires a gradient`);
	check(
		dy !== undefined || root.size === 1,
		() => `backward: ${root.describe()} is not a scalar; pass the gradient that arrives at it: y.backward(dy)`,
	);
	check(
		dy === undefined || sameShape(dy.shape, root.shape),
		() => `backward: dy has shape ${formatShape(dy?.shape ?? [])}, expected that of ${root.describe()}`,
	);
	check(
		dy === undefined || (dy.backend === root.backend && dy.dtype === root.dtype),
		() =>
			`backward: dy is ${dy?.dtype} on the ${dy?.backend.name} backend, ` +
			`${root.describe()} is ${root.dtype} on the ${root.backend.name} backend`,
	);
	noGrad(() =>
		scope(() => {
			const start = dy ? viewAs(dy, root.shape, "dy") : filledWithOne(root);
			if (root.gradFn instanceof GraphNode) walk(root.gradFn, start, options);
			else {
				accumulateLeaf(root, start);
				options.onGradientReady?.(root);
			}
		}),
	);
}

function walk(root: GraphNode, dy: Tensor, { retainGraph = false, onGradientReady }: BackwardOptions): void {
	const grads = new Map<GraphNode, Tensor>([[root, dy]]);
	const nodes = nodesFrom(root);
	const done = onGradientReady ? leafWatch(nodes, onGradientReady) : null;
	for (const node of nodes) {
		const arrived = grads.get(node);
		grads.delete(node);
		if (!arrived) {
			done?.(node);
			continue;
		}
		const grad = runHooks(node, arrived);
		const own = inputGradients(node, grad, !retainGraph);
		grad.dispose();
		arrived.dispose();
		node.edges.forEach((edge, i) => {
			const inputGrad = own[i];
			if (!edge || !inputGrad) return;
			checkGradient(node.name, inputGrad, "leaf" in edge ? edge.leaf : edge.node);
			if ("leaf" in edge) accumulateLeaf(edge.leaf, inputGrad);
			else grads.set(edge.node, sum(grads.get(edge.node), inputGrad));
		});
		if (!retainGraph) node.releaseSaved();
		done?.(node);
	}
}

/** Told of each node that has run, it calls `ready` with the leaves that nothing is still to reach. */
function leafWatch(nodes: readonly GraphNode[], ready: (leaf: Tensor) => void): (node: GraphNode) => void {
	const open = new Map<Tensor, number>();
	const leaves = (node: GraphNode) => node.edges.flatMap((edge) => (edge && "leaf" in edge ? [edge.leaf] : []));
	for (const leaf of nodes.flatMap(leaves)) open.set(leaf, (open.get(leaf) ?? 0) + 1);
	return (node) => {
		for (const leaf of leaves(node)) {
			const left = (open.get(leaf) ?? 0) - 1;
			open.set(leaf, left);
			if (left === 0) ready(leaf);
		}
	};
}

/**
 * What the node's backward makes of `grad`. What several inputs are given, or somebody else holds too, is shared:
 * each input gets a handle of its own.
 */
function inputGradients(node: GraphNode, grad: Tensor, last: boolean): (Tensor | null)[] {
	const made = node.run(grad, last);
	const name = `gradient through ${node.name}`;
	const own = made.map((g, i) => {
		if (!g) return null;
		if (g === grad || node.hasSaved(g) || made.indexOf(g) !== i || made.includes(g, i + 1))
			return viewAs(g, g.shape, name);
		g.name = name;
		return g;
	});
	made.forEach((g, i) => {
		if (g && g !== own[i] && !node.hasSaved(g)) g.dispose();
	});
	return own;
}

/** A gradient of the wrong size would be added past the end of another's memory. */
function checkGradient(
	what: string,
	grad: Tensor,
	of: { readonly name: string; readonly shape: readonly number[] },
): void {
	check(
		sameShape(grad.shape, of.shape),
		() =>
			`backward: "${what}" returned a gradient of shape ${formatShape(grad.shape)} for "${of.name}" ${formatShape(of.shape)}`,
	);
}

/** The nodes reachable from `root`, latest first. */
function nodesFrom(root: GraphNode): GraphNode[] {
	const seen = new Set<GraphNode>([root]);
	const pending = [root];
	for (let node = pending.pop(); node; node = pending.pop()) {
		for (const edge of node.edges) {
			if (edge && "node" in edge && !seen.has(edge.node)) {
				seen.add(edge.node);
				pending.push(edge.node);
			}
		}
	}
	return [...seen].sort((a, b) => b.id - a.id);
}

function runHooks(node: GraphNode, grad: Tensor): Tensor {
	let current = grad;
	for (const hook of node.hooks) {
		const replaced = hook(current);
		if (!replaced || replaced === current) continue;
		checkTensor("backward: what a hook returned", replaced);
		checkGradient("a hook", replaced, node);
		// A handle of our own: what the hook returned may be the caller's to keep.
		current = viewAs(replaced, replaced.shape);
	}
	return current;
}

function accumulateLeaf(leaf: Tensor, grad: Tensor): void {
	if (leaf.disposed) return;
	const before = leaf.grad;
	const total = sum(before ?? undefined, grad);
	if (total === before) return;
	// What others still see must not change under them when the next gradient is added to it.
	leaf.grad = keep(total.storage.refs > 1 ? copyOf(total) : total);
	leaf.grad.name = `gradient of ${leaf.name}`;
	before?.dispose();
}

/** `a + b`, in place of `a` where nobody else sees its memory. Frees `b`. */
function sum(a: Tensor | undefined, b: Tensor): Tensor {
	if (!a) return b;
	const into = a.storage.refs === 1 ? a : copyOf(a);
	addInPlace(into, b);
	b.dispose();
	if (into !== a) a.dispose();
	return into;
}

function copyOf(tensor: Tensor): Tensor {
	const copy = new Tensor(tensor.backend.alloc(tensor.dtype, tensor.size), tensor.shape, tensor.name);
	copy.view().set(tensor.view().subarray(0, tensor.size));
	return copy;
}

function filledWithOne(like: Tensor): Tensor {
	const one = new Tensor(like.backend.alloc(like.dtype, like.size), like.shape, "dy");
	one.view().fill(1);
	return one;
}

declare module "../tensor/tensor.ts" {
	interface Tensor {
		/**
		 * Accumulates the gradient of this tensor into `grad` of every leaf that requires one.
		 *
		 * @param dy the gradient that arrives here, of this tensor's shape; a scalar needs none
		 * @throws EvenkeelError if nothing here requires a gradient, or what forward saved is gone
		 */
		backward(dy?: Tensor, options?: BackwardOptions): void;
		/**
		 * Calls `hook` with the gradient of this tensor when backward reaches it; a tensor that it
		 * returns takes the gradient's place. The gradient is freed afterwards: `clone()` and
		 * `keep()` it, or read its data. Returns a function that removes the hook.
		 */
		registerHook(hook: (grad: Tensor) => Tensor | undefined): () => void;
	}
}

Tensor.prototype.backward = function (dy, options) {
	backward(this, dy, options);
};

Tensor.prototype.registerHook = function (hook) {
	const node = this.gradFn;
	check(
		node instanceof GraphNode,
		() =>
			`registerHook: ${this.describe()} was not computed from anything that requires a gradient; read .grad after backward()`,
	);
	node.hooks.push(hook);
	return () => {
		node.hooks = node.hooks.filter((other) => other !== hook);
	};
};
