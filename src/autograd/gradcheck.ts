// Checking an op's backward against its forward: what backward says of a small change of an input
// must be what forward does when the input is changed.

import { currentBackend } from "../backend/backend.ts";
import { check, EvenkeelError } from "../errors.ts";
import { empty } from "../ops/op.ts";
import { isFloat, type TypedArray } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import "./backward.ts";
import { noGrad } from "./tape.ts";

export interface GradcheckOptions {
	/**
	 * The longest step of the finite differences. Default 3e-5: short beside anything that the
	 * function does smoothly, long beside the rounding of float64. Mind kinks within it (relu at 0).
	 */
	eps?: number;
	/** The largest relative error that passes. Default 1e-6. */
	tolerance?: number;
	/** Of the random cotangent, and of the choice of elements. Default 0. */
	seed?: number;
	/** Checks at most so many elements of each input, chosen by chance. Default: all. */
	maxElements?: number;
}

/**
 * Compares the gradients that `backward()` gives with finite differences of `fn`, and returns the
 * largest relative error.
 *
 * The function checked is the scalar L(inputs) = sum(dy * fn(inputs)) with a fixed random dy. A
 * plain sum would be blind: the outputs of a normalization with unit weight sum to zero whatever its
 * input is, so the gradient of their sum is zero, and a backward that returns nothing but zeros would pass.
 *
 * Each element x is moved by h and by h/2 either way, and the two central differences are
 * extrapolated, (4 D(h/2) - D(h)) / 3, which leaves an error of order h^4. The relative error of an
 * element is its distance from the analytic gradient, less what rounding alone can make of it, over
 * the largest gradient of the same input.
 *
 * @param fn maps the inputs to a tensor; called 4 times an element, so it must give the same every time
 * @param inputs leaves on the reference backend that require a gradient; `grad` is left as it was
 * @throws EvenkeelError naming input, index, analytic and numeric gradient if the error is above
 *   `tolerance`; or if the tensors are not float64
 *
 * @example
 * await init({ backend: "reference" });
 * gradcheck((x) => tanh(x), [tensor([0.1, 0.2], [2], { requiresGrad: true })]);
 */
export function gradcheck(
	fn: (...inputs: Tensor[]) => Tensor,
	inputs: readonly Tensor[],
	options: GradcheckOptions = {},
): number {
	const { eps = 3e-5, tolerance = 1e-6, seed = 0, maxElements = Infinity } = options;
	check(eps > 0, () => `gradcheck: eps must be positive, got ${eps}`);
	checkInputs(inputs);
	return scope(() => {
		const random = uniform(seed);
		const { dy, noise, gradients } = analytic(fn, inputs, random);
		let largest = 0;
		inputs.forEach((input, position) => {
			const indices = chooseElements(input.size, maxElements, random);
			const numeric = indices.map((index) => difference(fn, inputs, input, index, dy, eps));
			const scale = Math.max(largestOf(numeric), largestOf(gradients[position]));
			indices.forEach((index, k) => {
				const excess = Math.max(0, Math.abs(gradients[position][index] - numeric[k]) - noise / eps);
				const error = excess === 0 ? 0 : excess / scale;
				if (!(error <= tolerance)) {
					throw new EvenkeelError(
						`gradcheck: input ${position} ${input.describe()}, element ${index}: backward gives ` +
							`${gradients[position][index]}, finite differences give ${numeric[k]} ` +
							`(relative error ${error.toExponential(2)}, allowed ${tolerance})`,
					);
				}
				largest = Math.max(largest, error);
			});
		});
		return largest;
	});
}

function checkInputs(inputs: readonly Tensor[]): void {
	const backends = [currentBackend(), ...inputs.map((input) => input.backend)];
	for (const { name, float } of backends) {
		check(
			float === "float64",
			() =>
				`gradcheck: finite differences need float64, and the ${name} backend computes in ${float}; ` +
				'call init({ backend: "reference" }) and make the tensors after it',
		);
	}
	check(inputs.length > 0, "gradcheck: there are no inputs; pass the tensors to differentiate by");
	for (const [position, input] of inputs.entries()) {
		check(
			isFloat(input.dtype) && input.requiresGrad && input.gradFn === null,
			() =>
				`gradcheck: input ${position} ${input.describe()} is not a leaf that requires a gradient; use setRequiresGrad()`,
		);
	}
}

/** Runs forward and backward once. `noise` estimates the rounding error of L, inside of `fn` as well. */
function analytic(fn: (...inputs: Tensor[]) => Tensor, inputs: readonly Tensor[], random: () => number) {
	const before = inputs.map((input) => input.grad);
	for (const input of inputs) input.grad = null;
	try {
		return scope(() => {
			const y = fn(...inputs);
			const dy = Float64Array.from({ length: y.size }, () => 2 * random() - 1);
			const cotangent = empty(y.shape, y.backend, "float", "dy");
			cotangent.view().set(dy);
			if (y.size > 0) y.backward(cotangent);
			const values = y.view();
			const inside = Math.max(...inputs.map((input) => largestOf(input.view())));
			let magnitude = 0;
			for (let i = 0; i < dy.length; i++) magnitude += Math.abs(dy[i]) * (Math.abs(values[i]) + inside);
			const gradients = inputs.map((input) => Float64Array.from(input.grad?.view() ?? new Float64Array(input.size)));
			return { dy, noise: 4 * Number.EPSILON * magnitude, gradients };
		});
	} finally {
		inputs.forEach((input, i) => {
			input.grad?.dispose();
			input.grad = before[i];
		});
	}
}

function difference(
	fn: (...inputs: Tensor[]) => Tensor,
	inputs: readonly Tensor[],
	input: Tensor,
	index: number,
	dy: Float64Array,
	eps: number,
): number {
	const values = input.view();
	const x = values[index];
	const lossAt = (value: number): number => {
		values[index] = value;
		return scope(() => noGrad(() => dot(fn(...inputs).view(), dy)));
	};
	// Divided by the step that was really taken: x + h is rounded.
	const central = (h: number) => (lossAt(x + h) - lossAt(x - h)) / (x + h - (x - h));
	try {
		return (4 * central(eps / 2) - central(eps)) / 3;
	} finally {
		values[index] = x;
	}
}

function dot(a: TypedArray, b: Float64Array): number {
	check(a.length === b.length, "gradcheck: the function returned another shape the second time");
	let sum = 0;
	for (let i = 0; i < b.length; i++) sum += a[i] * b[i];
	return sum;
}

function largestOf(values: ArrayLike<number>): number {
	let largest = 0;
	for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]));
	return largest;
}

/** All indices, or `most` distinct ones. */
function chooseElements(size: number, most: number, random: () => number): number[] {
	const indices = Array.from({ length: size }, (_, i) => i);
	if (size <= most) return indices;
	for (let i = 0; i < most; i++) {
		const j = i + Math.floor(random() * (size - i));
		[indices[i], indices[j]] = [indices[j], indices[i]];
	}
	return indices.slice(0, most);
}

/** Uniform numbers in [0, 1) from a seed (mulberry32). */
function uniform(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), state | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}
