// Operators that move elements: on tensors, and on the numbers that shapes are computed with.

import { quote } from "../../model-files/show.ts";
import { Flatten, Identity } from "../../nn/layers/shape.ts";
import { concat, permute, reshape, slice } from "../../ops/shape/op.ts";
import { normalizeAxis, type Shape, sizeOf } from "../../tensor/shape.ts";
import type { NodeContext, Operator } from "../node-context.ts";
import { type PadMode, padTensor } from "../pad.ts";
import type { Side } from "../spatial.ts";
import { type Env, isTensor, listOf, type Value } from "../value.ts";
import { numbersAlong, sliceAlong } from "./slicing.ts";

/** Either kind of value under another shape of the same size. */
function reshaped(value: Value, shape: Shape): Value {
	return isTensor(value) ? reshape(value, shape) : { ...value, shape };
}

/** Whole numbers that are an attribute before version `from`, and input number `index` from then on. */
function listInput(node: NodeContext, name: string, index: number, from: number): ((env: Env) => number[]) | null {
	if (node.opset < from) {
		const list = node.ints(name);
		return list ? () => list : null;
	}
	const input = node.optional(index);
	return input && ((env) => input.list(env));
}

/** Reshape: 0 keeps a length (unless allowzero says it is one), -1 is what is left. */
const reshapeOperator: Operator = (node) => {
	const allowZero = node.flag("allowzero", false);
	const known = node.constant(1);
	const dims = node.dims(0);
	const open = (length: number, axis: number) => (length > 0 ? length : length === 0 ? (dims?.[axis] ?? null) : null);
	node.setDims(known ? Array.from(known.data, open) : undefined);
	const [x, shape] = [node.input(0), node.input(1)];
	return (env) => {
		const value = x.value(env);
		const wanted = shape.list(env).map((length, axis) => (length === 0 && !allowZero ? value.shape[axis] : length));
		const rest = sizeOf(wanted.filter((length) => length !== -1));
		return reshaped(
			value,
			wanted.map((length) => (length === -1 ? sizeOf(value.shape) / rest : length)),
		);
	};
};

/** Flatten: two axes, what is before `axis` and the rest. */
const flatten: Operator = (node) => {
	const axis = node.int("axis", 1);
	const dims = node.dims(0);
	node.setDims(axis === 1 ? [dims?.[0] ?? null, null] : [null, null]);
	if (axis === 1) return node.plain(new Flatten());
	const x = node.input(0);
	return (env) => {
		const input = x.tensor(env);
		const first = axis < 0 ? axis + input.ndim : axis;
		return reshape(input, [sizeOf(input.shape.slice(0, first)), sizeOf(input.shape.slice(first))]);
	};
};

const squeeze: Operator = (node) => {
	const axes = listInput(node, "axes", 1, 13);
	const x = node.input(0);
	const known = node.opset < 13 ? node.ints("axes") : node.constant(1) && Array.from(node.constant(1)?.data ?? []);
	const dims = node.dims(0);
	if (dims && known) {
		const gone = known.map((axis) => normalizeAxis(axis, dims.length, node.label));
		node.setDims(dims.filter((_, axis) => !gone.includes(axis)));
	} else node.setDims(undefined);
	return (env) => {
		const value = x.value(env);
		const gone = axes?.(env).map((axis) => normalizeAxis(axis, value.shape.length, node.label));
		for (const axis of gone ?? []) {
			if (value.shape[axis] !== 1) node.fail(`axis ${axis} of [${value.shape.join(", ")}] is not of length 1`);
		}
		return reshaped(
			value,
			value.shape.filter((length, axis) => (gone ? !gone.includes(axis) : length !== 1)),
		);
	};
};

/** `shape` with axes of length 1 put in, so that they are the axes `axes` of the result. */
function withAxes<Length>(shape: readonly Length[], axes: readonly number[], one: Length, what: string): Length[] {
	const rank = shape.length + axes.length;
	const made = new Set(axes.map((axis) => normalizeAxis(axis, rank, what)));
	const rest = [...shape];
	return Array.from({ length: rank }, (_, axis) => (made.has(axis) ? one : (rest.shift() as Length)));
}

