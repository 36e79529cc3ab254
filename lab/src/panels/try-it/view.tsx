// A picture before both twins: where it comes from, what they get of it, what they answer.

import { useEffect, useMemo, useState } from "preact/hooks";
import { formatNumber, t } from "../../i18n/i18n.ts";
import { activeSides, configure, phase, run, step } from "../../state/lab.ts";
import { useTopic } from "../../state/use-topic.ts";
import type { PanelProps } from "../panel.ts";
import { Answers, type Attempts } from "./answers.tsx";
import { GrayCanvas } from "./gray-canvas.tsx";
import { Layers } from "./layers.tsx";
import { Modes } from "./modes.tsx";
import { SIDE } from "./prepare.ts";
import { type Chosen, DrawingPad, OpenPicture, TestPictures } from "./source.tsx";
import { strings } from "./strings.ts";
import "./style.css";

export function View({ visible }: PanelProps) {
	const [chosen, choose] = useState<Chosen | null>(null);
	const isAsleep = phase.value === "asleep";
	useEffect(() => {
		if (visible && isAsleep) void configure();
	}, [visible, isAsleep]);
	const pixels = useMemo(() => [...(chosen?.pixels ?? [])], [chosen]);
	const update = useTopic("tryPicture", { pixels }, visible && chosen !== null, 4).value;
	const attempts: Attempts = update?.sides ?? {};
	return (
		<div class="try">
			<div class="try-sources">
				<TestPictures chosen={chosen} choose={choose} />
				<DrawingPad chosen={chosen} choose={choose} />
				<OpenPicture choose={choose} />
			</div>
			<div class="try-result">
				{chosen && <Input chosen={chosen} />}
				<div>
					<h3>{t(strings.chances)}</h3>
					{step.value === 0 && <p class="try-note">{t(strings.untrained)}</p>}
					<Answers attempts={attempts} label={chosen?.label ?? null} classes={run.value?.data.classes ?? []} />
				</div>
			</div>
			<div class="try-twins">
				{activeSides.value.map((side) => {
					const attempt = attempts[side];
					return (
						<section key={side} class={`twin-${side}`} aria-label={t(strings.twin(side.toUpperCase()))}>
							<h3>{t(strings.twin(side.toUpperCase()))}</h3>
							{attempt ? (
								<>
									<Modes attempt={attempt} classes={run.value?.data.classes ?? []} />
									<Layers layers={attempt.layers} />
								</>
							) : (
								<p class="try-note">{t(update ? strings.stopped : strings.empty)}</p>
							)}
						</section>
					);
				})}
			</div>
		</div>
	);
}

function Input({ chosen: { pixels, prepared } }: { chosen: Chosen }) {
	const how = !prepared
		? strings.fromTest
		: prepared.box
			? strings.prepared(formatNumber(prepared.box.width), formatNumber(prepared.box.height), prepared.inverted)
			: strings.empty;
	return (
		<figure class="try-input">
			<h3>{t(strings.input)}</h3>
			<GrayCanvas values={pixels} width={SIDE} height={SIDE} least={0} most={255} label={t(strings.inputPicture)} />
			<figcaption>{t(how)}</figcaption>
		</figure>
	);
}
