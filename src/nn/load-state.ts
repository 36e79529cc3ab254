// Loading a state dict: names and shapes are compared before anything is written, and what does not
// fit is told in one message, all of it, with the way out where one is known.

import { check, EvenkeelError } from "../errors.ts";
import { formatShape, type Shape, sameShape } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { writeInto } from "./parameter.ts";

/** A tensor as a file holds it: what `decodeSafetensors` and `SafetensorsFile` give. */
export interface StateEntry {
	readonly shape: Shape;
	/** Its values, row-major. */
	numbers(): ArrayLike<number> | ArrayLike<bigint>;
	/** Why it has no values that evenkeel can compute with; null if it has. */
	readonly problem?: string | null;
}

/** Tensors, or what files hold in place of them, by name. */
export type StateDict = Readonly<Record<string, Tensor | StateEntry>>;

export interface LoadStateOptions {
	/** Whether anything that does not fit is an error. Default true; false: load what fits, and report the rest. */
	strict?: boolean;
	/**
	 * Take the entries whose names begin with this, without it, and leave out the others: `"module."` for what
	 * PyTorch's DataParallel wrote, `"_orig_mod."` for torch.compile, `"model."` for evenkeel's own checkpoints.
	 */
	prefix?: string;
}

/** What `loadStateDict` could not match. */
export interface LoadReport {
	/** Names that the network has and the dict has not. */
	missing: string[];
	/** Names that the dict has and the network has not. */
	unexpected: string[];
	/** Entries of another shape than the network's, which were left out. */
	mismatched: { name: string; shape: Shape; expected: Shape }[];
}

/** What writes which prefix. */
const writers: Record<string, string> = {
	"module.": "PyTorch's DataParallel writes it",
	"_orig_mod.": "torch.compile writes it",
	"model.": "checkpoints of evenkeel and Lightning have it",
};

/**
 * Copies the values of `dict`, by name, into `own`, the state of the network that `owner` names. See
 * {@link Module.loadStateDict}.
 */
export function loadState(
	own: ReadonlyMap<string, Tensor>,
	given: StateDict,
	{ strict = true, prefix = "" }: LoadStateOptions,
	owner: string,
): LoadReport {
	const dict = withoutPrefix(given, prefix);
	const report = compare(own, dict);
	const misfit = strict && report.missing.length + report.unexpected.length + report.mismatched.length > 0;
	if (misfit) throw new EvenkeelError(describe(report, own, given, prefix, owner));
	const accepted = [...own].flatMap(([name, tensor]): [string, Tensor, Tensor | StateEntry][] => {
		const entry = dict.get(name);
		return entry && sameShape(entry.shape, tensor.shape) ? [[name, tensor, entry]] : [];
	});
	for (const [name, , entry] of accepted) {
		const problem = entry instanceof Tensor ? null : entry.problem;
		check(!problem, () => `loadStateDict: "${name}" ${problem}`);
	}
	// Counts first: they are few, and what may refuse its values.
	for (const [name, tensor, entry] of accepted) if (tensor.dtype === "int32") write(name, tensor, entry);
	for (const [name, tensor, entry] of accepted) if (tensor.dtype !== "int32") write(name, tensor, entry);
	startCounts(own, dict);
	return report;
}

function withoutPrefix(dict: StateDict, prefix: string): Map<string, Tensor | StateEntry> {
	const entries = Object.entries(dict).filter(([name]) => name.startsWith(prefix));
	check(
		prefix === "" || entries.length > 0,
		() =>
			`loadStateDict: no name begins with the prefix "${prefix}"; they are ${shortList(Object.keys(dict).slice(0, 5))}, …`,
	);
	return new Map(entries.map(([name, entry]) => [name.slice(prefix.length), entry]));
}

const count = "num_batches_tracked";

function compare(own: ReadonlyMap<string, Tensor>, dict: ReadonlyMap<string, Tensor | StateEntry>): LoadReport {
	// A parameter that two layers share has two names; files may hold it under one of them.
	const shared = new Set([...own].filter(([name]) => dict.has(name)).map(([, tensor]) => tensor));
	return {
		missing: [...own]
			.filter(([name, tensor]) => !dict.has(name) && !shared.has(tensor) && !name.endsWith(count))
			.map(([name]) => name),
		unexpected: [...dict.keys()].filter((name) => !own.has(name)),
		mismatched: [...own].flatMap(([name, { shape: expected }]) => {
			const shape = dict.get(name)?.shape;
			return shape === undefined || sameShape(shape, expected) ? [] : [{ name, shape, expected }];
		}),
	};
}

