// Activations, softmax and dropout.

import { quote } from "../../model-files/show.ts";
import { GELU, LeakyReLU, LogSoftmax, ReLU, Sigmoid, Softmax, Tanh } from "../../nn/layers/activation.ts";
import { Dropout } from "../../nn/layers/dropout.ts";
import { logSoftmax, relu, softmax } from "../../ops/activation/op.ts";
import { abs, add, clamp, exp, log, maximum, minimum, mul, neg, sub } from "../../ops/elementwise/op.ts";
import { reshape } from "../../ops/shape/op.ts";
import { normalizeAxis, sizeOf } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { NodeContext, Operator } from "../node-context.ts";
import { scalarOf } from "../value.ts";

/** An operator that is a function of its first input. */
function of(make: (node: NodeContext) => (x: Tensor) => Tensor): Operator {
	return (node) => {
		const fn = make(node);
		const x = node.input(0);
		return (env) => fn(x.tensor(env));
	};
}

/** max(alpha x + beta, 0), at most 1. */
const hardSigmoid = (x: Tensor, alpha: number, beta: number) => clamp(add(mul(x, alpha), beta), 0, 1);

/** alpha (e^x - 1) below 0; the exponent is held at 0 so that the side not taken does not overflow. */
const below = (x: Tensor, alpha: number) => mul(sub(exp(minimum(x, 0)), 1), alpha);

/** Clip: bounds are attributes up to version 10, then inputs; either may be left out. */
const clip: Operator = (node) => {
	const x = node.input(0);
	if (node.opset < 11) {
		const [min, max] = [node.float("min", -Infinity), node.float("max", Infinity)];
		return (env) => clamp(x.tensor(env), min, max);
	}
	const [low, high] = [node.optional(1), node.optional(2)];
	return (env) => {
		const [min, max] = [low, high].map((bound) => (bound ? scalarOf(bound.value(env)) : undefined));
		if (min !== null && max !== null) return clamp(x.tensor(env), min, max);
		const raised = low ? maximum(x.tensor(env), low.tensor(env)) : x.tensor(env);
		return high ? minimum(raised, high.tensor(env)) : raised;
	};
};

/** PRelu: the slope, usually one a channel, broadcasts. */
const prelu: Operator = (node) => {
	const [x, slope] = [node.input(0), node.input(1)];
	return (env) => {
		const input = x.tensor(env);
		return sub(relu(input), mul(slope.tensor(env), relu(neg(input))));
	};
};

/** Softmax along `axis`; before version 13 over all axes from `axis` on, taken as one. */
function softmaxOperator(layer: typeof Softmax | typeof LogSoftmax, fn: typeof softmax): Operator {
	return (node) => {
		const coerces = node.opset < 13;
		const axis = node.int("axis", coerces ? 1 : -1);
		const rank = node.dims(0)?.length;
		if (!coerces) return node.plain(new layer({ axis }));
		if (rank !== undefined && normalizeAxis(axis, rank, node.label) === rank - 1) return node.plain(new layer());
		const x = node.input(0);
		return (env) => {
			const input = x.tensor(env);
			const first = axis < 0 ? axis + input.ndim : axis;
			const rows = sizeOf(input.shape.slice(0, first));
			return reshape(fn(reshape(input, [rows, sizeOf(input.shape.slice(first))]), -1), input.shape);
		};
	};
}

/** Dropout: its ratio is an attribute up to version 11, then an input, with whether it is training. */
const dropout: Operator = (node) => {
	node.noOutputsFrom(1, "the mask");
	const given = node.opset >= 12 ? node.constant(1) : null;
	if (node.opset >= 12 && node.has(1) && !given) node.fail("its ratio must be a constant");
	const ratio = given ? given.data[0] : node.opset >= 12 ? 0.5 : node.float("ratio", 0.5);
	const training =
		node.opset >= 12 ? Boolean(node.constant(2)?.data[0]) : node.opset < 7 && !node.flag("is_test", false);
	const run = node.plain(new Dropout(ratio));
	if (training && node.layer) node.importer.trains(node.layer);
	return run;
};

/** Erf in the middle of a GELU that is written out: one layer for all of its nodes. */
const writtenGelu: Operator = (node) => {
	const found = node.importer.gelus.get(node.proto) ?? node.fail("it is known only as a part of GELU");
	node.absorb(found.last);
	node.setDims(node.importer.dims(found.x));
	return node.plain(new GELU(), node.otherInput(found.x));
};

export const activations: Readonly<Record<string, Operator>> = {
	Relu: (node) => node.plain(new ReLU()),
	LeakyRelu: (node) => node.plain(new LeakyReLU(node.float("alpha", 0.01))),
	Sigmoid: (node) => node.plain(new Sigmoid()),
	Tanh: (node) => node.plain(new Tanh()),
	Gelu: (node) => {
		const approximate = node.text("approximate", "none");
		if (approximate !== "none" && approximate !== "tanh") node.fail(`approximate ${quote(approximate)} is unknown`);
		return node.plain(new GELU({ approximate: approximate === "tanh" ? "tanh" : "none" }));
	},
	Erf: writtenGelu,
	HardSigmoid: of((node) => {
		const [alpha, beta] = [node.float("alpha", 0.2), node.float("beta", 0.5)];
		return (x) => hardSigmoid(x, alpha, beta);
	}),
	HardSwish: of(() => (x) => mul(x, hardSigmoid(x, 1 / 6, 0.5))),
	Elu: of((node) => {
		const alpha = node.float("alpha", 1);
		return (x) => add(relu(x), below(x, alpha));
	}),
	// log(1 + e^x), with the exponent held below 0.
	Softplus: of(() => (x) => add(relu(x), log(add(exp(neg(abs(x))), 1)))),
	Clip: clip,
	PRelu: prelu,
	Softmax: softmaxOperator(Softmax, softmax),
	LogSoftmax: softmaxOperator(LogSoftmax, logSoftmax),
	Dropout: dropout,
};
