// Reading plain data (YAML's, JSON's) key by key: each reader's error names the key and the value.

import { check } from "../errors.ts";
import { checkOption, type OptionName, type OptionValue, show } from "./options.ts";

/** Options with one value each. */
export type OptionSet = Partial<Record<OptionName, OptionValue>>;

/** Options by their values. */
export function parseSet(value: unknown, where: string): OptionSet {
	const entries = Object.entries(asObject(value, where));
	for (const [name, option] of entries) checkOption(name, option, where);
	return Object.fromEntries(entries);
}

/** An object of plain data; with `keys`, one that has no others. */
export function asObject(value: unknown, where: string, keys?: readonly string[]): Record<string, unknown> {
	check(isObject(value), () => `${where}: expected keys and values, got ${show(value)}`);
	for (const key of Object.keys(value)) {
		check(!keys || keys.includes(key), () => `${where}: there is no key "${key}"; there are ${keys?.join(", ")}`);
	}
	return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A text that is not empty; `initial` where there is none. */
export function text(value: unknown, where: string, initial?: string): string {
	if (value === undefined && initial !== undefined) return initial;
	check(typeof value === "string" && value.trim() !== "", () => `${where}: expected a text, got ${show(value)}`);
	return value;
}

/** A number that satisfies `holds`, or `initial` where there is none. */
export function number(
	value: unknown,
	initial: number,
	where: string,
	expected: string,
	holds: (value: number) => boolean,
): number {
	if (value === undefined) return initial;
	check(
		typeof value === "number" && Number.isFinite(value) && holds(value),
		() => `${where}: expected ${expected}, got ${show(value)}`,
	);
	return value;
}

/** A list, empty where there is none. */
export function list(value: unknown, where: string): readonly unknown[] {
	if (value === undefined) return [];
	check(Array.isArray(value), () => `${where}: expected a list, got ${show(value)}`);
	return value;
}

/** One of `names`; `initial` where there is none. */
export function oneOf<Name extends string>(
	value: unknown,
	names: readonly Name[],
	where: string,
	initial?: Name,
): Name {
	if (value === undefined && initial !== undefined) return initial;
	const known = names.find((name) => name === value);
	check(known, () => `${where}: expected one of ${names.join(", ")}, got ${show(value)}`);
	return known;
}