const unsqueeze: Operator = (node) => {
	const axes = listInput(node, "axes", 1, 13) ?? node.fail("it has no axes");
	const x = node.input(0);
	const known = node.opset < 13 ? node.ints("axes") : node.constant(1) && Array.from(node.constant(1)?.data ?? []);
	const dims = node.dims(0);
	node.setDims(dims && known ? withAxes<number | null>(dims, known, 1, node.label) : undefined);
	return (env) => {
		const value = x.value(env);
		return reshaped(value, withAxes(value.shape, axes(env), 1, node.label));
	};
};

const transpose: Operator = (node) => {
	const perm = node.ints("perm");
	const dims = node.dims(0);
	if (dims) node.setDims(perm ? perm.map((axis) => dims[axis] ?? null) : [...dims].reverse());
	const x = node.input(0);
	return (env) => {
		const input = x.tensor(env);
		return permute(input, perm ?? input.shape.map((_, axis) => input.ndim - 1 - axis));
	};
};

const concatenate: Operator = (node) => {
	const axis = node.int("axis", 1);
	const dims = node.dims(0);
	const lengths = node.proto.input.map((_, index) => {
		const own = node.dims(index);
		return own && dims ? own[normalizeAxis(axis, dims.length, node.label)] : null;
	});
	if (dims) {
		const along = normalizeAxis(axis, dims.length, node.label);
		const total = lengths.includes(null) ? null : lengths.reduce((sum: number, length) => sum + (length ?? 0), 0);
		node.setDims(dims.map((length, i) => (i === along ? total : length)));
	}
	const inputs = node.inputs();
	return (env) => {
		const values = inputs.map((input) => input.value(env));
		const numbers = values.flatMap((value) => (isTensor(value) ? [] : [value]));
		if (numbers.length === values.length && numbers.every(({ shape }) => shape.length === 1)) {
			return { ...listOf(numbers.flatMap(({ data }) => Array.from(data))), whole: numbers.every(({ whole }) => whole) };
		}
		return concat(
			inputs.map((input) => input.tensor(env)),
			axis,
		);
	};
};

/** Gather by indices that do not depend on the data. */
const gather: Operator = (node) => {
	const axis = node.int("axis", 0);
	const [x, indices] = [node.input(0), node.input(1)];
	const [dims, indexDims] = [node.dims(0), node.dims(1)];
	if (dims && indexDims) {
		const along = normalizeAxis(axis, dims.length, node.label);
		node.setDims([...dims.slice(0, along), ...indexDims, ...dims.slice(along + 1)]);
	} else node.setDims(undefined);
	return (env) => {
		const value = x.value(env);
		const { shape: indexShape, data } = indices.numbers(env);
		const along = normalizeAxis(axis, value.shape.length, node.label);
		const wanted = Array.from(data, (index) => (index < 0 ? index + value.shape[along] : index));
		if (wanted.some((index) => !(index >= 0 && index < value.shape[along]))) {
			node.fail(`indices [${Array.from(data).join(", ")}] go beyond axis ${axis} of [${value.shape.join(", ")}]`);
		}
		const shape = [...value.shape.slice(0, along), ...indexShape, ...value.shape.slice(along + 1)];
		if (!isTensor(value)) return { ...numbersAlong(value, along, wanted), shape };
		const parts = wanted.map((index) => slice(value, along, index, index + 1));
		return reshape(parts.length === 1 ? parts[0] : concat(parts, along), shape);
	};
};

