// Settings in the page's address: only what differs from the defaults, in short words. What an address gets wrong is
// named and replaced, never ignored in silence.
//
//     ?v=1&data=xor&net=mlp&lr=0.1&b.norm=layer
//
// `lr` is for both twins, `a.lr` and `b.lr` for one. `preset=deep` stands for all settings of that preset, over which
// the others go. `lang` is the page's own, and `threads` the engine's.

import { presetNamed, presets } from "../presets/presets.ts";
import { type Range, readNumber } from "./read-number.ts";
import {
	activations,
	dataKinds,
	defaults,
	networks,
	norms,
	optimizers,
	places,
	ranges,
	reconcile,
	type Settings,
	type TwinSettings,
} from "./settings.ts";

/** The form of the address; another number says that this page may not know all of it. */
const VERSION = "1";

/** Something in an address that was not taken as it stood. */
export interface AddressProblem {
	/** `lr=abc` */
	readonly given: string;
	/** What was taken instead, as it would stand in an address: `1`; "" for nothing. */
	readonly used: string;
	/** What would have been right: the words, or the range of numbers. */
	readonly expected: string;
	readonly reason: "value" | "unknown" | "version" | "files" | "fit";
}

/** How a setting is written and read. */
interface Field<Value> {
	write(value: Value): string;
	/** Null if `text` is no such value. */
	read(text: string): Value | null;
	readonly expected: string;
}

function words<Word extends string>(list: readonly Word[]): Field<Word> {
	return {
		write: (value) => value,
		read: (text) => list.find((word) => word === text) ?? null,
		expected: list.join(", "),
	};
}

function number(range: Range): Field<number> {
	return {
		write: (value) => String(value),
		read: (text) => readNumber(text, range),
		expected: `${range.least}–${range.most}`,
	};
}

const yesNo: Field<boolean> = {
	write: (value) => (value ? "1" : "0"),
	read: (text) => (text === "1" ? true : text === "0" ? false : null),
	expected: "0, 1",
};

const twinFields: { readonly [Key in keyof TwinSettings]: readonly [name: string, field: Field<TwinSettings[Key]>] } = {
	on: ["on", yesNo],
	norm: ["norm", words(norms)],
	place: ["place", words(places)],
	activation: ["act", words(activations)],
	groups: ["groups", number(ranges.groups)],
	depth: ["depth", number(ranges.depth)],
	width: ["width", number(ranges.width)],
	optimizer: ["opt", words(optimizers)],
	lr: ["lr", number(ranges.lr)],
	batchSize: ["batch", number(ranges.batchSize)],
	scale: ["scale", number(ranges.scale)],
	dropout: ["drop", number(ranges.dropout)],
};

const twinKeys = Object.keys(twinFields) as (keyof TwinSettings)[];

/** A setting of the run as a whole. */
interface RunField {
	readonly name: string;
	readonly expected: string;
	write(settings: Settings): string;
	/** Null if `text` is no such value. */
	read(settings: Settings, text: string): Settings | null;
}

function runField<Value>(
	name: string,
	{ write, read, expected }: Field<Value>,
	get: (settings: Settings) => Value,
	set: (settings: Settings, value: Value) => Settings,
): RunField {
	return {
		name,
		expected,
		write: (settings) => write(get(settings)),
		read(settings, text) {
			const value = read(text);
			return value === null ? null : set(settings, value);
		},
	};
}

const runFields: readonly RunField[] = [
	runField(
		"data",
		words(dataKinds),
		({ data }) => data.kind,
		(settings, kind) => ({ ...settings, data: { ...settings.data, kind } }),
	),
	runField(
		"noise",
		number(ranges.noise),
		({ data }) => data.noise,
		(settings, noise) => ({ ...settings, data: { ...settings.data, noise } }),
	),
	runField(
		"net",
		words(networks),
		({ network }) => network,
		(settings, network) => ({ ...settings, network }),
	),
	runField(
		"seed",
		number(ranges.seed),
		({ seed }) => seed,
		(settings, seed) => ({ ...settings, seed }),
	),
	runField(
		"steps",
		number(ranges.steps),
		({ steps }) => steps,
		(settings, steps) => ({ ...settings, steps }),
	),
];

/** The query, without its question mark, that {@link readAddress} makes the same settings of; "" for the defaults. */
export function writeAddress(settings: Settings): string {
	const query = new URLSearchParams();
	const same = (other: Settings): boolean => JSON.stringify(settings) === JSON.stringify(other);
	const preset = presets.find((candidate) => same(candidate.settings));
	if (same(defaults)) return "";
	if (preset) query.set("preset", preset.id);
	else {
		for (const { name, write } of runFields) if (write(settings) !== write(defaults)) query.set(name, write(settings));
		for (const key of twinKeys) writeTwins(query, key, settings);
	}
	return `v=${VERSION}&${query}`;
}

