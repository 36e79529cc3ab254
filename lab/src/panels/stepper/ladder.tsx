// All steps at a glance: each with its letter and a small picture of its numbers, marked where they changed.

import { useEffect, useRef } from "preact/hooks";
import { t } from "../../i18n/i18n.ts";
import { letterOf } from "./letters.ts";
import { kindOf, type Name } from "./quantities.ts";
import { type Stage, stages } from "./stages.ts";
import { hasChanged, lit, position, result, walk } from "./state.ts";
import { stageStrings, strings } from "./strings.ts";

export function Ladder() {
	const list = useRef<HTMLOListElement>(null);
	const current = position.value;
	useEffect(() => {
		const box = list.current;
		const item = box?.children[current];
		if (!box || !(item instanceof HTMLElement)) return;
		// Only the list scrolls, never the page.
		box.scrollTo({ top: item.offsetTop - box.clientHeight / 2, left: item.offsetLeft - box.clientWidth / 2 });
	}, [current]);
	return (
		<nav class="stepper-ladder" aria-label={t(strings.steps)}>
			<ol ref={list}>
				{stages.map((stage, index) => (
					<li key={stage.id} class={`is-${stage.pass}`}>
						<Rung stage={stage} index={index} />
					</li>
				))}
			</ol>
		</nav>
	);
}

function Rung({ stage, index }: { stage: Stage; index: number }) {
	const names: readonly Name[] = stage.assignments.length > 0 ? stage.assignments.map(({ name }) => name) : ["x"];
	const isLit = [...lit.value].some((key) => names.some((name) => key.startsWith(`${name}:`)));
	const marks = [isLit && "is-lit", names.some(hasChanged) && "is-changed"].filter(Boolean).join(" ");
	return (
		<button
			type="button"
			class={`stepper-rung ${marks}`}
			aria-current={position.value === index ? "step" : undefined}
			title={t(stageStrings[stage.id].title)}
			aria-label={`${index + 1}. ${t(stageStrings[stage.id].title)}`}
			onClick={() => walk(index)}
		>
			<span class="stepper-letter">{names.map(letterOf).join(", ")}</span>
			<Miniature name={names[names.length - 1]} />
		</button>
	);
}

/** One small square a number: the stronger the larger, in one color above 0 and, hollow, in another below. */
function Miniature({ name }: { name: Name }) {
	const { values } = result.value;
	const numbers = values[name];
	const most = Math.max(...numbers.map(Math.abs)) || 1;
	const rows = kindOf(name) === "element" ? values.n : 1;
	const size = 5;
	return (
		<svg
			class="stepper-miniature"
			aria-hidden="true"
			width={values.c * size}
			height={rows * size}
			viewBox={`0 0 ${values.c * size} ${rows * size}`}
		>
			{numbers.map((value, i) => (
				<rect
					key={i}
					class={value < 0 ? "is-below" : "is-above"}
					x={(i % values.c) * size + 0.75}
					y={Math.floor(i / values.c) * size + 0.75}
					width={size - 1.5}
					height={size - 1.5}
					opacity={0.2 + (0.8 * Math.abs(value)) / most}
				/>
			))}
		</svg>
	);
}
