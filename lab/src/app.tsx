// The page: header, experiments, settings beside the controls and panels.

import { Controls } from "./controls/controls.tsx";
import { Notices } from "./controls/notices.tsx";
import { chooseLanguage, language, languages, t } from "./i18n/i18n.ts";
import type { Panel } from "./panels/panel.ts";
import { panels } from "./panels/registry.ts";
import { Experiments, Setup } from "./setup/setup.tsx";
import { chooseTheme, theme } from "./state/theme.ts";
import { strings } from "./strings.ts";
import { PanelSection } from "./ui/panel-section.tsx";
import { Segmented } from "./ui/segmented.tsx";

export function App() {
	const shown = panels.filter((panel) => panel.applies?.() ?? true);
	return (
		<>
			<a class="skip" href="#experiment">
				{t(strings.skip)}
			</a>
			<Header shown={shown} />
			<main id="experiment" tabIndex={-1}>
				<Experiments />
				<div class="bench">
					<aside class="bench-side" aria-label={t(strings.side)}>
						<Setup />
					</aside>
					<div class="bench-main">
						<Controls />
						<Notices />
						{shown.map((panel) => (
							<PanelSection key={panel.id} panel={panel} />
						))}
					</div>
				</div>
			</main>
			<footer class="page-foot">
				<p>{t(strings.foot)}</p>
			</footer>
		</>
	);
}

function Header({ shown }: { shown: readonly Panel[] }) {
	return (
		<header class="page-head">
			<div class="page-bar">
				<p class="brand">
					<Mark /> evenkeel
				</p>
				<div class="page-tools">
					<Segmented
						label={t(strings.language)}
						value={language.value}
						options={languages.map((value) => ({
							value,
							text: value === "zh" ? "中文" : "English",
							lang: value === "zh" ? "zh-Hans" : "en",
						}))}
						onChoose={chooseLanguage}
					/>
					<Segmented
						label={t(strings.theme)}
						value={theme.value}
						options={(["light", "dark"] as const).map((value) => ({ value, text: t(strings[value]) }))}
						onChoose={chooseTheme}
					/>
				</div>
			</div>
			<div class="page-title">
				<div>
					<h1>{t(strings.title)}</h1>
					<p class="page-lead">{t(strings.lead)}</p>
				</div>
				<nav class="contents" aria-label={t(strings.contents)}>
					<ul>
						{shown.map(({ id, title }) => (
							<li key={id}>
								<a href={`#${id}`}>{t(title)}</a>
							</li>
						))}
					</ul>
				</nav>
			</div>
		</header>
	);
}

/** A level line, and one that is on its way to it. */
function Mark() {
	return (
		<svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
			<path class="mark-b" d="M2 19h28" />
			<path class="mark-a" d="M2 22c5 0 5-15 10-15s4 15 9 15 4-3 9-3" />
		</svg>
	);
}
