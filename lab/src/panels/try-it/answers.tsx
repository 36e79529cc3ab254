// The classes' probabilities of both twins, side by side.

import type { PerSide } from "../../engine/protocol.ts";
import { formatNumber, t } from "../../i18n/i18n.ts";
import { activeSides } from "../../state/lab.ts";
import type { Attempt } from "./engine.ts";
import { className, strings } from "./strings.ts";

/** What each twin makes of the picture; none for one that has stopped. */
export type Attempts = PerSide<Attempt>;

interface AnswersProps {
	readonly attempts: Attempts;
	readonly classes: readonly string[];
	/** The picture's class, where it is known. */
	readonly label: number | null;
}

export function Answers({ attempts, classes, label }: AnswersProps) {
	return (
		<table class="try-answers">
			<thead>
				<tr>
					<th scope="col">{t(strings.class)}</th>
					{activeSides.value.map((side) => (
						<th key={side} scope="col" class={`twin-${side}`}>
							{t(strings.twin(side.toUpperCase()))}
						</th>
					))}
				</tr>
			</thead>
			<tbody>
				{classes.map((name, i) => (
					<tr key={name}>
						<th scope="row">
							{t(className(name))}
							{i === label && <small> {t(strings.truth)}</small>}
						</th>
						{activeSides.value.map((side) => (
							<Chance key={side} side={side} probabilities={attempts[side]?.probabilities} index={i} />
						))}
					</tr>
				))}
			</tbody>
		</table>
	);
}

interface ChanceProps {
	readonly side: string;
	readonly probabilities: Float32Array | undefined;
	readonly index: number;
}

function Chance({ side, probabilities, index }: ChanceProps) {
	if (!probabilities) return <td class={`twin-${side}`}>–</td>;
	const value = probabilities[index];
	const isBest = index === bestOf(probabilities);
	return (
		<td class={`twin-${side}${isBest ? " try-best" : ""}`}>
			<span class="try-bar" style={{ inlineSize: `${100 * value}%` }} />
			<span class="try-share">{percent(value)}</span>
		</td>
	);
}

/** The most likely class. */
export function bestOf(probabilities: Float32Array): number {
	return probabilities.indexOf(Math.max(...probabilities));
}

/** `87.3%` */
export function percent(value: number): string {
	return formatNumber(value, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
}
