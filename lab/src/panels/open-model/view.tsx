// A file of the user's, read in a worker, and the page that `evenkeel inspect --html` would write of it.

import { useEffect, useRef, useState } from "preact/hooks";
import { language, t } from "../../i18n/i18n.ts";
import type { Outcome } from "./inspector.ts";
import { strings } from "./strings.ts";
import "./style.css";

const NOT_LOADED = "the inspector did not load";

type Stage =
	| { readonly name: "idle" }
	| { readonly name: "reading"; readonly file: string }
	| { readonly name: "shown"; readonly file: string; readonly outcome: Outcome };

export function View() {
	const [stage, setStage] = useState<Stage>({ name: "idle" });
	const [isOver, setIsOver] = useState(false);
	const input = useRef<HTMLInputElement>(null);
	const { isReady, inspect } = useInspector();
	const open = async (file: File | undefined) => {
		if (!file) return;
		setStage({ name: "reading", file: file.name });
		const outcome = await inspect(file);
		if (outcome) setStage({ name: "shown", file: file.name, outcome });
	};
	return (
		<div class="open-model" data-ready={isReady}>
			<fieldset
				class={isOver ? "open-model-drop open-model-over" : "open-model-drop"}
				aria-label={t(strings.title)}
				onDragOver={(event) => {
					event.preventDefault();
					setIsOver(true);
				}}
				onDragLeave={() => setIsOver(false)}
				onDrop={(event) => {
					event.preventDefault();
					setIsOver(false);
					void open(event.dataTransfer?.files[0]);
				}}
			>
				<input
					ref={input}
					type="file"
					accept=".safetensors,.onnx"
					hidden
					aria-label={t(strings.choose)}
					onChange={(event) => {
						void open(event.currentTarget.files?.[0]);
						event.currentTarget.value = "";
					}}
				/>
				<button type="button" onClick={() => input.current?.click()}>
					{t(strings.choose)}
				</button>
				<p>{t(strings.hint)}</p>
			</fieldset>
			<p class="open-model-status" role="status">
				{stage.name === "reading" && t(strings.reading(stage.file))}
				{stage.name === "shown" && "html" in stage.outcome && t(strings.done(stage.file))}
			</p>
			{stage.name === "shown" && <Result file={stage.file} outcome={stage.outcome} />}
		</div>
	);
}

function Result({ file, outcome }: { file: string; outcome: Outcome }) {
	if ("failure" in outcome) {
		return (
			<p class="open-model-failure" role="alert">
				<Failure message={outcome.failure} />
			</p>
		);
	}
	return (
		<>
			<button type="button" onClick={() => save(`${file}.html`, outcome.page)}>
				{t(strings.page)}
			</button>
			{language.value === "zh" && <p class="open-model-note">{t(strings.english)}</p>}
			<Page {...outcome} />
		</>
	);
}

/** What is wrong with the file: in the page's words, or as evenkeel says it, in English. */
function Failure({ message }: { message: string }) {
	if (message === NOT_LOADED) return <>{t(strings.notLoaded)}</>;
	const other = /^(.+): only \.safetensors and \.onnx are read here/.exec(message);
	if (other) return <>{t(strings.otherFile(other[1], message))}</>;
	return (
		<>
			<span lang="en">{message}</span>
			{t(strings.inEnglish)}
		</>
	);
}

/** The page's contents in a shadow tree: its ids and rules are its own, its colors the lab's. */
function Page({ html, style }: { html: string; style: string }) {
	const host = useRef<HTMLElement>(null);
	useEffect(() => {
		if (!host.current) return;
		const root = host.current.shadowRoot ?? host.current.attachShadow({ mode: "open" });
		root.innerHTML = `<style>${style}\n${colors}</style>${html}`;
		// It stands under the panel's heading, of the second level.
		for (const level of [1, 2, 3]) {
			for (const heading of root.querySelectorAll(`h${level}`)) heading.setAttribute("aria-level", String(level + 2));
		}
	}, [html, style]);
	return <section ref={host} class="open-model-page" lang="en" aria-label={t(strings.result)} />;
}

/** The lab's theme may be another than the system's. */
const colors = `:host .evenkeel-inspection, .evenkeel-inspection.evenkeel-inspection { color-scheme: inherit;
--paper: inherit; --raised: inherit; --ink: inherit; --line: inherit; --quiet: var(--ink-soft); --bar: var(--twin-b);
--error: var(--twin-a); --warning: var(--class-2); --info: var(--ink-soft); }`;

/** Asks a worker of this component's own; null if another file was asked for since. */
function useInspector(): { isReady: boolean; inspect: (file: File) => Promise<Outcome | null> } {
	const [isReady, setIsReady] = useState(false);
	const worker = useRef<Worker | null>(null);
	const latest = useRef(0);
	useEffect(() => {
		// Started now, so that nothing is fetched any more once a file is chosen.
		worker.current = new Worker(new URL("./inspector.ts", import.meta.url), {
			type: "module",
			name: "model inspector",
		});
		worker.current.addEventListener("message", ({ data }) => {
			if (data === "ready") setIsReady(true);
		});
		return () => worker.current?.terminate();
	}, []);
	const inspect = (file: File) =>
		new Promise<Outcome | null>((resolve) => {
			const running = worker.current;
			if (!running) return resolve(null);
			const id = ++latest.current;
			const hear = ({ data }: MessageEvent<{ id: number; outcome: Outcome }>) => {
				if (data.id !== id) return;
				running.removeEventListener("message", hear);
				running.removeEventListener("error", fail);
				resolve(id === latest.current ? data.outcome : null);
			};
			const fail = (event: ErrorEvent) => resolve({ failure: event.message || NOT_LOADED });
			running.addEventListener("message", hear);
			running.addEventListener("error", fail, { once: true });
			running.postMessage({ id, file });
		});
	return { isReady, inspect };
}

function save(name: string, page: string): void {
	const url = URL.createObjectURL(new Blob([page], { type: "text/html" }));
	const link = document.createElement("a");
	link.href = url;
	link.download = name;
	link.click();
	URL.revokeObjectURL(url);
}