const sliceOperator: Operator = (node) => {
	node.setDims(node.dims(0)?.map(() => null));
	const starts = listInput(node, "starts", 1, 10) ?? node.fail("it has no starts");
	const ends = listInput(node, "ends", 2, 10) ?? node.fail("it has no ends");
	const axes = listInput(node, "axes", 3, 10);
	const steps = node.opset >= 10 ? node.optional(4) : null;
	const x = node.input(0);
	return (env) => {
		const [from, to] = [starts(env), ends(env)];
		const along = axes?.(env) ?? from.map((_, i) => i);
		const by = steps?.list(env) ?? from.map(() => 1);
		let value = x.value(env);
		for (const [i, axis] of along.entries()) {
			const at = normalizeAxis(axis, value.shape.length, node.label);
			value = sliceAlong(value, at, { from: from[i], to: to[i], by: by[i] }, node.label);
		}
		return value;
	};
};

/** Split: into given lengths, or into equal ones of which the last may be shorter. */
const split: Operator = (node) => {
	const axis = node.int("axis", 0);
	const lengths = listInput(node, "split", 1, 13);
	const count = node.proto.output.length;
	if (node.int("num_outputs", count) !== count) node.fail(`num_outputs must be ${count}, as many as it has`);
	const dims = node
		.dims(0)
		?.map((length, i, all) => (i === normalizeAxis(axis, all.length, node.label) ? null : length));
	for (let output = 0; output < node.proto.output.length; output++) node.setDims(dims, output);
	const x = node.input(0);
	return (env) => {
		const input = x.tensor(env);
		const along = normalizeAxis(axis, input.ndim, node.label);
		const part = Math.ceil(input.shape[along] / count);
		const given =
			lengths?.(env) ??
			Array.from({ length: count }, (_, i) => Math.max(0, Math.min(part, input.shape[along] - i * part)));
		let at = 0;
		return given.map((length) => {
			at += length;
			return slice(input, along, at - length, at);
		});
	};
};

const modes: readonly string[] = ["constant", "reflect", "edge", "wrap"] satisfies PadMode[];

/** Pad: its numbers are attributes up to version 10, then inputs. */
const pad: Operator = (node) => {
	node.setDims(node.dims(0)?.map(() => null));
	const mode = node.text("mode", "constant");
	if (!modes.includes(mode)) node.fail(`mode ${quote(mode)} is unknown`);
	const pads = listInput(node, "pads", 1, 11) ?? node.fail("it has no pads");
	const value = node.opset >= 11 ? node.optional(2) : null;
	const axesInput = node.opset >= 18 ? node.optional(3) : null;
	const fixed = node.opset < 11 ? node.float("value", 0) : 0;
	const x = node.input(0);
	return (env) => {
		const input = x.tensor(env);
		const list = pads(env);
		const axes = axesInput?.list(env).map((axis) => normalizeAxis(axis, input.ndim, node.label));
		const expected = 2 * (axes ?? input.shape).length;
		if (list.length !== expected) node.fail(`pads [${list.join(", ")}] must be ${expected} numbers`);
		const sides = input.shape.map((_, axis): Side => {
			const at = axes ? axes.indexOf(axis) : axis;
			return at < 0 ? [0, 0] : [list[at], list[at + list.length / 2]];
		});
		return padTensor(input, sides, mode as PadMode, value ? value.numbers(env).data[0] : fixed);
	};
};

/** Shape: known in every run, whatever the data. */
const shapeOperator: Operator = (node) => {
	const rank = node.dims(0)?.length;
	const [start, end] = [node.int("start", 0), node.hasAttribute("end") ? node.int("end", 0) : undefined];
	node.setDims([rank === undefined ? null : Array.from({ length: rank }).slice(start, end).length]);
	const x = node.input(0);
	return (env) => listOf(x.value(env).shape.slice(start, end));
};

export const shapes: Readonly<Record<string, Operator>> = {
	Reshape: reshapeOperator,
	Flatten: flatten,
	Squeeze: squeeze,
	Unsqueeze: unsqueeze,
	Transpose: transpose,
	Concat: concatenate,
	Gather: gather,
	Slice: sliceOperator,
	Split: split,
	Pad: pad,
	Shape: shapeOperator,
	Identity: (node) => node.plain(new Identity()),
};