function writeTwins<Key extends keyof TwinSettings>(query: URLSearchParams, key: Key, { a, b }: Settings): void {
	const [name, { write }] = twinFields[key];
	const texts = { a: write(a[key]), b: write(b[key]) };
	const differs = { a: texts.a !== write(defaults.a[key]), b: texts.b !== write(defaults.b[key]) };
	if (texts.a === texts.b && (differs.a || differs.b)) query.set(name, texts.a);
	else for (const side of ["a", "b"] as const) if (differs[side]) query.set(`${side}.${name}`, texts[side]);
}

/** Keys that are not ours to judge. */
const others = ["v", "preset", "lang", "threads"];

/** How many threads an address may ask for. */
const threads: Range = { least: 1, most: 64, whole: true };

/** The threads that a query asks for; "auto" if it does not, or not in a way that can be. */
export function readThreads(search: string): number | "auto" {
	return readNumber(new URLSearchParams(search).get("threads") ?? "", threads) ?? "auto";
}

/** The settings of a query, with or without its question mark, and what was wrong with it. */
export function readAddress(search: string): { settings: Settings; problems: AddressProblem[] } {
	const query = new URLSearchParams(search);
	const problems: AddressProblem[] = [];
	const version = query.get("v");
	if (version !== null && version !== VERSION) {
		problems.push({ given: `v=${version}`, used: VERSION, expected: VERSION, reason: "version" });
	}
	const asked = query.get("threads");
	if (asked !== null && readThreads(search) === "auto") {
		problems.push({ given: `threads=${asked}`, used: "auto", expected: number(threads).expected, reason: "value" });
	}
	let settings = startingPoint(query, problems);
	// What is for both twins comes first: what is for one goes over it.
	for (const [key, text] of [...query].sort(([one], [other]) => one.indexOf(".") - other.indexOf("."))) {
		if (others.includes(key)) continue;
		const read = readerOf(key);
		if (!read) {
			problems.push({ given: `${key}=${text}`, used: "", expected: "", reason: "unknown" });
			continue;
		}
		const next = read.read(settings, text);
		if (next) settings = next;
		else {
			problems.push({ given: `${key}=${text}`, used: read.write(settings), expected: read.expected, reason: "value" });
		}
	}
	return { settings: settle(settings, problems), problems };
}

function startingPoint(query: URLSearchParams, problems: AddressProblem[]): Settings {
	const name = query.get("preset");
	if (name === null) return defaults;
	const preset = presetNamed(name);
	if (preset) return preset.settings;
	const expected = presets.map(({ id }) => id).join(", ");
	problems.push({ given: `preset=${name}`, used: "", expected, reason: "value" });
	return defaults;
}

/** What reads `key`; undefined if there is no such setting. */
function readerOf(key: string): Omit<RunField, "name"> | undefined {
	const field = runFields.find(({ name }) => name === key);
	if (field) return field;
	const [, side, name] = /^(?:([ab])\.)?([a-z]+)$/.exec(key) ?? [];
	const twinKey = twinKeys.find((candidate) => twinFields[candidate][0] === name);
	return twinKey && twinReader(twinKey, side === "a" || side === "b" ? [side] : ["a", "b"]);
}

function twinReader<Key extends keyof TwinSettings>(key: Key, sides: readonly ("a" | "b")[]): Omit<RunField, "name"> {
	const [, { write, read, expected }] = twinFields[key];
	return {
		expected,
		write: (settings) => write(settings[sides[0]][key]),
		read(settings, text) {
			const value = read(text);
			if (value === null) return null;
			const changed = sides.map((side) => [side, { ...settings[side], [key]: value }]);
			return { ...settings, ...Object.fromEntries(changed) };
		},
	};
}

/** What each value allows by itself, but not together with the others. */
function settle(settings: Settings, problems: AddressProblem[]): Settings {
	let settled = settings;
	if (settings.data.kind === "csv" || settings.data.kind === "images") {
		problems.push({ given: `data=${settings.data.kind}`, used: defaults.data.kind, expected: "", reason: "files" });
		settled = { ...settled, data: defaults.data };
	}
	const reconciled = reconcile(settled);
	if (reconciled.network !== settled.network) {
		const [given, used] = [`net=${settled.network}`, reconciled.network];
		problems.push({ given, used, expected: used, reason: "fit" });
	}
	if (reconciled.b.on !== settled.b.on) problems.push({ given: "b.on=0", used: "1", expected: "1", reason: "fit" });
	return reconciled;
}
