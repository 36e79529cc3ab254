// Training mode against evaluation mode on one picture, with the numbers that tell why they differ.

import { formatNumber, type Text, t } from "../../i18n/i18n.ts";
import { bestOf, percent } from "./answers.tsx";
import type { Attempt, NormFacts } from "./engine.ts";
import { className, strings } from "./strings.ts";

interface ModesProps {
	readonly attempt: Attempt;
	readonly classes: readonly string[];
}

/** As many others as the engine puts beside the picture. */
const COMPANY = "31";

export function Modes({ attempt: { probabilities, training }, classes }: ModesProps) {
	const { alone, company, norms } = training;
	const refusing = norms.find(({ refuses }) => refuses);
	const rows: [Text, Float32Array | null][] = [
		[strings.evaluation, probabilities],
		[strings.alone, refusing ? null : alone],
		[strings.company(COMPANY), company[0]],
		[strings.otherCompany(COMPANY), company[1]],
	];
	return (
		<>
			<h4>{t(strings.modes)}</h4>
			<p class="try-note">{t(strings.modesLead)}</p>
			<table class="try-modes">
				<thead>
					<tr>
						<th scope="col">{t(strings.mode)}</th>
						<th scope="col">{t(strings.answer)}</th>
					</tr>
				</thead>
				<tbody>
					{rows.map(([name, answer]) => (
						<tr key={name.en}>
							<th scope="row">{t(name)}</th>
							<td>{answer ? inWords(answer, classes) : t(strings.refused)}</td>
						</tr>
					))}
				</tbody>
			</table>
			{norms.length > 0 ? <Facts norms={norms} /> : <p class="try-note">{t(strings.sameMode)}</p>}
			{norms.length > 0 && (
				<p class="try-why">
					{refusing && alone ? (
						<>
							{t(strings.oneValue(refusing.name))} <strong>{inWords(alone, classes)}</strong> {t(strings.always)}
						</>
					) : (
						t(strings.differs)
					)}
				</p>
			)}
		</>
	);
}

function Facts({ norms }: { norms: readonly NormFacts[] }) {
	const number = (value: number | null) =>
		value === null ? "–" : formatNumber(value, { maximumSignificantDigits: 3 });
	return (
		<>
			<table class="try-facts">
				<thead>
					<tr>
						{[strings.norm, strings.values, strings.variance, strings.remembered].map((title) => (
							<th key={title.en} scope="col">
								{t(title)}
							</th>
						))}
					</tr>
				</thead>
				<tbody>
					{norms.map(({ name, values, variance, remembered }) => (
						<tr key={name} class={values === 1 ? "try-single" : ""}>
							<th scope="row">{name}</th>
							<td>{formatNumber(values)}</td>
							<td>{number(variance)}</td>
							<td>{number(remembered)}</td>
						</tr>
					))}
				</tbody>
			</table>
			<p class="try-note">{t(strings.median)}</p>
		</>
	);
}

/** `Coat, 87.3%` */
function inWords(probabilities: Float32Array, classes: readonly string[]): string {
	const best = bestOf(probabilities);
	return `${t(className(classes[best] ?? ""))}, ${percent(probabilities[best])}`;
}
