// Norms for other norms: a trained network's, in place, with what carries over and a word on what does not.

import type { Communicator } from "../../communicator/communicator.ts";
import { check, EvenkeelError } from "../../errors.ts";
import { isNorm } from "../../nn/is-norm.ts";
import { GroupNorm } from "../../nn/layers/group-norm.ts";
import { SyncBatchNorm } from "../../nn/layers/sync-batch-norm.ts";
import type { Module } from "../../nn/module.ts";
import { scope } from "../../tensor/scope.ts";
import { batchesOf, type Inputs } from "../recalibrate/batches.ts";
import { keepsStatistics } from "../recalibrate/estimate.ts";
import { type RecalibrateOptions, type RecalibrationReport, recalibrate } from "../recalibrate/recalibrate.ts";
import { type Place, placesOf } from "../replace-module.ts";
import { declaredInputs, type NormInput, observedInputs } from "./inputs.ts";
import { kindOf, sourceOf } from "./source.ts";
import {
	type Need,
	type NormTarget,
	normTargets,
	type Replacement,
	replacementFor,
	type TargetOptions,
} from "./targets.ts";

export interface ConvertNormsOptions extends TargetOptions {
	/** What every norm is to become. */
	to: NormTarget;
	/** Which norms to convert, by the layer and its path. Default: all. */
	only?: (layer: Module, path: string) => boolean;
	/**
	 * Inputs of the network. The first batch shows what shapes norms are given, where their class does not say; and where
	 * running statistics have to be estimated, that is done with all of it ({@link recalibrate}).
	 */
	data?: Inputs;
	/** How to go through `data`. */
	recalibrate?: RecalibrateOptions;
}

/** A norm that was converted. */
export interface ConvertedNorm {
	/** Its path in the network. */
	readonly layer: string;
	/** `"BatchNorm2d"` */
	readonly from: string;
	/** `"GroupNorm(3 groups)"` */
	readonly to: string;
	/** Whether it computes the same in evaluation. */
	readonly exact: boolean;
	/** What it needs before it is of use. After a recalibration by `data`, fine-tuning. */
	readonly needs: Need;
	/** What else there is to know; null if nothing. */
	readonly note: string | null;
}

export interface ConversionReport {
	readonly to: NormTarget;
	readonly converted: readonly ConvertedNorm[];
	/** Norms left as they are, and why: of that kind already, left out by `only`, or of a kind with no counterpart. */
	readonly skipped: readonly { readonly layer: string; readonly type: string; readonly reason: string }[];
	/** Whether the network computes the same as before in evaluation. */
	readonly exact: boolean;
	/** What the network as a whole needs: recalibration (and fine-tuning after it), fine-tuning, or nothing. */
	readonly needs: Need;
	/** Whether optimizers made before have to be made anew: scales and shifts became, or were, fixed values. */
	readonly parametersChanged: boolean;
	/** What `data` was used for; null if it was not needed. */
	readonly recalibration: RecalibrationReport | null;
}

/**
 * Converts the norms of `net` in place. Scale and shift are kept: they stay the same parameters, under the same names, so
 * that state dicts and optimizers fit on. What is converted to what, and what follows:
 *
 * | to | from batch norm | |
 * | --- | --- | --- |
 * | `"sync"`, `"batch-renorm"`, `"frozen-affine"` | exact in evaluation | and back again |
 * | `"group"`, `"layer"`, `"instance"` | other statistics: needs fine-tuning | no running statistics are left |
 * | `"batch"` | from a norm of single examples: needs statistics, `data` estimates them | then fine-tuning |
 *
 * Group norm's groups are never single values: on `[N, C]`, where a group of one channel would give zeros, fewer are
 * taken. Layer norm after a convolution is group norm with one group, since its scale is a channel's. Instance norm on
 * `[N, C]` is layer norm. Frozen norms stay frozen. Forward hooks of a converted layer go with it.
 *
 *     const report = await convertNorms(net, { to: "group", numGroups: 8 });
 *
 * @returns what became of each norm, and what the network now needs
 * @throws EvenkeelError naming every norm that cannot be converted, and why; nothing is changed then
 */
export async function convertNorms(net: Module, options: ConvertNormsOptions): Promise<ConversionReport> {
	const { to, data } = options;
	check(
		normTargets.includes(to),
		() => `convertNorms: to is one of ${normTargets.map((name) => `"${name}"`).join(", ")}, got ${JSON.stringify(to)}`,
	);
	const { numGroups } = options;
	check(
		numGroups === undefined || (Number.isInteger(numGroups) && numGroups >= 1),
		() => `convertNorms: numGroups must be a whole number of at least 1, got ${numGroups}`,
	);
	const inputs = data === undefined ? declaredInputs(net) : await firstInputs(net, data, options.recalibrate);
	const plan = planFor(net, options, inputs, "convertNorms");
	const before = new Set(net.parameters());
	for (const { module, replacement, places } of plan.changes) exchange(net, module, replacement.made, places);
	const after = net.parameters();
	const parametersChanged = after.length !== before.size || after.some((parameter) => !before.has(parameter));
	const needs = needsOf(net, plan.changes);
	let recalibration: RecalibrationReport | null = null;
	try {
		if (needs === "recalibration" && data !== undefined)
			recalibration = await recalibrate(net, data, options.recalibrate);
	} catch (error) {
		for (const { module, replacement } of plan.changes)
			exchange(net, replacement.made, module, placesOf(net, replacement.made));
		throw error;
	}
	const settled = (need: Need): Need => (need === "recalibration" && recalibration ? "fine-tuning" : need);
	return {
		to,
		converted: plan.changes.map(({ path, from, replacement: { made, exact, needs: need, note } }) => {
			return { layer: path, from, to: describe(made), exact, needs: settled(need), note };
		}),
		skipped: plan.skipped,
		exact: plan.changes.every(({ replacement }) => replacement.exact),
		needs: settled(needs),
		parametersChanged,
		recalibration,
	};
}

