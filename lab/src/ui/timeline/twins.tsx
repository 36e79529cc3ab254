// One picture for each twin that is on, side by side or one below the other, under its name.

import type { ComponentChildren } from "preact";
import type { Side } from "../../engine/protocol.ts";
import { t } from "../../i18n/i18n.ts";
import { normTexts } from "../../setup/strings.ts";
import { activeSides, settings } from "../../state/lab.ts";
import { strings } from "./strings.ts";
import "./style.css";

export function TwinPair({ children }: { children: (side: Side, name: string) => ComponentChildren }) {
	return (
		<div class="time-pair">
			{activeSides.value.map((side) => {
				const name = t(strings.twin(side.toUpperCase()));
				return (
					<figure key={side} class={`twin-${side}`}>
						<figcaption>
							{name} · {t(normTexts[settings.value[side].norm])}
						</figcaption>
						{children(side, name)}
					</figure>
				);
			})}
		</div>
	);
}
