// Experiments to begin with. Each has its question, and one sentence on what to watch; presets.test.ts holds them to it
// where a few steps show it.

import type { Text } from "../i18n/i18n.ts";
import { defaults, type Settings, type TwinSettings } from "../settings/settings.ts";
import { strings } from "./strings.ts";

/** An experiment. */
export interface Preset {
	/** Its name in the address. */
	readonly id: string;
	/** A few words for the list. */
	readonly title: Text;
	/** What to watch, and what it means. */
	readonly watch: Text;
	readonly settings: Settings;
}

/** What an experiment changes of the defaults: for both twins, and for each. */
interface Changes extends Partial<Omit<Settings, "a" | "b">> {
	readonly both?: Partial<TwinSettings>;
	readonly a?: Partial<TwinSettings>;
	readonly b?: Partial<TwinSettings>;
}

type Id = keyof typeof strings;

function preset(id: Id, { both, a, b, ...run }: Changes): Preset {
	const settings = { ...defaults, ...run, a: { ...defaults.a, ...both, ...a }, b: { ...defaults.b, ...both, ...b } };
	return { id, ...strings[id], settings };
}

const relu = { activation: "relu", lr: 0.1 } as const;

/** In the order in which a newcomer might take them. */
export const presets: readonly Preset[] = [
	preset("rate", {}),
	preset("deep", { network: "mlp", steps: 240, both: { ...relu, depth: 16 } }),
	preset("large", { network: "mlp", steps: 240, both: { ...relu, depth: 6, width: 128, scale: 6 } }),
	preset("small", { network: "mlp", steps: 240, both: { ...relu, depth: 6, width: 128, scale: 0.2 } }),
	preset("fair", { both: relu }),
	preset("spirals", {
		network: "mlp",
		data: { kind: "spirals", noise: 0.05 },
		steps: 1200,
		both: { activation: "relu", lr: 0.3, depth: 5, width: 32, batchSize: 64 },
	}),
	preset("two", { steps: 1600, both: { ...relu, lr: 0.02, batchSize: 2 }, b: { norm: "group" } }),
	preset("layer", { b: { norm: "layer" } }),
	preset("place", { both: relu, b: { norm: "batch", place: "after" } }),
	preset("dropout", {
		network: "mlp",
		both: { activation: "relu", lr: 0.3, depth: 3, width: 128, norm: "batch" },
		b: { dropout: 0.5 },
	}),
];

/** The preset of that id, if there is one. */
export function presetNamed(id: string): Preset | undefined {
	return presets.find((preset) => preset.id === id);
}
