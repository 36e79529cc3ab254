// Constants and casts. A Constant that holds numbers is known at import and never gets here.

import { tensorAttribute } from "../../model-files/onnx/index.ts";
import { full } from "../../ops/creation.ts";
import { toFloat } from "../../ops/elementwise/op.ts";
import { sizeOf } from "../../tensor/shape.ts";
import type { Operator } from "../node-context.ts";
import { isTensor, numbersOf } from "../value.ts";

/** By ONNX's numbers of types. */
const floats = new Set([1, 10, 11, 16]);
const BOOL = 9;

const cast: Operator = (node) => {
	const to = node.int("to", 1);
	const x = node.input(0);
	return (env) => {
		const value = x.value(env);
		if (isTensor(value)) {
			if (!floats.has(to)) return node.fail("casts data to whole numbers, which cannot be run");
			return value.dtype === "int32" || value.dtype === "uint8" ? toFloat(value) : value;
		}
		if (floats.has(to)) return { ...value, whole: false };
		const fn = to === BOOL ? (number: number) => (number === 0 ? 0 : 1) : Math.trunc;
		return { ...value, whole: true, data: Array.from(value.data, fn) };
	};
};

/** Whole numbers are for shapes and indices; more of them than this is something else. */
const MOST = 2 ** 20;

/** ConstantOfShape: small ones of whole numbers are computed with, others are tensors. */
const constantOfShape: Operator = (node) => {
	const given = tensorAttribute(node.proto, "value");
	const { data, whole } = given ? numbersOf(node.importer.model.read(given)) : { data: [0], whole: false };
	const known = node.constant(0);
	node.setDims(known ? Array.from(known.data) : undefined);
	const shapeInput = node.input(0);
	return (env) => {
		const shape = shapeInput.list(env);
		if (whole && sizeOf(shape) > MOST) return node.fail(`[${shape.join(", ")}] is too large for whole numbers`);
		if (whole) return { shape, whole, data: new Array<number>(sizeOf(shape)).fill(data[0]) };
		return full(shape, data[0]);
	};
};

export const constants: Readonly<Record<string, Operator>> = {
	Cast: cast,
	ConstantOfShape: constantOfShape,
	Constant: (node) => node.fail("it holds a kind of value that cannot be read"),
};
