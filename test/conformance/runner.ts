// One case of an op's cases.json on one backend: run it, compare it with PyTorch, and see that it
// gave back all its memory.

import { gradcheck } from "../../src/autograd/gradcheck.ts";
import type { Backend } from "../../src/backend/backend.ts";
import { tensor } from "../../src/ops/creation.ts";
import type { DType, TypedArray } from "../../src/tensor/dtype.ts";
import { scope } from "../../src/tensor/scope.ts";
import { formatShape, sameShape } from "../../src/tensor/shape.ts";
import { liveTensors, type Tensor } from "../../src/tensor/tensor.ts";

/**
 * Calls the op that a case is about. Every `conformance.ts` exports `runners`, a record of op name
 * to runner. An op that updates buffers returns them as `state`: either the input itself, changed in
 * place, or the new buffer.
 */
export type Runner = (
	inputs: Record<string, Tensor>,
	attrs: Record<string, unknown>,
) => Tensor | { y: Tensor; state: Record<string, Tensor> };

/** A tensor in cases.json. Numbers that JSON lacks are the strings "NaN", "Infinity", "-Infinity". */
interface Encoded {
	shape: number[];
	data: (number | string)[];
	dtype?: "int32" | "uint8";
}

/** One case, as test/conformance/cases.py writes it. */
export interface Case {
	op: string;
	name: string;
	attrs: Record<string, unknown>;
	inputs: Record<string, Encoded>;
	outputs: { y: Encoded };
	dy?: Encoded;
	grads?: Record<string, Encoded>;
	state?: Record<string, Encoded>;
	/** Relative tolerances on wasm for single tensors, with the reason. */
	tolerance?: Record<string, number | string>;
	skipGradcheck?: boolean;
	gradcheckEps?: number;
}

export interface CaseFile {
	script: string;
	torch: string;
	cases: Case[];
}

const TOLERANCE = { reference: { forward: 1e-9, gradient: 1e-9 }, wasm: { forward: 1e-5, gradient: 1e-4 } };

/** Finite differences look at this many elements of each input, spread over it by chance. */
const GRADCHECK_ELEMENTS = 150;

/**
 * Runs `testCase` on `backend` and throws if an output, a buffer or a gradient is further from
 * PyTorch's than it may be, or if memory is left behind. Gradients are asked for all together, and,
 * where there are several, one at a time.
 */
export function runCase(testCase: Case, runner: Runner, backend: Backend): void {
	const wanted = Object.keys(testCase.grads ?? {});
	runOnce(testCase, runner, backend, wanted);
	const before = { tensors: liveTensors(), bytes: backend.memory().used };
	runOnce(testCase, runner, backend, wanted);
	const after = { tensors: liveTensors(), bytes: backend.memory().used };
	if (after.tensors !== before.tensors || after.bytes !== before.bytes) {
		throw new Error(
			`${label(testCase)}: left ${after.tensors - before.tensors} tensors and ${after.bytes - before.bytes} bytes behind`,
		);
	}
	if (wanted.length > 1) for (const one of wanted) runOnce(testCase, runner, backend, [one]);
	if (wanted.length > 0) runOnce(testCase, runner, backend, []);
}

function runOnce(testCase: Case, runner: Runner, backend: Backend, wanted: readonly string[]): void {
	scope(() => {
		const inputs = makeInputs(testCase, wanted);
		const result = runner(inputs, testCase.attrs);
		const { y, state } = "y" in result ? result : { y: result, state: {} };
		compare(testCase, "y", y, testCase.outputs.y, backend, "forward");
		for (const [name, buffer] of Object.entries(testCase.state ?? {})) {
			if (!state[name]) throw new Error(`${label(testCase)}: the runner returned no state "${name}"`);
			compare(testCase, name, state[name], buffer, backend, "forward");
		}
		if (y.requiresGrad !== wanted.length > 0) {
			throw new Error(`${label(testCase)}: y.requiresGrad is ${y.requiresGrad} with gradients of [${wanted}] wanted`);
		}
		if (wanted.length === 0 || !testCase.dy) return;
		y.backward(decode(testCase.dy, "dy"));
		for (const [name, { grad }] of Object.entries(inputs)) {
			const expected = wanted.includes(name) ? testCase.grads?.[name] : undefined;
			compareGradient(testCase, name, grad, expected, backend);
		}
	});
}

/** How far a case is from PyTorch on the current backend: the relative error of each output, buffer and gradient. */
export interface Measured {
	forward: number;
	/** By the name of the input. */
	gradients: Record<string, number>;
	/** By the name of the buffer. */
	state: Record<string, number>;
}

