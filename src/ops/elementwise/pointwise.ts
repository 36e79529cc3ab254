// Functions of one number, applied to every element: what all of them share. A function is a row of
// a table, its value and its derivative side by side, and two kernels of the same name.

import type { Tensor } from "../../tensor/tensor.ts";
import { checkFloat, empty, type KernelSet, kernelsFor, type Op, wasmOf } from "../op.ts";
import { GRAIN } from "./rows.ts";

/** Up to two numbers that select a member of a family of functions: an exponent, a slope, two bounds. */
export interface Parameters {
	p: number;
	q: number;
}

/** A function and its derivative in float64. */
export interface Pointwise {
	/** What the derivative is made from: the input, the output, or (null) nothing. */
	saves: "x" | "y" | null;
	forward(x: number, p: number, q: number): number;
	backward(dy: number, saved: number, p: number, q: number): number;
}

interface Kernels {
	forward(x: Tensor, out: Tensor, at: Parameters): void;
	backward(dy: Tensor, saved: Tensor, dx: Tensor, at: Parameters): void;
}

function kernelsOf(kernel: string, f: Pointwise): KernelSet<Kernels> {
	return {
		reference: {
			forward(x, out, { p, q }) {
				const [from, to] = [x.view(), out.view()];
				for (let i = 0; i < x.size; i++) to[i] = f.forward(from[i], p, q);
			},
			backward(dy, saved, dx, { p, q }) {
				const [grad, kept, to] = [dy.view(), saved.view(), dx.view()];
				for (let i = 0; i < dx.size; i++) to[i] = f.backward(grad[i], kept[i], p, q);
			},
		},
		wasm: {
			forward(x, out, { p, q }) {
				wasmOf(x).launch(kernel, [x.ptr, out.ptr, p, q], x.size, GRAIN);
			},
			backward(dy, saved, dx, { p, q }) {
				wasmOf(dy).launch(`${kernel}_backward`, [dy.ptr, saved.ptr, dx.ptr, p, q], dx.size, GRAIN);
			},
		},
	};
}

/**
 * One op for each function of `table`. Its kernels are `<prefix>_<name>(x, y, p, q)` and
 * `<prefix>_<name>_backward(dy, saved, dx, p, q)`.
 */
export function pointwiseOps<Name extends string>(
	prefix: string,
	table: Record<Name, Pointwise>,
): Record<Name, Op<Parameters>> {
	const names = Object.keys(table) as Name[];
	const ops = names.map((name) => [name, pointwiseOp(name, kernelsOf(`${prefix}_${name}`, table[name]), table[name])]);
	return Object.fromEntries(ops) as Record<Name, Op<Parameters>>;
}

function pointwiseOp(name: string, kernels: KernelSet<Kernels>, { saves }: Pointwise): Op<Parameters> {
	return {
		name,
		forward([x], at, ctx) {
			checkFloat(name, x);
			const y = empty(x.shape, x.backend, "float", name);
			kernelsFor(kernels, x).forward(x, y, at);
			if (saves) ctx.save(saves === "x" ? x : y);
			return y;
		},
		backward(dy, { attrs, saved }) {
			const dx = empty(dy.shape, dy.backend, "float", `gradient of ${name}`);
			kernelsFor(kernels, dy).backward(dy, saved[0] ?? dy, dx, attrs);
			return [dx];
		},
	};
}
