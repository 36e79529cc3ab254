// What a twin is called beside its curve: what sets it apart from the other.

import type { Side } from "../engine/protocol.ts";
import { type Text, t } from "../i18n/i18n.ts";
import type { Settings, TwinSettings } from "../settings/settings.ts";
import { format } from "../ui/number-steps.ts";
import { activationTexts, normNames, optimizerTexts, placeNames, strings } from "./strings.ts";

type Describe = { readonly [Key in keyof TwinSettings]?: (twin: TwinSettings) => string };

const named = (text: Text, value: number): string => `${t(text).toLowerCase()} ${format(value)}`;

const describe: Describe = {
	norm: ({ norm }) => t(normNames[norm]),
	place: ({ place }) => t(placeNames[place]),
	activation: ({ activation }) => t(activationTexts[activation]),
	groups: ({ groups }) => named(strings.groups, groups),
	depth: ({ depth }) => named(strings.depth, depth),
	width: ({ width }) => named(strings.width, width),
	optimizer: ({ optimizer }) => t(optimizerTexts[optimizer]),
	lr: ({ lr }) => named(strings.lr, lr),
	batchSize: ({ batchSize }) => named(strings.batchSize, batchSize),
	scale: ({ scale }) => named(strings.scale, scale),
	dropout: ({ dropout }) => named(strings.dropout, dropout),
};

/** The settings that play a part for `twin`: without a norm it has no place, and only group norm has groups. */
export function matters(key: keyof TwinSettings, twin: TwinSettings, { network }: Pick<Settings, "network">): boolean {
	if (key === "place") return twin.norm !== "none";
	if (key === "groups") return twin.norm === "group";
	if (key === "depth" || key === "width") return network === "mlp";
	return key !== "on";
}

/** What sets twin `side` apart from the other, `"batch norm, learning rate 0.1"`; its norm if nothing does. */
export function twinName(side: Side, settings: Settings): string {
	const [twin, other] = side === "a" ? [settings.a, settings.b] : [settings.b, settings.a];
	const keys = Object.keys(describe) as (keyof TwinSettings)[];
	const apart = keys.filter(
		(key) =>
			twin[key] !== other[key] && matters(key, twin, settings) && (key !== "place" || matters(key, other, settings)),
	);
	const told = apart.length > 0 && other.on ? apart : (["norm"] as const);
	return told.map((key) => describe[key]?.(twin) ?? "").join(", ");
}
