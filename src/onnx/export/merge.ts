// Several runs of a network, on batches of different sizes, seen as one: the same ops on the same values, with lengths
// that follow the batch.

import { check, EvenkeelError } from "../../errors.ts";
import type { DType } from "../../tensor/dtype.ts";
import { formatShape } from "../../tensor/shape.ts";
import { type Length, shapeOf } from "./lengths.ts";
import type { Constant, Ref, Trace, TracedOp } from "./trace.ts";

/** A constant of a network, whose shape may follow the batch if all of its values are alike. */
export interface MergedConstant extends Omit<Constant, "shape"> {
	readonly shape: readonly Length[];
}

export interface MergedOp {
	/** The op in each run. */
	readonly runs: readonly TracedOp[];
	readonly shape: readonly Length[];
}

export interface MergedTrace {
	readonly batches: readonly number[];
	readonly inputs: readonly { readonly shape: readonly Length[]; readonly dtype: DType }[];
	/** Those that the output depends on, in the order in which they ran; null for the others. */
	readonly ops: readonly (MergedOp | null)[];
	readonly constants: readonly MergedConstant[];
	readonly output: Ref;
	readonly outputShape: readonly Length[];
	readonly outputType: DType;
}

/**
 * Merges runs.
 *
 * @throws EvenkeelError if they did different things, or made tensors whose values differ
 */
export function mergeTraces(traces: readonly Trace[]): MergedTrace {
	const [first] = traces;
	const batches = traces.map(({ batch }) => batch);
	for (const other of traces.slice(1)) checkAlike(first, other);
	const used = usedOps(first);
	return {
		batches,
		inputs: first.inputs.map(({ dtype }, i) => {
			const shapes = traces.map(({ inputs }) => inputs[i].shape);
			return { dtype, shape: shapeOf(shapes, batches, `exportOnnx: input ${i}`) };
		}),
		ops: first.ops.map((op, i) => {
			if (!used.has(i)) return null;
			const runs = traces.map(({ ops }) => ops[i]);
			const shapes = runs.map(({ shape }) => shape);
			return { runs, shape: shapeOf(shapes, batches, `exportOnnx: ${op.label}: ${op.name}`) };
		}),
		constants: first.constants.map((_, i) => mergeConstant(traces, i)),
		output: first.output,
		outputShape: shapeOf(
			traces.map(({ outputShape }) => outputShape),
			batches,
			"exportOnnx: the output",
		),
		outputType: first.outputType,
	};
}

function checkAlike(a: Trace, b: Trace): void {
	const at = a.ops.findIndex((op, i) => !isAlike(op, b.ops[i]));
	const differs = at >= 0 ? a.ops[at] : (b.ops[a.ops.length] ?? (sameRef(a.output, b.output) ? null : a.ops.at(-1)));
	check(
		differs === null && a.constants.length === b.constants.length,
		() =>
			`exportOnnx: ${differs?.label ?? "the network"}: forward does other things for ${b.batch} examples than for ` +
			`${a.batch}${differs ? `, from ${differs.name} on` : ""}; export with dynamicBatch: false for one batch size`,
	);
}

/** Whether two ops are the same op on the same values. */
export function isAlike(a: TracedOp, b: TracedOp | undefined): boolean {
	return (
		b !== undefined &&
		a.name === b.name &&
		a.path === b.path &&
		a.inputs.length === b.inputs.length &&
		a.inputs.every((ref, i) => sameRef(ref, b.inputs[i]))
	);
}

function sameRef(a: Ref, b: Ref): boolean {
	return JSON.stringify(a) === JSON.stringify(b);
}

/** The places of the ops that the output depends on. */
export function usedOps({ ops, output }: Trace): Set<number> {
	const used = new Set<number>();
	const pending: Ref[] = [output];
	for (let ref = pending.pop(); ref; ref = pending.pop()) {
		if (ref.kind !== "op" || used.has(ref.at)) continue;
		used.add(ref.at);
		pending.push(...ops[ref.at].inputs, ...ops[ref.at].options.values());
	}
	return used;
}

function mergeConstant(traces: readonly Trace[], at: number): MergedConstant {
	const all = traces.map(({ constants }) => constants[at]);
	const [first] = all;
	const reader = traces[0].ops.find(({ inputs }) => inputs.some((ref) => ref.kind === "constant" && ref.at === at));
	const what = `exportOnnx: ${reader ? `${reader.label}: ${reader.name}: ` : ""}a tensor that forward makes`;
	const shape = shapeOf(
		all.map((constant) => constant.shape),
		traces.map(({ batch }) => batch),
		what,
	);
	const follows = all.some(({ data }) => data.length !== first.data.length);
	const value = first.data[0];
	const alike = all.every(({ data }) => data.every((one, i) => Object.is(one, follows ? value : first.data[i])));
	if (!alike) {
		const shapes = all.map((constant) => formatShape(constant.shape)).join(", ");
		throw new EvenkeelError(
			`${what} (${shapes}) has other values for other sizes of the batch, and a graph would keep those of one run; compute it ` +
				"from the input by ops, or export with dynamicBatch: false",
		);
	}
	return { ...first, shape };
}
