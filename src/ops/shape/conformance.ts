// How the cases of cases.json are called.

import type { Runner } from "../../../test/conformance/runner.ts";
import * as ops from "./op.ts";

const numbers = (value: unknown) => value as number[];
const number = (value: unknown) => value as number;

export const runners: Record<string, Runner> = {
	reshape: ({ x }, { shape }) => ops.reshape(x, numbers(shape)),
	flatten: ({ x }, { startAxis, endAxis }) =>
		ops.flatten(
			x,
			startAxis === undefined ? undefined : number(startAxis),
			endAxis === undefined ? undefined : number(endAxis),
		),
	transpose: ({ x }, { a, b }) => ops.transpose(x, number(a), number(b)),
	permute: ({ x }, { axes }) => ops.permute(x, numbers(axes)),
	concat: (inputs, { axis }) => ops.concat(Object.values(inputs), number(axis)),
	slice: ({ x }, { axis, begin, end }) => ops.slice(x, number(axis), number(begin), number(end)),
};
