// The optimizer and the schedule of a preset: a file of the user's own may return anything.

import { check } from "../../errors.ts";
import type { Module } from "../../nn/module.ts";
import type { Schedule } from "../../optim/schedule.ts";
import type { Preset, RunLength } from "../../presets/index.ts";
import type { PresetOptimizer } from "../../presets/preset.ts";
import { callPreset } from "./load-preset.ts";

/** @throws EvenkeelError if the preset's function throws, or returns no optimizer */
export function makeOptimizer(preset: Preset, net: Module, lr: number): PresetOptimizer {
	const made = callPreset(preset, "optimizer()", () => preset.optimizer(net, lr));
	check(
		hasMethods(made, ["step", "zeroGrad", "stateDict", "loadStateDict"]),
		() =>
			`preset ${preset.name}: optimizer() must return an optimizer, such as new optim.SGD(net.parameters(), { lr }), ` +
			`got ${describe(made)}`,
	);
	return made;
}

/** @throws EvenkeelError if the preset's function throws, or returns anything but a schedule or nothing */
export function makeSchedule(preset: Preset, optimizer: PresetOptimizer, length: RunLength): Schedule | undefined {
	const made = callPreset(preset, "schedule()", () => preset.schedule?.(optimizer, length)) ?? undefined;
	check(
		made === undefined || (hasMethods(made, ["step", "state", "setState"]) && typeof made.curve === "object"),
		() =>
			`preset ${preset.name}: schedule() must return a schedule, such as optim.cosineAnnealingLR(optimizer, { tMax: steps }), ` +
			`or nothing, got ${describe(made)}`,
	);
	return made;
}

function hasMethods(value: unknown, names: readonly string[]): boolean {
	return (
		typeof value === "object" && value !== null && names.every((name) => typeof Reflect.get(value, name) === "function")
	);
}

function describe(value: unknown): string {
	if (value === undefined || value === null) return "nothing";
	if (typeof value === "object") return `a ${value.constructor?.name ?? "object"}`;
	return typeof value === "function" ? "a function" : JSON.stringify(value);
}