/** Runs `testCase` on the current backend and measures it, without judging. */
export function measureCase(testCase: Case, runner: Runner): Measured {
	return scope(() => {
		const inputs = makeInputs(testCase, Object.keys(testCase.grads ?? {}));
		const result = runner(inputs, testCase.attrs);
		const { y, state } = "y" in result ? result : { y: result, state: {} };
		const errors = (expected: Record<string, Encoded> | undefined, actual: (name: string) => Tensor | null) =>
			Object.fromEntries(
				Object.entries(expected ?? {}).map(([name, encoded]) => {
					const tensor = actual(name);
					return [name, tensor ? relativeError(tensor.view(), numbers(encoded)).error : Number.POSITIVE_INFINITY];
				}),
			);
		const forward = relativeError(y.view(), numbers(testCase.outputs.y)).error;
		const buffers = errors(testCase.state, (name) => state[name]);
		if (testCase.dy) y.backward(decode(testCase.dy, "dy"));
		return { forward, state: buffers, gradients: errors(testCase.grads, (name) => inputs[name].grad) };
	});
}

function compareGradient(
	testCase: Case,
	name: string,
	grad: Tensor | null,
	expected: Encoded | undefined,
	backend: Backend,
): void {
	if (expected && !grad) throw new Error(`${label(testCase)}: ${name} got no gradient`);
	if (!expected && grad) throw new Error(`${label(testCase)}: ${name} wants no gradient and got one`);
	if (expected && grad) compare(testCase, name, grad, expected, backend, "gradient");
}

/** Finite differences against the op's own backward, on the reference backend (the current one). */
export function gradcheckCase(testCase: Case, runner: Runner): void {
	const wanted = Object.keys(testCase.grads ?? {});
	scope(() => {
		const inputs = makeInputs(testCase, wanted);
		const buffers = Object.fromEntries(Object.entries(inputs).filter(([name]) => !wanted.includes(name)));
		const original = Object.fromEntries(Object.entries(buffers).map(([name, t]) => [name, t.dataSync()]));
		const fn = (...leaves: Tensor[]): Tensor => {
			// Each call starts from the same buffers: running statistics change in place.
			for (const [name, buffer] of Object.entries(buffers)) buffer.view().set(original[name]);
			const result = runner(
				{ ...buffers, ...Object.fromEntries(wanted.map((name, i) => [name, leaves[i]])) },
				testCase.attrs,
			);
			return "y" in result ? result.y : result;
		};
		gradcheck(
			fn,
			wanted.map((name) => inputs[name]),
			{
				eps: testCase.gradcheckEps,
				maxElements: GRADCHECK_ELEMENTS,
			},
		);
	});
}

function makeInputs(testCase: Case, wanted: readonly string[]): Record<string, Tensor> {
	return Object.fromEntries(
		Object.entries(testCase.inputs).map(([name, encoded]) => [name, decode(encoded, name, wanted.includes(name))]),
	);
}

function numbers(encoded: Encoded): number[] {
	return encoded.data.map(Number);
}

function decode(encoded: Encoded, name: string, requiresGrad = false): Tensor {
	const dtype: DType = encoded.dtype ?? "float32";
	return tensor(numbers(encoded), encoded.shape, { dtype, name, requiresGrad });
}

function compare(
	testCase: Case,
	name: string,
	actual: Tensor,
	expected: Encoded,
	backend: Backend,
	kind: "forward" | "gradient",
): void {
	const what = `${label(testCase)} on ${backend.name}, ${kind === "gradient" ? "gradient of " : ""}${name}`;
	if (!sameShape(actual.shape, expected.shape)) {
		throw new Error(`${what}: shape ${formatShape(actual.shape)}, PyTorch has ${formatShape(expected.shape)}`);
	}
	const isInteger = actual.dtype === "int32" || actual.dtype === "uint8";
	if (isInteger !== (expected.dtype !== undefined)) {
		throw new Error(`${what}: type ${actual.dtype}, PyTorch has ${expected.dtype ?? "a floating type"}`);
	}
	const override = backend.name === "wasm" ? testCase.tolerance?.[name] : undefined;
	const allowed = isInteger ? 0 : typeof override === "number" ? override : TOLERANCE[backend.name][kind];
	const { error, index } = relativeError(actual.view(), numbers(expected));
	if (!(error <= allowed)) {
		throw new Error(
			`${what}: relative error ${error.toExponential(2)}, allowed ${allowed}; ` +
				`worst at ${index}: ${actual.view()[index]}, PyTorch has ${expected.data[index]}`,
		);
	}
}

/**
 * ||actual - expected|| / ||expected|| over the finite numbers (the absolute error where all
 * expected are zero), and where they differ most. Infinite if NaN and infinity stand elsewhere.
 */
export function relativeError(actual: TypedArray, expected: readonly number[]): { error: number; index: number } {
	let difference = 0;
	let norm = 0;
	let worst = 0;
	let index = 0;
	for (let i = 0; i < expected.length; i++) {
		if (!Number.isFinite(expected[i]) || !Number.isFinite(actual[i])) {
			if (!Object.is(actual[i], expected[i])) return { error: Infinity, index: i };
			continue;
		}
		const d = Math.abs(actual[i] - expected[i]);
		if (d > worst) {
			worst = d;
			index = i;
		}
		difference += d * d;
		norm += expected[i] * expected[i];
	}
	return { error: Math.sqrt(norm > 0 ? difference / norm : difference), index };
}

function label(testCase: Case): string {
	return `${testCase.op} (${testCase.name})`;
}
