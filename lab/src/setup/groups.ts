// How many groups group norm has in truth: where the number does not divide a layer's channels, the largest below that does.

import type { Settings, TwinSettings } from "../settings/settings.ts";

/** A norm, or several one after the other that are alike, and its groups. */
export interface GroupsOfNorm {
	/** `norm1`, `norm1–norm4` */
	readonly name: string;
	readonly groups: number;
}

/** The norms that have other than `twin.groups` groups. */
export function otherGroups(twin: TwinSettings, network: Settings["network"]): GroupsOfNorm[] {
	if (network === "mlp") {
		const name = twin.depth > 1 ? `norm1–norm${twin.depth}` : "norm1";
		return [{ name, groups: divisor(twin.width, twin.groups) }].filter(({ groups }) => groups !== twin.groups);
	}
	return lenetChannels
		.map((count, i) => ({ name: `norm${i + 1}`, groups: divisor(count, twin.groups) }))
		.filter(({ groups }) => groups !== twin.groups);
}

/** What the norms of LeNet normalize: two convolutions, two linear layers. */
const lenetChannels = [6, 16, 120, 84];

/** The largest number up to `groups` that divides `count`. */
function divisor(count: number, groups: number): number {
	let number = Math.min(groups, count);
	while (count % number !== 0) number--;
	return number;
}
