// Who owns memory. Inside scope(() => …) everything made is freed at the end except what is
// returned or kept; outside of any scope the garbage collector decides (unscoped.ts).

import { check, EvenkeelError } from "../errors.ts";
import type { Tensor } from "./tensor.ts";

const scopes: Set<Tensor>[] = [];

/** Called by every new tensor: the innermost open scope owns it. False where there is none. */
export function adopt(tensor: Tensor): boolean {
	const innermost = scopes[scopes.length - 1];
	innermost?.add(tensor);
	return innermost !== undefined;
}

/** Takes a tensor out of whichever scope owns it. */
export function disown(tensor: Tensor): boolean {
	for (let i = scopes.length - 1; i >= 0; i--) if (scopes[i].delete(tensor)) return true;
	return false;
}

function isTensor(value: object): value is Tensor {
	return "isEvenkeelTensor" in value;
}

/** The tensors in a result, however deep; each object is looked into once. */
function* tensorsIn(value: unknown, seen = new Set<object>()): Generator<Tensor> {
	if (value === null || typeof value !== "object" || ArrayBuffer.isView(value) || seen.has(value)) return;
	seen.add(value);
	if (isTensor(value)) yield value;
	else if (Array.isArray(value) || value instanceof Set) for (const item of value) yield* tensorsIn(item, seen);
	else if (value instanceof Map) for (const item of value.values()) yield* tensorsIn(item, seen);
	else if (isPlain(value)) for (const item of Object.values(value)) yield* tensorsIn(item, seen);
}

function isPlain(value: object): boolean {
	const prototype = Object.getPrototypeOf(value);
	return prototype === Object.prototype || prototype === null;
}

/** True of promises, and of whatever else `await` would wait for. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
	return value !== null && typeof value === "object" && "then" in value && typeof value.then === "function";
}

/**
 * Runs `fn` and frees every tensor it made, except those in its result (a tensor, or arrays, maps,
 * sets and plain objects of tensors, nested at will) and those passed to {@link keep}. Results belong to the enclosing
 * scope, if there is one. Parameters, buffers and gradients of parameters are never freed by a scope.
 *
 * `fn` must be synchronous: a promise would outlive the scope.
 */
export function scope<T>(fn: () => T): T {
	const owned = new Set<Tensor>();
	scopes.push(owned);
	let result: T;
	try {
		result = fn();
	} catch (error) {
		scopes.pop();
		for (const tensor of owned) tensor.dispose("the scope that made it threw an error");
		throw error;
	}
	scopes.pop();
	if (isThenable(result)) {
		for (const tensor of owned) tensor.dispose("its scope's function returned a promise");
		// What it fails with is a consequence of this error, and must not end the process as unhandled.
		result.then(undefined, () => {});
		throw new EvenkeelError(
			"scope: the function returned a promise, and its tensors would be freed before it settles; " +
				"await outside of the scope, or free with `using` or dispose()",
		);
	}
	if (result !== undefined)
		for (const tensor of tensorsIn(result)) {
			if (owned.delete(tensor) && !adopt(tensor)) tensor.collectWithGarbage();
		}
	for (const tensor of owned) tensor.dispose("the scope that made it ended");
	return result;
}

/**
 * Takes `tensor` out of the open scopes: it then lives until `dispose()`, or until the garbage
 * collector finds it. Returns the tensor.
 */
export function keep<T extends Tensor>(tensor: T): T {
	check(!tensor.disposed, () => `keep: ${tensor.describe()} has already been freed`);
	if (disown(tensor)) tensor.collectWithGarbage();
	return tensor;
}
