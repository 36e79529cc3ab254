// The arithmetic of one number, with the actual numbers, as a line of text that can wrap and be read aloud.

import { type Cell, type Expression, indexAt, type Place, placeOf, placesOfChannel } from "./expression.ts";
import { formatValue } from "./format.ts";
import { letterOf } from "./letters.ts";
import type { Values } from "./quantities.ts";

/** `μ = (1 + 2 + 4) / 3 = 2.333` */
export function spell(cell: Cell, expression: Expression, values: Values): string {
	const result = formatValue(values[cell.name][cell.index]);
	return `${letterOf(cell.name)} = ${term(expression, placeOf(cell, values.c), values)} = ${result}`;
}

function term(expression: Expression, place: Place, values: Values): string {
	const part = (of: Expression, at = place): string => {
		const text = term(of, at, values);
		const isOne = of.type === "ref" || of.type === "number";
		return isOne && !text.startsWith("−") ? text : `(${text})`;
	};
	switch (expression.type) {
		case "ref":
			return formatValue(values[expression.name][indexAt(expression.name, place, values.c)]);
		case "number":
			return String(expression.value);
		case "sum":
			return placesOfChannel(place, values)
				.map((at) => part(expression.of, at))
				.join(" + ");
		case "negate":
			return `−${part(expression.of)}`;
		case "root":
			return `√${part(expression.of)}`;
		case "square":
			return `${part(expression.of)}²`;
		default:
			return `${part(expression.left)} ${signs[expression.type]} ${part(expression.right)}`;
	}
}

const signs = { add: "+", subtract: "−", multiply: "×", divide: "/" } as const;
