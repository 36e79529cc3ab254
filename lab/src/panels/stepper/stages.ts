// The steps to walk: which quantities each one computes, and how.

import {
	add,
	divide,
	type Expression,
	multiply,
	namesIn,
	negate,
	number,
	ref,
	root,
	square,
	subtract,
	sum,
} from "./expression.ts";
import { isGiven, type Name } from "./quantities.ts";

/** One quantity and how it is computed. */
export interface Assignment {
	readonly name: Name;
	readonly expression: Expression;
}

export interface Stage {
	readonly id: string;
	readonly pass: "given" | "forward" | "running" | "backward";
	readonly assignments: readonly Assignment[];
}

const set = (name: Name, expression: Expression): Assignment => ({ name, expression });
const one = number(1);

const forward: readonly Assignment[] = [
	set("mu", divide(sum(ref("x")), ref("m"))),
	set("xmu", subtract(ref("x"), ref("mu"))),
	set("sq", square(ref("xmu"))),
	set("var", divide(sum(ref("sq")), ref("m"))),
	set("sqrtvar", root(add(ref("var"), ref("eps")))),
	set("ivar", divide(one, ref("sqrtvar"))),
	set("xhat", multiply(ref("xmu"), ref("ivar"))),
	set("gammax", multiply(ref("gamma"), ref("xhat"))),
	set("out", add(ref("gammax"), ref("beta"))),
];

const kept = subtract(one, ref("momentum"));
const unbiased = divide(ref("m"), subtract(ref("m"), one));

const running: readonly Assignment[] = [
	set("newRunningMean", add(multiply(kept, ref("runningMean")), multiply(ref("momentum"), ref("mu")))),
	set(
		"newRunningVar",
		add(multiply(kept, ref("runningVar")), multiply(ref("momentum"), multiply(unbiased, ref("var")))),
	),
];

const backward: readonly (readonly Assignment[])[] = [
	[set("dbeta", sum(ref("dy"))), set("dgammax", ref("dy"))],
	[set("dgamma", sum(multiply(ref("dgammax"), ref("xhat")))), set("dxhat", multiply(ref("dgammax"), ref("gamma")))],
	[set("divar", sum(multiply(ref("dxhat"), ref("xmu")))), set("dxmu1", multiply(ref("dxhat"), ref("ivar")))],
	[set("dsqrtvar", divide(negate(ref("divar")), square(ref("sqrtvar"))))],
	[set("dvar", divide(ref("dsqrtvar"), multiply(number(2), root(add(ref("var"), ref("eps"))))))],
	[set("dsq", divide(ref("dvar"), ref("m")))],
	[set("dxmu2", multiply(multiply(number(2), ref("xmu")), ref("dsq")))],
	[set("dx1", add(ref("dxmu1"), ref("dxmu2"))), set("dmu", negate(sum(ref("dx1"))))],
	[set("dx2", divide(ref("dmu"), ref("m")))],
	[set("dx", add(ref("dx1"), ref("dx2")))],
];

/** Every step, in the order in which it is walked. */
export const stages: readonly Stage[] = [
	{ id: "given", pass: "given", assignments: [] },
	...forward.map((assignment): Stage => ({ id: assignment.name, pass: "forward", assignments: [assignment] })),
	{ id: "running", pass: "running", assignments: running },
	...backward.map((assignments): Stage => ({ id: assignments[0].name, pass: "backward", assignments })),
];

const byName = new Map(
	stages.flatMap(({ assignments }) => assignments).map(({ name, expression }) => [name, expression]),
);

/** How a quantity is computed; undefined for those that are given. */
export function expressionOf(name: Name): Expression | undefined {
	return byName.get(name);
}

/** The computed quantities and those given that a step reads, but does not compute itself. */
export function readBy({ assignments }: Stage): Name[] {
	const made = new Set(assignments.map(({ name }) => name));
	const read = new Set(assignments.flatMap(({ expression }) => namesIn(expression)));
	return [...read].filter((name) => !made.has(name) && name !== "m" && !isGivenElsewhere(name));
}

/** eps and momentum stand with what is given, on every step. */
function isGivenElsewhere(name: Name): boolean {
	return isGiven(name) && (name === "eps" || name === "momentum");
}
