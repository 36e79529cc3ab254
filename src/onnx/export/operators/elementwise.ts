// Arithmetic, activations, comparisons and dropout.

import type { Mask } from "../../../ops/dropout/mask.ts";
import type { Parameters } from "../../../ops/elementwise/pointwise.ts";
import type { DType } from "../../../tensor/dtype.ts";
import type { OpContext, OpWriter } from "../op-context.ts";

/** An op that is one operator without options. */
const same =
	(opType: string): OpWriter<unknown> =>
	({ writer, names }) =>
		writer.node(opType, names);

/** The codes of ONNX's element types, for Cast. */
const codes: Readonly<Record<DType, bigint>> = { float32: 1n, float64: 1n, uint8: 2n, int32: 6n };

/** Converts a value to one of our types. */
export function cast({ writer }: OpContext<unknown>, name: string, dtype: DType): string {
	return writer.node("Cast", [name], { to: codes[dtype] });
}

const comparisons: Readonly<Record<string, string>> = {
	...{ equal: "Equal", notEqual: "Equal", greater: "Greater", less: "Less" },
	...{ greaterEqual: "GreaterOrEqual", lessEqual: "LessOrEqual" },
};

/** 1 or 0, as bytes, where ONNX has true or false. */
const comparison: OpWriter<{ kind: string }> = (op) => {
	const { writer, names, attrs } = op;
	const holds = writer.node(comparisons[attrs.kind], names);
	return cast(op, attrs.kind === "notEqual" ? writer.node("Not", [holds]) : holds, "uint8");
};

const clamp: OpWriter<Parameters> = ({ writer, names, attrs: { p, q } }) => {
	const bound = (value: number) => (Number.isFinite(value) ? writer.scalar(value) : null);
	return writer.node("Clip", [...names, bound(p), bound(q)]);
};

/** x Φ(x) = x / 2 (1 + erf(x / √2)): an operator of its own from version 20 on. */
const gelu: OpWriter<unknown> = ({ writer, names: [x] }) => {
	if (writer.opset >= 20) return writer.node("Gelu", [x]);
	const erf = writer.node("Erf", [writer.mul(x, writer.scalar(Math.SQRT1_2))]);
	return writer.mul(writer.mul(x, writer.scalar(0.5)), writer.add(erf, writer.scalar(1)));
};

/** x / 2 (1 + tanh(√(2/π) (x + 0.044715 x³))) */
const geluTanh: OpWriter<unknown> = ({ writer, names: [x] }) => {
	if (writer.opset >= 20) return writer.node("Gelu", [x], { approximate: "tanh" });
	const cube = writer.mul(writer.mul(writer.mul(x, x), x), writer.scalar(0.044715));
	const tanh = writer.node("Tanh", [writer.mul(writer.add(x, cube), writer.scalar(Math.sqrt(2 / Math.PI)))]);
	return writer.mul(writer.mul(x, writer.scalar(0.5)), writer.add(tanh, writer.scalar(1)));
};

/** With p = 1 nothing is left, and the op has no mask. */
const dropout: OpWriter<Mask | null> = ({ writer, names: [x], attrs }) => {
	if (attrs === null) return writer.mul(x, writer.scalar(0));
	const ratio = writer.scalar(1 - 1 / attrs.scale);
	return writer.node("Dropout", [x, ratio, writer.literal({ type: "bool", shape: [], data: Uint8Array.of(1) })]);
};

export const elementwise = {
	...{ add: same("Add"), sub: same("Sub"), mul: same("Mul"), div: same("Div") },
	...{ maximum: same("Max"), minimum: same("Min") },
	...{ neg: same("Neg"), exp: same("Exp"), log: same("Log"), sqrt: same("Sqrt"), abs: same("Abs") },
	...{ relu: same("Relu"), sigmoid: same("Sigmoid"), tanh: same("Tanh"), clone: same("Identity") },
	square: (({ writer, names: [x] }) => writer.mul(x, x)) satisfies OpWriter<unknown>,
	pow: (({ writer, names: [x], attrs }) =>
		writer.node("Pow", [x, writer.scalar(attrs.p)])) satisfies OpWriter<Parameters>,
	clamp,
	leakyRelu: (({ writer, names, attrs }) =>
		writer.node("LeakyRelu", names, { alpha: attrs.p })) satisfies OpWriter<Parameters>,
	gelu,
	geluTanh,
	silu: (({ writer, names: [x] }) => writer.mul(x, writer.node("Sigmoid", [x]))) satisfies OpWriter<unknown>,
	dropout,
	comparison,
	toFloat: ((op) =>
		op.inputs[0].dtype === "float32" || op.inputs[0].dtype === "float64"
			? op.writer.node("Identity", op.names)
			: cast(op, op.names[0], "float32")) satisfies OpWriter<unknown>,
};
