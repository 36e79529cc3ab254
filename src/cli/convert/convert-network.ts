// A preset's network with other norms: converted, and held against what the preset itself builds with them, so that every
// other command can load it.

import { noGrad } from "../../autograd/tape.ts";
import { EvenkeelError } from "../../errors.ts";
import type { Module } from "../../nn/module.ts";
import { tensor } from "../../ops/creation.ts";
import { buildNetwork, type NormChoice, type Preset } from "../../presets/index.ts";
import { Generator } from "../../random/generator.ts";
import {
	type ConversionReport,
	convertNorms,
	type Inputs,
	type NormTarget,
	type RecalibrateOptions,
} from "../../surgery/index.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { inMode } from "../../train/evaluate.ts";

/** What --norm calls each target. */
const normNamed: Readonly<Record<NormTarget, string>> = {
	batch: "batch",
	sync: "sync",
	group: "group",
	layer: "layer",
	instance: "instance",
	"batch-renorm": "renorm",
	"frozen-affine": "frozen-affine",
};

/** What norms can be converted to. */
export const targets = Object.keys(normNamed) as readonly NormTarget[];

/** What presets take where --groups is left out. */
const defaultGroups = 4;

/** The norm that a preset is built with to be the network that was converted. */
export function choiceFor(to: NormTarget, groups: number | undefined): NormChoice {
	return to === "group" ? { norm: "group", groups: groups ?? defaultGroups } : { norm: normNamed[to] };
}

/** A network that was converted, as the preset builds it. */
export interface ConvertedNetwork {
	readonly net: Module;
	readonly choice: NormChoice;
	readonly report: ConversionReport;
}

/**
 * Converts `net`, and loads its state into what `preset` builds with the same norm.
 *
 * @throws EvenkeelError if that is another network: a preset of one's own may not heed the norm that it is asked for
 */
export async function convertNetwork(
	net: Module,
	preset: Preset,
	to: NormTarget,
	{ groups, ...options }: { groups?: number; data?: Inputs; recalibrate?: RecalibrateOptions },
): Promise<ConvertedNetwork> {
	const choice = choiceFor(to, groups);
	const report = await convertNorms(net, { to, numGroups: choice.groups, ...options });
	const twin = buildNetwork(preset, choice);
	const asked = `--norm ${choice.norm}${choice.groups === undefined ? "" : ` --groups ${choice.groups}`}`;
	const otherwise = `the network that preset ${preset.name} builds with ${asked} is not the one that was converted, so no command could load it; convert it in code, with convertNorms and saveWeights`;
	try {
		scope(() => twin.loadStateDict(net.stateDict()));
	} catch (error) {
		throw new EvenkeelError(`${otherwise} (${error instanceof Error ? error.message : String(error)})`);
	}
	if (!computeAlike(net, twin, preset.inputShape)) throw new EvenkeelError(otherwise);
	return { net: twin, choice, report };
}

/** Whether two networks give the same on random inputs, up to rounding. */
function computeAlike(a: Module, b: Module, inputShape: readonly number[]): boolean {
	return scope(() => {
		const shape = [2, ...inputShape];
		const values = new Generator(1).fillUniform(new Float32Array(shape.reduce((size, length) => size * length, 1)));
		const x = tensor(values, shape);
		const run = (net: Module): Tensor => inMode(net, false, () => noGrad(() => net.forward(x)));
		const [first, second] = [run(a), run(b)].map((y) => Array.from(y.dataSync()));
		const largest = first.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
		return (
			first.length === second.length && first.every((value, i) => Math.abs(value - second[i]) <= 1e-4 * largest + 1e-12)
		);
	});
}