/**
 * Makes every BatchNorm1d, 2d and 3d of `net`, lazy ones included, a {@link SyncBatchNorm} on the ranks of `communicator`, in place, and gives
 * it to those that are already. Parameters stay the same ones, so optimizers made before go on; running statistics,
 * options, modes and the state dict's names stay. Virtual batches go. `convertNorms(net, { to: "batch" })` undoes it.
 *
 *     convertSyncBatchNorm(net, await mpiWorld());
 *
 * @param communicator the ranks; null: SyncBatchNorm that is batch norm until its `communicator` is set
 * @returns how many synchronized norms the network now has
 * @throws EvenkeelError for a norm that is the network itself, that has not seen its first input, or that is held in a way
 *   that does not let it be exchanged; nothing is changed then
 */
export function convertSyncBatchNorm(net: Module, communicator: Communicator | null): number {
	const only = (layer: Module) => kindOf(layer) === "batch";
	const options: ConvertNormsOptions = { to: "sync", communicator, only };
	const plan = planFor(net, options, declaredInputs(net), "convertSyncBatchNorm");
	for (const { module, replacement, places } of plan.changes) exchange(net, module, replacement.made, places);
	const synchronized = net.modules().filter((module) => module instanceof SyncBatchNorm);
	for (const norm of synchronized) norm.communicator = communicator;
	return synchronized.length;
}

/** What the first batch shows; of norms that it does not reach, what the layers around them say. */
async function firstInputs(
	net: Module,
	data: Inputs,
	options: RecalibrateOptions = {},
): Promise<(norm: Module) => NormInput> {
	const declared = declaredInputs(net);
	const batches = batchesOf(data, options, "convertNorms");
	check(!batches.once, "convertNorms: an iterator can be gone through once only; give an array, or a data set");
	for await (const take of batches.begin()) {
		const observed = scope(() => {
			const inputs = take();
			return inputs && observedInputs(net, inputs);
		});
		return (norm) => observed?.(norm) ?? declared(norm);
	}
	throw new EvenkeelError("convertNorms: the data has no examples");
}

/** Puts `made` wherever `module` stands. */
function exchange(net: Module, module: Module, made: Module, places: readonly Place[]): void {
	made.train(module.training);
	for (const { put } of places) put?.(made);
	// Walking the network gives its modules their paths.
	net.modules();
}

function needsOf(net: Module, changes: readonly Change[]): Need {
	const inexact = changes.filter(({ replacement }) => !replacement.exact);
	if (inexact.length === 0) return "nothing";
	const unknown = inexact.some(({ replacement }) => replacement.needs === "recalibration");
	// Norms that stayed are given something else from now on.
	return unknown || net.modules().some(keepsStatistics) ? "recalibration" : "fine-tuning";
}

function describe(module: Module): string {
	const { name } = module.constructor;
	if (!(module instanceof GroupNorm)) return name;
	return `${name}(${module.numGroups} group${module.numGroups === 1 ? "" : "s"})`;
}

interface Change {
	readonly path: string;
	readonly from: string;
	readonly module: Module;
	readonly replacement: Replacement;
	readonly places: readonly Place[];
}

/** What is to become of each norm; nothing is changed yet. */
function planFor(net: Module, options: ConvertNormsOptions, inputs: (norm: Module) => NormInput, what: string) {
	const changes: Change[] = [];
	const skipped: ConversionReport["skipped"][number][] = [];
	const refused: string[] = [];
	for (const [path, module] of net.namedModules()) {
		const found = planOne(net, path, module, options, inputs);
		if (found === undefined) continue;
		if ("refused" in found) refused.push(`${module.label}: ${found.refused}`);
		else if ("reason" in found) skipped.push({ layer: path, type: module.constructor.name, ...found });
		else changes.push({ path, module, from: module.constructor.name, ...found });
	}
	if (refused.length > 0) {
		throw new EvenkeelError(
			`${what}: ${refused.length} of ${refused.length + changes.length} norms cannot become "${options.to}", so nothing ` +
				`was changed: ${refused.slice(0, 5).join("; ")}${refused.length > 5 ? "; …" : ""}. { only } leaves layers out`,
		);
	}
	return { changes, skipped };
}

type Planned = { reason: string } | { refused: string } | Pick<Change, "replacement" | "places">;

function planOne(
	net: Module,
	path: string,
	module: Module,
	{ to, only, ...target }: ConvertNormsOptions,
	inputs: (norm: Module) => NormInput,
): Planned | undefined {
	const source = sourceOf(module, inputs(module));
	if (source === undefined) return isNorm(module) ? { reason: "there is no counterpart of it" } : undefined;
	if (only && !only(module, path)) return { reason: "it was left out" };
	if (typeof source === "string") return { refused: source };
	const replacement = replacementFor(source, to, target);
	if (replacement === null) return { reason: `it is ${describe(module)} already` };
	if (typeof replacement === "string") return { refused: replacement };
	const places = placesOf(net, module);
	if (places.length === 0) return { refused: "it is the network itself; put it into a Sequential" };
	const fixed = places.find(({ put }) => put === null);
	if (fixed) return { refused: `${fixed.parent.constructor.name} does not let its layers be exchanged` };
	return { replacement, places };
}
