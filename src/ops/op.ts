// The single junction that every operation passes: check the inputs, run forward on the backend
// they live on, and record the step on the tape if a gradient may flow back through it.

import { type BackwardContext, isGradEnabled, record, saveForBackward } from "../autograd/tape.ts";
import type { Backend, BackendName } from "../backend/backend.ts";
import type { WasmBackend } from "../backend/wasm/wasm-backend.ts";
import { check, EvenkeelError } from "../errors.ts";
import type { DType } from "../tensor/dtype.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { forwardEnd, spanStart } from "../trace.ts";

/** What an op's forward is given. */
export interface ForwardContext {
	/** Whether backward will be possible: only then is there a point in saving. */
	readonly recording: boolean;
	/** For each input, whether a gradient may be wanted. */
	readonly needsGrad: readonly boolean[];
	/** Hands tensors to backward, in this order; they may be freed elsewhere meanwhile. */
	save(...tensors: Tensor[]): void;
}

/** An operation: a value and its derivative, side by side. */
export interface Op<Attrs> {
	readonly name: string;
	/** Validates, infers the output's shape, makes the output and runs the kernel. */
	forward(inputs: readonly Tensor[], attrs: Attrs, ctx: ForwardContext): Tensor;
	/** The gradients of the inputs, given `dy`; null where `ctx.needsGrad` says none is wanted. Absent: not differentiable. */
	backward?(dy: Tensor, ctx: BackwardContext<Attrs>): readonly (Tensor | null)[];
}

/** One implementation of an op's kernels for each backend. */
export type KernelSet<Kernels> = Readonly<Record<BackendName, Kernels>>;

/** The kernels of `set` for the backend on which `tensor` lives. */
export function kernelsFor<Kernels>(set: KernelSet<Kernels>, tensor: Tensor): Kernels {
	return set[tensor.backend.name];
}

export function wasmOf(tensor: Tensor): WasmBackend {
	return tensor.backend as WasmBackend;
}

/** An op that ran, as {@link watchOps} shows it. The tensors may be freed soon: read now what is wanted of them. */
export interface AppliedOp {
	/** The op's name: `conv`, `batchNorm`, `add`. */
	readonly name: string;
	readonly inputs: readonly Tensor[];
	readonly attrs: unknown;
	readonly output: Tensor;
}

let watcher: ((op: AppliedOp) => void) | null = null;

/** Runs `fn` and shows `watch` each op of its, once it has run: what a network's forward is made of. */
export function watchOps<T>(watch: (op: AppliedOp) => void, fn: () => T): T {
	const before = watcher;
	watcher = watch;
	try {
		return fn();
	} finally {
		watcher = before;
	}
}

/** Runs `op` on `inputs` and records it. */
export function apply<Attrs>(op: Op<Attrs>, inputs: readonly Tensor[], attrs: Attrs): Tensor {
	checkOneBackend(op.name, inputs);
	const needsGrad = inputs.map((input) => input.requiresGrad);
	const recording = op.backward !== undefined && isGradEnabled() && needsGrad.includes(true);
	const saved: Tensor[] = [];
	const start = spanStart();
	const output = op.forward(inputs, attrs, {
		recording,
		needsGrad,
		save: (...tensors) => {
			if (recording) for (const tensor of tensors) saved.push(saveForBackward(tensor));
		},
	});
	forwardEnd(op.name, start, inputs, output);
	if (recording && op.backward) record(op.name, output, inputs, op.backward.bind(op), attrs, saved);
	if (watcher !== null) watcher({ name: op.name, inputs, attrs, output });
	return output;
}

/** An uninitialized tensor. `dtype: "float"` is the backend's floating type. */
export function empty(shape: Shape, like: Backend, dtype: DType | "float", name: string): Tensor {
	return new Tensor(like.alloc(dtype === "float" ? like.float : dtype, sizeOf(shape)), shape, name);
}

/** `tensor`'s memory under another shape of the same size. Not recorded: for use inside ops. */
export function viewAs(tensor: Tensor, shape: Shape, name = tensor.name): Tensor {
	return new Tensor(tensor.storage.retain(), shape, name);
}

/** Whether it is a tensor: of this copy of the library, or of another one that a bundler put beside it. */
export function isTensor(value: unknown): value is Tensor {
	return (value as Tensor | null | undefined)?.isEvenkeelTensor === true;
}

/** Checks what a program without types may get wrong. */
export function checkTensor(op: string, value: Tensor): void {
	check(
		isTensor(value),
		() =>
			`${op}: expected a tensor, got ${Array.isArray(value) ? "an array" : String(value)}; make one with tensor(values)`,
	);
}

export function checkFloat(op: string, ...tensors: readonly Tensor[]): void {
	for (const tensor of tensors) {
		checkTensor(op, tensor);
		check(
			tensor.dtype === tensor.backend.float,
			() => `${op}: expected a floating tensor, got ${tensor.dtype} ${tensor.describe()}; convert it with toFloat()`,
		);
	}
}

function checkOneBackend(op: string, inputs: readonly Tensor[]): void {
	const backend = inputs[0]?.backend;
	for (const input of inputs) {
		checkTensor(op, input);
		if (input.disposed) void input.storage;
		if (input.backend !== backend) {
			throw new EvenkeelError(
				`${op}: ${inputs[0].describe()} lives on the ${backend?.name} backend and ${input.describe()} on ` +
					`${input.backend.name}; make both after the same init()`,
			);
		}
	}
}
