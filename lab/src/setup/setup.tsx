// The experiment: which one, what to watch in it, and its settings.

import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n/i18n.ts";
import { presets } from "../presets/presets.ts";
import { change, settings } from "../state/lab.ts";
import { RunSettings } from "./run-settings.tsx";
import { strings } from "./strings.ts";
import { TwinTable } from "./twin-table.tsx";
import "./style.css";

/** The experiments to begin with, and the sentence of the one that is chosen. */
export function Experiments() {
	const now = JSON.stringify(settings.value);
	const chosen = presets.find((preset) => JSON.stringify(preset.settings) === now);
	return (
		<section class="experiments" aria-labelledby="experiments-title">
			<h2 id="experiments-title" class="unseen">
				{t(strings.experiments)}
			</h2>
			<ul class="experiment-list">
				{presets.map((preset) => (
					<li key={preset.id}>
						<button type="button" aria-pressed={preset === chosen} onClick={() => change(preset.settings)}>
							{t(preset.title)}
						</button>
					</li>
				))}
			</ul>
			<p class="watch" aria-live="polite">
				{t(chosen ? chosen.watch : strings.ownExperiment)}
			</p>
		</section>
	);
}

/** Wide enough for the settings to stand beside the panels. */
const wide = "(min-width: 68rem)";

/** All settings: open beside the panels, closed above them where there is no room beside. */
export function Setup() {
	const [isOpen, setOpen] = useState(() => matchMedia(wide).matches);
	useEffect(() => {
		const query = matchMedia(wide);
		const follow = (): void => setOpen(query.matches);
		query.addEventListener("change", follow);
		return () => query.removeEventListener("change", follow);
	}, []);
	return (
		<details class="setup" open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
			<summary>{t(strings.settings)}</summary>
			<TwinTable />
			<RunSettings />
		</details>
	);
}
