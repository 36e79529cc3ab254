// Choosing one of the run's layers by name; a choice that the next run does not have falls back to its first.

import { type Signal, useSignal } from "@preact/signals";
import { type LayerInfo, sides } from "../../engine/protocol.ts";
import { t } from "../../i18n/i18n.ts";
import { run } from "../../state/lab.ts";
import { strings } from "./strings.ts";

/** The names of the layers of either twin that `fits`, in the order in which they run. */
export function layerNames(fits: (layer: LayerInfo) => boolean): string[] {
	const layers = run.value?.layers ?? {};
	const names: string[] = [];
	for (const side of sides) {
		// Layers of this twin that the other lacks come after the one they follow.
		let after = -1;
		for (const { name } of (layers[side] ?? []).filter(fits)) {
			const known = names.indexOf(name);
			if (known < 0) names.splice(++after, 0, name);
			else after = Math.max(after, known);
		}
	}
	return names;
}

/** The layer chosen among `names`, or "" if there are none. */
export function useLayer(names: readonly string[]): { layer: string; chosen: Signal<string> } {
	const chosen = useSignal("");
	return { layer: names.includes(chosen.value) ? chosen.value : (names[0] ?? ""), chosen };
}

export interface LayerChoiceProps {
	readonly names: readonly string[];
	readonly layer: string;
	readonly chosen: Signal<string>;
}

export function LayerChoice({ names, layer, chosen }: LayerChoiceProps) {
	return (
		<label class="time-choice">
			{t(strings.layer)}
			<select
				value={layer}
				onChange={({ currentTarget }) => {
					chosen.value = currentTarget.value;
				}}
			>
				{names.map((name) => (
					<option key={name} value={name}>
						{name}
					</option>
				))}
			</select>
		</label>
	);
}
