// Both twins' settings, row by row side by side: where they differ is what the experiment is about, and is marked.

import type { JSX } from "preact";
import { type Side, sides } from "../engine/protocol.ts";
import { type Text, t } from "../i18n/i18n.ts";
import { activations, norms, optimizers, places, ranges, type TwinSettings } from "../settings/settings.ts";
import { changeTwin, settings } from "../state/lab.ts";
import { Choice } from "../ui/choice.tsx";
import { NumberField } from "../ui/number-field.tsx";
import type { Steps } from "../ui/number-steps.ts";
import { otherGroups } from "./groups.ts";
import { activationTexts, normTexts, optimizerTexts, placeTexts, strings } from "./strings.ts";
import { matters } from "./twin-name.ts";

type Key = Exclude<keyof TwinSettings, "on">;
type Field = (side: Side, label: string, disabled: boolean) => JSX.Element;

/** A row: the setting, and its field. */
interface Row {
	readonly key: Key;
	readonly title: Text;
	readonly field: Field;
}

function words<K extends "norm" | "place" | "activation" | "optimizer">(
	key: K,
	values: readonly TwinSettings[K][],
	texts: Readonly<Record<TwinSettings[K], Text>>,
): Row {
	const field: Field = (side, label, disabled) => (
		<Choice<TwinSettings[K]>
			label={label}
			disabled={disabled}
			value={settings.value[side][key]}
			options={values.map((value) => ({ value, text: t(texts[value]) }))}
			onChoose={(value) => changeTwin(side, { [key]: value })}
		/>
	);
	return { key, title: strings[key], field };
}

function numbers(key: "groups" | "depth" | "width" | "lr" | "batchSize" | "scale" | "dropout", steps: Steps): Row {
	const field: Field = (side, label, disabled) => (
		<NumberField
			label={label}
			disabled={disabled}
			value={settings.value[side][key]}
			range={ranges[key]}
			steps={steps}
			onChange={(value) => changeTwin(side, { [key]: value })}
		/>
	);
	return { key, title: strings[key], field };
}

const rows: readonly Row[] = [
	words("norm", norms, normTexts),
	numbers("groups", "doubling"),
	words("place", places, placeTexts),
	words("activation", activations, activationTexts),
	numbers("depth", 1),
	numbers("width", "doubling"),
	words("optimizer", optimizers, optimizerTexts),
	numbers("lr", "decades"),
	numbers("batchSize", "doubling"),
	numbers("scale", "decades"),
	numbers("dropout", 0.1),
];

export function TwinTable() {
	const now = settings.value;
	const shown = rows.filter(({ key }) => sides.some((side) => matters(key, now[side], now)));
	return (
		<div class="twins">
			<div class="twins-row twins-head">
				{sides.map((side) => (
					<TwinHead key={side} side={side} />
				))}
			</div>
			{shown.map(({ key, title, field }) => {
				const apart = now.a[key] !== now.b[key] && now.a.on && now.b.on;
				return (
					<div key={key} class="twins-row" data-differs={apart}>
						<div class="twins-title">
							{t(title)}
							{apart && <span class="unseen"> ({t(strings.differs)})</span>}
						</div>
						{sides.map((side) => {
							const label = t(strings.ofTwin(t(title), side.toUpperCase()));
							const idle = !now[side].on || !matters(key, now[side], now);
							return (
								<div key={side} class={`twins-cell twin-${side}`}>
									{field(side, label, idle)}
									{key === "groups" && !idle && <GroupsHint side={side} />}
								</div>
							);
						})}
					</div>
				);
			})}
		</div>
	);
}

/** What the layers have whose channels cannot be cut into so many groups. */
function GroupsHint({ side }: { side: Side }) {
	const now = settings.value;
	const others = otherGroups(now[side], now.network);
	if (others.length === 0) return null;
	return (
		<p class="hint">
			{others.map(({ name, groups }) => t(strings.groupsOf(name, String(groups)))).join(t(strings.and))}
		</p>
	);
}

function TwinHead({ side }: { side: Side }) {
	const name = side.toUpperCase();
	const now = settings.value;
	const other = side === "a" ? now.b : now.a;
	return (
		<label class={`twin-head twin-${side}`}>
			<input
				type="checkbox"
				checked={now[side].on}
				// One of them trains.
				disabled={now[side].on && !other.on}
				aria-label={t(strings.twinOn(name))}
				onChange={({ currentTarget }) => changeTwin(side, { on: currentTarget.checked })}
			/>
			<span class="badge" aria-hidden="true">
				{name}
			</span>
			<span aria-hidden="true">{now[side].on ? t(strings.twin(name)) : t(strings.off)}</span>
		</label>
	);
}
