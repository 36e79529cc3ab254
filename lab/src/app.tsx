// The page: header, controls, panels.

import { chooseLanguage, formatNumber, language, languages, t } from "./i18n/i18n.ts";
import { panels } from "./panels/registry.ts";
import { failure, isRunning, pause, reset, speed, start, step, stepBy } from "./state/lab.ts";
import { chooseTheme, theme } from "./state/theme.ts";
import { strings } from "./strings.ts";
import { PanelSection } from "./ui/panel-section.tsx";

export function App() {
	return (
		<>
			<a class="skip" href="#experiment">
				{t(strings.skip)}
			</a>
			<Header />
			<main id="experiment">
				<Controls />
				{failure.value && (
					<p class="failure" role="alert">
						{t(strings.failed)} {failure.value}
					</p>
				)}
				{panels
					.filter((panel) => panel.applies?.() ?? true)
					.map((panel) => (
						<PanelSection key={panel.id} panel={panel} />
					))}
			</main>
		</>
	);
}

function Header() {
	return (
		<header class="page-head">
			<div class="page-tools">
				<fieldset class="segmented">
					<legend>{t(strings.language)}</legend>
					{languages.map((one) => (
						<button
							key={one}
							type="button"
							aria-pressed={language.value === one}
							lang={one === "zh" ? "zh-Hans" : "en"}
							onClick={() => chooseLanguage(one)}
						>
							{one === "zh" ? "中文" : "English"}
						</button>
					))}
				</fieldset>
				<fieldset class="segmented">
					<legend>{t(strings.theme)}</legend>
					{(["light", "dark"] as const).map((one) => (
						<button key={one} type="button" aria-pressed={theme.value === one} onClick={() => chooseTheme(one)}>
							{t(strings[one])}
						</button>
					))}
				</fieldset>
			</div>
			<h1>{t(strings.title)}</h1>
			<p class="page-lead">{t(strings.lead)}</p>
		</header>
	);
}

function Controls() {
	const rate = speed.value?.examplesPerSecond ?? 0;
	return (
		<section class="controls" aria-label={t(strings.controls)}>
			<button type="button" class="primary" onClick={() => void (isRunning.value ? pause() : start())}>
				{t(isRunning.value ? strings.pause : strings.start)}
			</button>
			<button type="button" onClick={() => void stepBy(1)}>
				{t(strings.step)}
			</button>
			<button type="button" onClick={() => void reset()}>
				{t(strings.reset)}
			</button>
			<output>{t(strings.stepCount(formatNumber(step.value)))}</output>
			{rate > 0 && <output>{t(strings.speed(formatNumber(Math.round(rate))))}</output>}
		</section>
	);
}
