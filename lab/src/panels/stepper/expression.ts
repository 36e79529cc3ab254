// The formulas of the stepper, as trees. One tree gives the formula that is shown, the arithmetic with the actual numbers,
// which numbers a result was made of, and (in the test) the result itself.

import type { Name, Values } from "./quantities.ts";
import { kindOf } from "./quantities.ts";

export type Expression =
	| { readonly type: "ref"; readonly name: Name }
	| { readonly type: "number"; readonly value: number }
	| {
			readonly type: "add" | "subtract" | "multiply" | "divide";
			readonly left: Expression;
			readonly right: Expression;
	  }
	| { readonly type: "negate" | "root" | "square"; readonly of: Expression }
	/** Over the values of a channel. */
	| { readonly type: "sum"; readonly of: Expression };

export const ref = (name: Name): Expression => ({ type: "ref", name });
export const number = (value: number): Expression => ({ type: "number", value });
export const add = (left: Expression, right: Expression): Expression => ({ type: "add", left, right });
export const subtract = (left: Expression, right: Expression): Expression => ({ type: "subtract", left, right });
export const multiply = (left: Expression, right: Expression): Expression => ({ type: "multiply", left, right });
export const divide = (left: Expression, right: Expression): Expression => ({ type: "divide", left, right });
export const negate = (of: Expression): Expression => ({ type: "negate", of });
export const root = (of: Expression): Expression => ({ type: "root", of });
export const square = (of: Expression): Expression => ({ type: "square", of });
export const sum = (of: Expression): Expression => ({ type: "sum", of });

/** Which number of which quantity: elements are counted row by row, channels from 0, and there is one of a scalar. */
export interface Cell {
	readonly name: Name;
	readonly index: number;
}

/** A cell as a key of sets. */
export const keyOf = ({ name, index }: Cell): string => `${name}:${index}`;

/** Where an expression is looked at: an element (its example and channel), or a channel alone. */
export interface Place {
	readonly channel: number;
	/** Undefined where the quantity has one value a channel. */
	readonly example?: number;
}

/** The place of number `index` of `name` in a batch of `channels` channels. */
export function placeOf({ name, index }: Cell, channels: number): Place {
	if (kindOf(name) !== "element") return { channel: index };
	return { channel: index % channels, example: Math.floor(index / channels) };
}

/** The index of `name`'s number at a place. */
export function indexAt(name: Name, { channel, example = 0 }: Place, channels: number): number {
	const kind = kindOf(name);
	if (kind === "scalar") return 0;
	return kind === "channel" ? channel : example * channels + channel;
}

/** The places that a sum runs over. */
export function placesOfChannel({ channel }: Place, { n }: Values): Place[] {
	return Array.from({ length: n }, (_, example) => ({ channel, example }));
}

/** Every number that the expression reads at a place, each once. */
export function inputsOf(expression: Expression, place: Place, values: Values): Cell[] {
	const found = new Map<string, Cell>();
	const visit = (part: Expression, at: Place): void => {
		switch (part.type) {
			case "ref": {
				const cell = { name: part.name, index: indexAt(part.name, at, values.c) };
				found.set(keyOf(cell), cell);
				break;
			}
			case "number":
				break;
			case "sum":
				for (const each of placesOfChannel(at, values)) visit(part.of, each);
				break;
			case "negate":
			case "root":
			case "square":
				visit(part.of, at);
				break;
			default:
				visit(part.left, at);
				visit(part.right, at);
		}
	};
	visit(expression, place);
	return [...found.values()];
}

/** The quantities that the expression reads, in the order in which they stand in it. */
export function namesIn(expression: Expression): Name[] {
	if (expression.type === "ref") return [expression.name];
	if (expression.type === "number") return [];
	if ("of" in expression) return namesIn(expression.of);
	return [...new Set([...namesIn(expression.left), ...namesIn(expression.right)])];
}
