// Formulas and arithmetic in MathML, from the same trees.

import type { ComponentChildren, VNode } from "preact";
import { type Cell, type Expression, indexAt, type Place, placeOf, placesOfChannel } from "./expression.ts";
import { formatValue } from "./format.ts";
import { letters } from "./letters.ts";
import { isGiven, type Name, type Values } from "./quantities.ts";

/** What a leaf is drawn as: a symbol, or the number at a place. */
type Leaf = (name: Name, place: Place) => ComponentChildren;

/** How strongly operators bind; a part that binds less than its surroundings gets parentheses. */
const strength = {
	add: 1,
	subtract: 1,
	negate: 2,
	multiply: 3,
	sum: 2,
	divide: 5,
	root: 5,
	square: 4,
	ref: 5,
	number: 5,
};

const signs = { add: "+", subtract: "−", multiply: "·" } as const;

/** `μ = Σx / m` */
export function Formula({ name, expression }: { name: Name; expression: Expression }) {
	const leaf: Leaf = (of) => <Letter name={of} />;
	return (
		<math class="stepper-formula" display="block">
			<Letter name={name} />
			<mo>=</mo>
			{draw(expression, { channel: 0, example: 0 }, leaf, null)}
		</math>
	);
}

/** The same with the numbers of one result. */
export function Arithmetic({ cell, expression, values }: { cell: Cell; expression: Expression; values: Values }) {
	const leaf: Leaf = (of, place) => {
		const value = values[of][indexAt(of, place, values.c)];
		const tone = isGiven(of) ? "stepper-term is-given" : "stepper-term";
		if (value >= 0) return <mn class={tone}>{formatValue(value)}</mn>;
		return (
			<mrow>
				<mo>(</mo>
				<mn class={tone}>{formatValue(value)}</mn>
				<mo>)</mo>
			</mrow>
		);
	};
	return (
		<math class="stepper-arithmetic" display="block">
			<Letter name={cell.name} />
			<mo>=</mo>
			{draw(expression, placeOf(cell, values.c), leaf, values)}
			<mo>=</mo>
			<mn class="stepper-result">{formatValue(values[cell.name][cell.index])}</mn>
		</math>
	);
}

/** Sums are spelled out where there are values, and Σ without. */
function draw(expression: Expression, place: Place, leaf: Leaf, values: Values | null): VNode {
	const inner = (part: Expression, least: number, at = place): VNode => {
		const drawn = draw(part, at, leaf, values);
		return strength[part.type] >= least ? drawn : parenthesized(drawn);
	};
	switch (expression.type) {
		case "ref":
			return <mrow>{leaf(expression.name, place)}</mrow>;
		case "number":
			return <mn>{expression.value}</mn>;
		case "divide":
			return (
				<mfrac>
					{draw(expression.left, place, leaf, values)}
					{draw(expression.right, place, leaf, values)}
				</mfrac>
			);
		case "root":
			return <msqrt>{draw(expression.of, place, leaf, values)}</msqrt>;
		case "square":
			return (
				<msup>
					{inner(expression.of, 5)}
					<mn>2</mn>
				</msup>
			);
		case "negate":
			return (
				<mrow>
					<mo>−</mo>
					{inner(expression.of, 3)}
				</mrow>
			);
		case "sum":
			if (!values) {
				return (
					<mrow>
						<mo largeop>∑</mo>
						{inner(expression.of, 3)}
					</mrow>
				);
			}
			return <mrow>{joined(placesOfChannel(place, values).map((at) => inner(expression.of, 3, at)))}</mrow>;
		default: {
			const own = strength[expression.type];
			return (
				<mrow>
					{inner(expression.left, own)}
					<mo>{signs[expression.type]}</mo>
					{inner(expression.right, own + (expression.type === "subtract" ? 1 : 0))}
				</mrow>
			);
		}
	}
}

function parenthesized(inside: VNode): VNode {
	return (
		<mrow>
			<mo>(</mo>
			{inside}
			<mo>)</mo>
		</mrow>
	);
}

function joined(terms: readonly VNode[]): ComponentChildren {
	return terms.map((term, i) => (
		<mrow key={i}>
			{i > 0 && <mo>+</mo>}
			{term}
		</mrow>
	));
}

/** The letter in MathML. */
export function Letter({ name }: { name: Name }) {
	const [whole, below] = letters[name].split("|");
	const isGradient = whole.startsWith("∂");
	const letter = isGradient ? whole.slice(1) : whole;
	const base =
		letter === "σ²" ? (
			<msup>
				<mi>σ</mi>
				<mn>2</mn>
			</msup>
		) : letter === "x̂" ? (
			<mover accent>
				<mi>x</mi>
				<mo stretchy={false}>^</mo>
			</mover>
		) : (
			<mi>{letter}</mi>
		);
	const marked = below ? (
		<msub>
			{base}
			<mtext>{below}</mtext>
		</msub>
	) : (
		base
	);
	return isGradient ? (
		<mrow>
			<mi>∂</mi>
			{marked}
		</mrow>
	) : (
		marked
	);
}
