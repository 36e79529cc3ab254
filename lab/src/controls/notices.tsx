// What the reader should know before trusting what is shown: what the address got wrong, one thread where there could be
// more, and twins that stopped.

import type { ComponentChildren } from "preact";
import { sides } from "../engine/protocol.ts";
import { formatNumber, type Text, t } from "../i18n/i18n.ts";
import type { AddressProblem } from "../settings/address.ts";
import { addressProblems } from "../state/address-bar.ts";
import { failure, run, stopped } from "../state/lab.ts";
import { type LayerName, reasonOf } from "./reasons.ts";
import { strings } from "./strings.ts";

export function Notices() {
	const problems = addressProblems.value;
	return (
		<div class="notices">
			{problems.length > 0 && (
				<Notice>
					<p>{t(strings.address)}</p>
					<ul>
						{problems.map((problem) => (
							<li key={problem.given}>{explain(problem)}</li>
						))}
					</ul>
					<button
						type="button"
						onClick={() => {
							addressProblems.value = [];
						}}
					>
						{t(strings.dismiss)}
					</button>
				</Notice>
			)}
			{!crossOriginIsolated && (
				<Notice>
					<p>{t(strings.oneThread)}</p>
				</Notice>
			)}
			{failure.value && (
				<Notice>
					<p>
						<Reason message={failure.value} frame={strings.failed} />
					</p>
				</Notice>
			)}
			{sides.map((side) => {
				const why = stopped.value[side];
				if (!why) return null;
				const [name, step] = [side.toUpperCase(), formatNumber(why.step)];
				return (
					<Notice key={side}>
						<p>
							{why.message ? (
								<Reason
									message={why.message}
									frame={(reason) => strings.refused(name, step, reason)}
									layer={(path) => run.value?.layers[side]?.find((one) => one.path === path)?.name ?? path}
								/>
							) : (
								t(strings.diverged(name, step))
							)}
						</p>
					</Notice>
				);
			})}
		</div>
	);
}

function Notice({ children }: { children: ComponentChildren }) {
	return (
		<div class="notice" role="alert">
			{children}
		</div>
	);
}

/** Marks the place of the reason in the sentence around it. */
const PLACE = "\u{fffc}";

interface ReasonProps {
	readonly message: string;
	/** The sentence around it. */
	readonly frame: (reason: string) => Text;
	readonly layer?: LayerName;
}

/** A reason within its sentence: in the page's words, or as evenkeel says it, in English. */
function Reason({ message, frame, layer }: ReasonProps) {
	const reason = reasonOf(message, layer);
	if (reason) return <>{t(frame(t(reason)))}</>;
	const [before, after] = t(frame(PLACE)).split(PLACE);
	return (
		<>
			{before}
			<span lang="en">{message}</span>
			{after}
			{t(strings.inEnglish)}
		</>
	);
}

function explain({ given, used, expected, reason }: AddressProblem): string {
	switch (reason) {
		case "value":
			return t(used === "" ? strings.problemPreset(given, expected) : strings.problemValue(given, expected, used));
		case "unknown":
			return t(strings.problemUnknown(given));
		case "version":
			return t(strings.problemVersion(given));
		case "files":
			return t(strings.problemFiles(given));
		case "fit":
			return t(strings.problemFit(given, used));
	}
}
