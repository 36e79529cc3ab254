// Data, network, seed and length: what both twins share.

import { useEffect, useState } from "preact/hooks";
import type { OwnData } from "../engine/protocol.ts";
import { formatNumber, t } from "../i18n/i18n.ts";
import {
	type DataKind,
	dataKinds,
	hasImages,
	isPlane,
	networks,
	planeKinds,
	ranges,
	reconcile,
} from "../settings/settings.ts";
import { change, phase, run, settings, withOwn } from "../state/lab.ts";
import { Choice, type ChoiceOption } from "../ui/choice.tsx";
import { NumberField } from "../ui/number-field.tsx";
import { dataTexts, networkTexts, strings } from "./strings.ts";

export function RunSettings() {
	const now = settings.value;
	return (
		<div class="run-settings">
			<Labeled title={t(strings.data)}>
				<DataChoice />
			</Labeled>
			{isPlane(now) && (
				<Labeled title={t(strings.noise)}>
					<NumberField
						label={t(strings.noise)}
						value={now.data.noise}
						range={ranges.noise}
						steps={0.05}
						onChange={(noise) => change({ ...now, data: { ...now.data, noise } })}
					/>
				</Labeled>
			)}
			<Labeled title={t(strings.network)}>
				<Choice
					label={t(strings.network)}
					value={now.network}
					options={networks.map((value) => ({
						value,
						text: t(networkTexts[value]),
						disabled: value === "lenet" && !hasImages(now),
					}))}
					onChoose={(network) => change({ ...now, network })}
				/>
			</Labeled>
			<Labeled title={t(strings.seed)}>
				<NumberField
					label={t(strings.seed)}
					value={now.seed}
					range={ranges.seed}
					steps={1}
					onChange={(seed) => change({ ...now, seed })}
				/>
			</Labeled>
			<Labeled title={t(strings.pauseAfter)} hint={t(strings.never)}>
				<NumberField
					label={t(strings.pauseAfter)}
					value={now.steps}
					range={ranges.steps}
					steps={100}
					onChange={(steps) => change({ ...now, steps })}
				/>
			</Labeled>
			<OwnFiles />
		</div>
	);
}

function Labeled({ title, hint, children }: { title: string; hint?: string; children: preact.ComponentChildren }) {
	return (
		<div class="labeled">
			<span class="labeled-title">
				{title}
				{hint && <span class="hint"> {hint}</span>}
			</span>
			{children}
		</div>
	);
}

function DataChoice() {
	const now = settings.value;
	const hasFull = useFullSet();
	const options = dataKinds
		.filter((kind) => (kind !== "csv" && kind !== "images") || kind === now.data.kind)
		.map((value): ChoiceOption<DataKind> => {
			const absent = value === "fashion-full" && !hasFull && now.data.kind !== value;
			const text = t(dataTexts[value]) + (absent ? ` (${t(strings.fullAbsent)})` : "");
			return { value, text, disabled: absent, group: t(groupOf(value)) };
		});
	return (
		<Choice
			label={t(strings.data)}
			value={now.data.kind}
			options={options}
			onChoose={(kind) => change(reconcile({ ...now, data: { ...now.data, kind } }))}
		/>
	);
}

function groupOf(kind: DataKind) {
	if (planeKinds.includes(kind)) return strings.points;
	return kind === "csv" || kind === "images" ? strings.own : strings.images;
}

/** Whether the server has all of Fashion-MNIST: asked once the page has come to rest. */
function useFullSet(): boolean {
	const [has, setHas] = useState(false);
	useEffect(() => {
		const ask = async (): Promise<void> => {
			const answer = await fetch(new URL("data/available.json", document.baseURI));
			if (answer.ok) setHas((await answer.json()).full === true);
		};
		const timer = setTimeout(() => ask().catch(() => {}), 300);
		return () => clearTimeout(timer);
	}, []);
	return has;
}

function OwnFiles() {
	return (
		<div class="own-files">
			<FileButton
				text={t(strings.openTable)}
				hint={t(strings.tableHint)}
				accept=".csv,text/csv"
				take={async ([file]) => ({ kind: "csv", name: file.name, text: await file.text() })}
			/>
			<FileButton
				text={t(strings.openFolder)}
				hint={t(strings.folderHint)}
				folder
				take={async (files) => ({
					kind: "images",
					files: files.map((file) => ({ path: file.webkitRelativePath || file.name, file })),
				})}
			/>
			<p class="hint">{ownExamples() ?? t(strings.stays)}</p>
		</div>
	);
}

/** What was read of the user's files; null if the run is not on them. */
function ownExamples(): string | null {
	const info = run.value?.data;
	if (!info || phase.value === "failed" || info.kind !== settings.value.data.kind) return null;
	const [examples, classes] = [formatNumber(info.train + info.test), String(info.classes.length)];
	if (info.kind === "csv") return t(strings.tableRead(info.file, examples, String(info.shape[0]), classes));
	return info.kind === "images" ? t(strings.picturesRead(examples, classes)) : null;
}

interface FileButtonProps {
	readonly text: string;
	readonly hint: string;
	readonly accept?: string;
	readonly folder?: boolean;
	readonly take: (files: readonly File[]) => Promise<OwnData>;
}

function FileButton({ text, hint, accept, folder, take }: FileButtonProps) {
	return (
		<label class="file-button">
			<input
				type="file"
				accept={accept}
				aria-label={text}
				{...(folder ? { webkitdirectory: true, multiple: true } : {})}
				onChange={({ currentTarget }) => {
					const files = [...(currentTarget.files ?? [])];
					if (files.length > 0) void take(files).then(withOwn);
					// The same file may be chosen again, changed.
					currentTarget.value = "";
				}}
			/>
			<span class="file-text" aria-hidden="true">
				{text}
			</span>
			<span class="hint">{hint}</span>
		</label>
	);
}
