// The networks that `train` knows by name.

import { check } from "../errors.ts";
import { lenet, lenetBn } from "./lenet.ts";
import { kerasMlpBn, mlpBn } from "./mlp.ts";
import type { Preset } from "./preset.ts";
import { resnetMini } from "./resnet-mini.ts";

export {
	type ActivationName,
	activationNames,
	type NetworkChoice,
	type NormPlace,
	type Variation,
} from "./network-choice.ts";
export { type NormChoice, normDescriptions, normNames, normOf } from "./norms.ts";
export { buildNetwork, checkPreset, ownNorm, type Preset, type PresetData, type RunLength } from "./preset.ts";

/** Every preset, in the order in which they are listed. */
export const presets: readonly Preset[] = [lenetBn, lenet, mlpBn, kerasMlpBn, resnetMini];

/**
 * The preset called `name`.
 *
 * @throws EvenkeelError listing what there is if it is unknown
 */
export function presetNamed(name: string): Preset {
	const preset = presets.find((candidate) => candidate.name === name);
	check(preset, () => `unknown preset "${name}"; there are ${presets.map((known) => known.name).join(", ")}`);
	return preset;
}
