// What a graph must not keep: numbers that forward read off the input. A run on other values of the same shape shows
// them, as constants or options of ops that are other numbers then.

import { EvenkeelError } from "../../errors.ts";
import { tensor } from "../../ops/creation.ts";
import { Generator } from "../../random/generator.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { isAlike, usedOps } from "./merge.ts";
import type { Ref, Trace, TracedOp } from "./trace.ts";

/** Inputs of the same shapes, with other values in the range of those given; whole numbers are some of those given. */
export function otherValues(examples: readonly Tensor[]): Tensor[] {
	const random = new Generator(1);
	return examples.map((example) => {
		const { shape, dtype } = example;
		const values = example.dataSync();
		const drawn = random.fillUniform(new Float32Array(values.length));
		if (!isFloat(dtype)) {
			return tensor(
				Array.from(drawn, (share) => values[Math.floor(share * values.length)]),
				shape,
				{ dtype },
			);
		}
		const finite = Array.from(values).filter(Number.isFinite);
		const low = finite.reduce((a, b) => Math.min(a, b), finite[0] ?? 0);
		const span = finite.reduce((a, b) => Math.max(a, b), low) - low || 1;
		return tensor(
			drawn.map((share) => low + share * span),
			shape,
		);
	});
}

/**
 * Compares runs on different values of the same shape. Where forward decided otherwise, and ran other ops, there is
 * nothing to compare: the graph is what it decided in the first.
 *
 * @throws EvenkeelError naming the module and the op that was given numbers read off the input
 */
export function checkNotReadOff(first: Trace, other: Trace): void {
	const alike = first.ops.length === other.ops.length && first.ops.every((op, i) => isAlike(op, other.ops[i]));
	if (!alike || first.constants.length !== other.constants.length) return;
	for (const at of [...usedOps(first)].sort((a, b) => a - b)) {
		const op = first.ops[at];
		const option = differing(op.attrs, other.ops[at].attrs);
		if (option) fail(op, `its option ${option.path} is ${option.a} for one input and ${option.b} for another`);
		const constant = constantsOf(op).find((ref) => differing(dataAt(first, ref), dataAt(other, ref)));
		if (constant) fail(op, "a tensor that forward makes for it has other values for another input");
	}
	if (first.output.kind === "constant" && differing(dataAt(first, first.output), dataAt(other, first.output))) {
		throw new EvenkeelError(`exportOnnx: the output is made of numbers read off the input, ${wayOut}`);
	}
}

const wayOut = "and a graph would keep those of one run; compute it from the input by ops";

function fail({ label, name }: TracedOp, what: string): never {
	throw new EvenkeelError(`exportOnnx: ${label}: ${name}: ${what}, ${wayOut}`);
}

const constantsOf = ({ inputs, options }: TracedOp): Ref[] =>
	[...inputs, ...options.values()].filter(({ kind }) => kind === "constant");

const dataAt = ({ constants }: Trace, ref: Ref) => (ref.kind === "constant" ? constants[ref.at].data : undefined);

/** The first place where two options differ; null if they do not. Tensors among them are compared as constants. */
function differing(a: unknown, b: unknown, path = ""): { path: string; a: unknown; b: unknown } | null {
	if (typeof a !== "object" || a === null || typeof b !== "object" || b === null) {
		return typeof a === "function" || Object.is(a, b) ? null : { path, a, b };
	}
	if (a instanceof Tensor || b instanceof Tensor) return null;
	for (const [key, value] of Object.entries(a)) {
		const found = differing(value, Reflect.get(b, key), path === "" ? key : `${path}.${key}`);
		if (found) return found;
	}
	return null;
}
