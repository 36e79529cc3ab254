// The numbers of batch normalization on a small batch [n, c]: what is given, and all that follows from it.

import { type AllStages, explainBatchNorm } from "../../../../src/ops/norm/batch-norm/explain.ts";

/** What explainBatchNorm hands out. */
export type StageName = keyof AllStages<0, 0>;
/** What is given, and can be edited. */
export type GivenName = "x" | "gamma" | "beta" | "eps" | "momentum" | "runningMean" | "runningVar" | "dy";
/** What the running averages become, and how many values a channel has. */
export type OtherName = "newRunningMean" | "newRunningVar" | "m";
export type Name = StageName | GivenName | OtherName;

/** One number for each value of x, one for each channel, or one. */
export type Kind = "element" | "channel" | "scalar";

/** What is given. Elements are laid out example by example. */
export interface Given {
	/** Examples. */
	readonly n: number;
	/** Channels. */
	readonly c: number;
	/** `[n, c]` */
	readonly x: readonly number[];
	/** The gradient of the loss by y. */
	readonly dy: readonly number[];
	/** `[c]` */
	readonly gamma: readonly number[];
	readonly beta: readonly number[];
	readonly runningMean: readonly number[];
	readonly runningVar: readonly number[];
	readonly eps: number;
	/** The weight of the new batch in the running averages. */
	readonly momentum: number;
}

/** All numbers by name; a scalar is a list of one. */
export interface Values extends Readonly<Record<Name, readonly number[]>> {
	readonly n: number;
	readonly c: number;
}

const channelNames: ReadonlySet<Name> = new Set<Name>([
	...(["gamma", "beta", "runningMean", "runningVar", "newRunningMean", "newRunningVar"] as const),
	...(["mu", "var", "sqrtvar", "ivar", "dbeta", "dgamma", "divar", "dsqrtvar", "dvar", "dmu"] as const),
]);
const scalarNames: ReadonlySet<Name> = new Set<Name>(["eps", "momentum", "m"]);
const givenNames: ReadonlySet<Name> = new Set<Name>([
	...(["x", "gamma", "beta", "eps", "momentum", "runningMean", "runningVar", "dy"] as const),
]);

export function kindOf(name: Name): Kind {
	if (scalarNames.has(name)) return "scalar";
	return channelNames.has(name) ? "channel" : "element";
}

export function isGiven(name: Name): name is GivenName {
	return givenNames.has(name);
}

/**
 * Everything that follows.
 *
 * @throws EvenkeelError as `explainBatchNorm`
 */
export function compute(given: Given): Values {
	const { n, c, x, dy, gamma, beta, runningMean, runningVar, eps, momentum } = given;
	const stages = explainBatchNorm({ shape: [n, c], data: [...x] }, [...gamma], [...beta], {
		eps,
		dy: { shape: [n, c], data: [...dy] },
	});
	const flat = Object.fromEntries(
		Object.entries(stages).map(([name, stage]) => [name, (stage as number[] | number[][]).flat()]),
	) as Record<StageName, number[]>;
	const follow = (before: readonly number[], batch: (channel: number) => number): number[] =>
		before.map((value, channel) => (1 - momentum) * value + momentum * batch(channel));
	return {
		...{ n, c, x, dy, gamma, beta, runningMean, runningVar },
		eps: [eps],
		momentum: [momentum],
		m: [n],
		...flat,
		newRunningMean: follow(runningMean, (channel) => flat.mu[channel]),
		newRunningVar: follow(runningVar, (channel) => (n / (n - 1)) * flat.var[channel]),
	};
}

/** The same with one number changed. */
export function withNumber(given: Given, name: GivenName, index: number, value: number): Given {
	if (name === "eps" || name === "momentum") return { ...given, [name]: value };
	return { ...given, [name]: given[name].map((before, i) => (i === index ? value : before)) };
}

/** The first `n` examples of the first `c` channels from channel `first` on. */
export function sliceOf(given: Given, n: number, c: number, first = 0): Given {
	const rows = Math.min(n, given.n);
	const from = Math.max(0, Math.min(first, given.c - c));
	const columns = Math.min(c, given.c);
	const element = (data: readonly number[]): number[] =>
		Array.from({ length: rows * columns }, (_, i) => data[Math.floor(i / columns) * given.c + from + (i % columns)]);
	const channel = (data: readonly number[]): number[] => data.slice(from, from + columns);
	return {
		...given,
		n: rows,
		c: columns,
		x: element(given.x),
		dy: element(given.dy),
		gamma: channel(given.gamma),
		beta: channel(given.beta),
		runningMean: channel(given.runningMean),
		runningVar: channel(given.runningVar),
	};
}

/** Numbers that are easy to follow by hand, before any training: eight examples of three channels. */
export const table: Given = {
	n: 8,
	c: 3,
	x: [1, 10, 0.5, 2, 30, -0.5, 4, 20, 1, 5, 60, 0, 3, 40, 2, 6, 50, -1, 0, 20, 1.5, 3, 10, 0.5],
	dy: [
		1, -0.5, 0.2, 0, 0.5, -0.1, -1, 1, 0.4, 0.5, 0, -0.3, 0.2, -1, 0.1, -0.4, 0.3, 0.6, 0.7, 0.1, -0.2, -0.3, 0.4, 0,
	],
	gamma: [1, 2, 0.5],
	beta: [0, 1, -1],
	runningMean: [0, 0, 0],
	runningVar: [1, 1, 1],
	eps: 1e-5,
	momentum: 0.1,
};

/** The cells of `after` that differ from `before`, as `name:index`; none if the shapes differ. */
export function changes(before: Values, after: Values): Set<string> {
	const changed = new Set<string>();
	if (before.n !== after.n || before.c !== after.c) return changed;
	for (const [name, numbers] of Object.entries(after)) {
		if (!Array.isArray(numbers)) continue;
		const old: readonly number[] = before[name as Name];
		for (const [index, value] of numbers.entries()) if (!Object.is(value, old[index])) changed.add(`${name}:${index}`);
	}
	return changed;
}
