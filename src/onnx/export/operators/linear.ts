// Convolutions, linear layers and matrix products.

import type { ConvAttrs } from "../../../ops/conv/options.ts";
import { type Attributes, ints } from "../graph-writer.ts";
import type { OpContext, OpWriter } from "../op-context.ts";

/** What Conv and ConvTranspose have in common. A one-dimensional op has a leading height of 1, which is left out. */
function geometry({ attrs, inputs: [, weight] }: OpContext<ConvAttrs>): Attributes {
	const { axes, stride, padding, dilation, groups } = attrs;
	const own = <T>(pair: readonly [T, T]): T[] => pair.slice(2 - axes);
	const sides = own(padding);
	return {
		kernel_shape: ints(weight.shape.slice(2).map(({ plus }) => plus)),
		strides: ints(own(stride)),
		pads: ints([...sides.map(([before]) => before), ...sides.map(([, after]) => after)]),
		dilations: ints(own(dilation)),
		group: BigInt(groups),
	};
}

const conv: OpWriter<ConvAttrs> = (op) => op.writer.node("Conv", op.names, geometry(op));

const convTranspose: OpWriter<ConvAttrs> = (op) => {
	const { axes, outputPadding } = op.attrs;
	const output_padding = ints(outputPadding.slice(2 - axes));
	return op.writer.node("ConvTranspose", op.names, { ...geometry(op), output_padding });
};

/** Gemm takes matrices: other inputs become one, a row for each vector. */
const linear: OpWriter<null> = (op) => {
	const { writer, names, inputs } = op;
	const [x, weight] = inputs;
	const product = (matrix: string) => writer.node("Gemm", [matrix, ...names.slice(1)], { transB: 1n });
	if (x.shape.length === 2) return product(x.name);
	const matrix = op.reshaped(0, [null, weight.shape[1]]);
	return writer.reshape(product(matrix), [], op.shape);
};

const matmul: OpWriter<null> = ({ writer, names }) => writer.node("MatMul", names);

export const linearAlgebra = { conv, convTranspose, linear, matmul };