function describe(
	{ missing, unexpected, mismatched }: LoadReport,
	own: ReadonlyMap<string, Tensor>,
	given: StateDict,
	prefix: string,
	owner: string,
): string {
	const wrapped = unexpected.length > 0 ? likelyPrefix(own, Object.keys(given)) : prefix;
	if (wrapped !== prefix) {
		const writer = writers[wrapped] === undefined ? "" : ` (${writers[wrapped]})`;
		return `loadStateDict: the names begin with "${wrapped}"${writer}; load them with { prefix: "${wrapped}" }`;
	}
	const shapes = mismatched.map(
		({ name, shape, expected }) => `${name} is ${formatShape(shape)}, expected ${formatShape(expected)}`,
	);
	const problems = [
		...(missing.length ? [`missing: ${shortList(missing)}`] : []),
		...(unexpected.length ? [`unexpected: ${shortList(unexpected)}`] : []),
		...(shapes.length ? [`of another shape: ${shapes.join("; ")}`] : []),
	];
	return `loadStateDict: the entries do not fit this ${owner}: ${problems.join(" · ")}; { strict: false } loads what fits`;
}

/** What stands before most of the network's names in `names`; "" if they stand alone, or nowhere. */
function likelyPrefix(own: ReadonlyMap<string, Tensor>, names: readonly string[]): string {
	const found = new Map<string, number>([["", 0]]);
	for (const name of names) {
		for (let at = 0; at !== -1; at = nextPart(name, at)) {
			if (own.has(name.slice(at))) found.set(name.slice(0, at), (found.get(name.slice(0, at)) ?? 0) + 1);
		}
	}
	const [[prefix, matches]] = [...found].sort(([, a], [, b]) => b - a);
	// By chance a layer or two may be called alike.
	return matches > own.size / 2 ? prefix : "";
}

/** Where the part of `name` after the next dot begins, or -1. */
function nextPart(name: string, at: number): number {
	const dot = name.indexOf(".", at);
	return dot === -1 ? -1 : dot + 1;
}

/** Names, those of one layer together: `bn1.{weight, bias}, fc.weight`. */
function shortList(names: readonly string[]): string {
	const layers = new Map<string, string[]>();
	for (const name of names) {
		const layer = name.slice(0, name.lastIndexOf(".") + 1);
		layers.set(layer, [...(layers.get(layer) ?? []), name.slice(layer.length)]);
	}
	return [...layers]
		.flatMap(([layer, own]) =>
			own.length === 1 || layer === "" ? own.map((name) => layer + name) : [`${layer}{${own.join(", ")}}`],
		)
		.join(", ");
}

function write(name: string, target: Tensor, entry: Tensor | StateEntry): void {
	if (entry instanceof Tensor) {
		writeInto(target, entry);
		return;
	}
	const numbers = entry.numbers();
	check(
		numbers.length === target.size,
		() => `loadStateDict: "${name}" has ${numbers.length} values, its shape says ${target.size}`,
	);
	const view = target.view();
	if (isBig(numbers)) for (let i = 0; i < numbers.length; i++) view[i] = Number(numbers[i]);
	else view.set(numbers);
	if (target.dtype === "int32") {
		const wrong = view.subarray(0, target.size).findIndex((value, i) => value !== Number(numbers[i]));
		check(wrong === -1, () => `loadStateDict: "${name}" holds ${numbers[wrong]}, which is no whole number of 32 bits`);
	}
	target.storage.version++;
}

function isBig(numbers: ArrayLike<number> | ArrayLike<bigint>): numbers is ArrayLike<bigint> {
	return typeof numbers[0] === "bigint";
}

/** Running statistics that come without a count start at none, as in files from before PyTorch 0.4.1. */
function startCounts(own: ReadonlyMap<string, Tensor>, dict: ReadonlyMap<string, Tensor | StateEntry>): void {
	for (const [name, tensor] of own) {
		if (!name.endsWith(count) || dict.has(name)) continue;
		if (!dict.has(`${name.slice(0, -count.length)}running_mean`)) continue;
		tensor.view().fill(0, 0, tensor.size);
		tensor.storage.version++;
	}
}
