// The figures that tables, charts and claims are made of: one number a run.

import { check } from "../errors.ts";
import { type CellResult, hasDiverged } from "./result.ts";

/** How a figure is written, and which way is better. */
export interface Metric {
	/** For headings: `"test accuracy"`. */
	readonly label: string;
	readonly kind: "fraction" | "number";
	readonly better: "higher" | "lower";
	/** One sentence for reports. */
	readonly meaning: string;
}

const metrics: Readonly<Record<string, Metric>> = {
	testAccuracy: {
		label: "test accuracy",
		kind: "fraction",
		better: "higher",
		meaning: "accuracy on the test images after the last epoch; a run that broke off counts as guessing",
	},
	bestTestAccuracy: {
		label: "best test accuracy",
		kind: "fraction",
		better: "higher",
		meaning: "the best accuracy on the test images after any epoch",
	},
	trainAccuracy: {
		label: "train accuracy",
		kind: "fraction",
		better: "higher",
		meaning: "accuracy over the last epoch, while training; a run that broke off counts as guessing",
	},
	loss: {
		label: "train loss",
		kind: "number",
		better: "lower",
		meaning: "mean training loss of the last epoch; a run that broke off counts as guessing, ln(classes)",
	},
	testLoss: {
		label: "test loss",
		kind: "number",
		better: "lower",
		meaning: "loss on the test images after the last epoch; a run that broke off counts as guessing, ln(classes)",
	},
	gap: {
		label: "generalization gap",
		kind: "fraction",
		better: "lower",
		meaning: "accuracy on training images less that on test images, both in evaluation mode",
	},
	wander: {
		label: "wandering of the test accuracy",
		kind: "fraction",
		better: "lower",
		meaning: "mean change of the test accuracy from an epoch to the next, whatever its direction",
	},
	epochsTo: {
		label: "epochs to the target",
		kind: "number",
		better: "lower",
		meaning: "the first epoch after which the test accuracy reached the target; one more than there were if none did",
	},
	diverged: {
		label: "diverged",
		kind: "fraction",
		better: "lower",
		meaning: "1 if the run broke off or ended with a loss 10% above that of guessing",
	},
	covariateShift: {
		label: "internal covariate shift",
		kind: "number",
		better: "lower",
		meaning: "how far the update of the layers below moves a layer's gradient, relative to that gradient",
	},
	covariateShiftAngle: {
		label: "internal covariate shift (angle)",
		kind: "number",
		better: "lower",
		meaning: "the angle, in degrees, by which the update of the layers below turns a layer's gradient",
	},
	activationShift: {
		label: "shift of activation means",
		kind: "number",
		better: "lower",
		meaning: "how far one update moves the mean of a unit's input, in that unit's standard deviations",
	},
	activationSpread: {
		label: "change of activation spread",
		kind: "number",
		better: "lower",
		meaning: "by how much one update changes the standard deviation of a unit's input, |ln of the ratio|",
	},
	lossRange: {
		label: "variation of the loss along the gradient",
		kind: "number",
		better: "lower",
		meaning: "largest less smallest loss at steps of 1/2 to 4 learning rates along the gradient",
	},
	gradientChange: {
		label: "change of the gradient along the gradient",
		kind: "number",
		better: "lower",
		meaning: "largest distance between the gradient and those further along it, relative to the gradient's length",
	},
	smoothness: {
		label: "effective β-smoothness, log10 of β",
		kind: "number",
		better: "lower",
		meaning:
			"log10 of the largest change of the gradient for the distance moved along it; the smaller β, the smoother the loss",
	},
	gradientDecay: {
		label: "decay of the gradient, decades",
		kind: "number",
		better: "lower",
		meaning: "|log10| of the first layer's root-mean-square gradient over the last's, before training",
	},
	lowerRate: {
		label: "rate of the lowest layer, log10",
		kind: "number",
		better: "higher",
		meaning:
			"log10 of the first layer's gradient relative to its weights, over the last layer's, on average over training",
	},
};

/** Every metric's name. */
export const metricNames: readonly string[] = Object.keys(metrics);

export function isMetric(name: string): boolean {
	return Object.hasOwn(metrics, name);
}

/** What is known of the metric `name`. */
export function metric(name: string): Metric {
	check(isMetric(name), () => `unknown metric "${name}"; there are ${metricNames.join(", ")}`);
	return metrics[name];
}

/** The figure `name` of a run; null where the run has none (it was not measured). `target` is for `epochsTo`. */
export function figureOf(name: string, result: CellResult, target: number): number | null {
	const last = result.problem === null ? result.epochs.at(-1) : undefined;
	const chance = 1 / result.classes;
	switch (name) {
		case "testAccuracy":
		case "trainAccuracy":
			return last?.[name] ?? chance;
		case "loss":
		case "testLoss":
			return last?.[name] ?? Math.log(result.classes);
		case "bestTestAccuracy":
			return Math.max(chance, ...result.epochs.map(({ testAccuracy }) => testAccuracy ?? 0));
		case "gap":
			return result.cleanTrainAccuracy === null || last?.testAccuracy === undefined || last.testAccuracy === null
				? null
				: result.cleanTrainAccuracy - last.testAccuracy;
		case "wander":
			return wander(result);
		case "epochsTo":
			return epochsTo(result, target);
		case "diverged":
			return hasDiverged(result) ? 1 : 0;
		default:
			return result.measured[name] ?? null;
	}
}

function epochsTo({ epochs, plannedEpochs }: CellResult, target: number): number {
	return epochs.find(({ testAccuracy }) => (testAccuracy ?? 0) >= target)?.epoch ?? plannedEpochs + 1;
}

function wander({ epochs }: CellResult): number | null {
	const known = epochs.map(({ testAccuracy }) => testAccuracy).filter((value) => value !== null);
	if (known.length < 2) return null;
	return known.slice(1).reduce((sum, value, i) => sum + Math.abs(value - known[i]), 0) / (known.length - 1);
}

/** A figure as tables and sentences write it. */
export function formatValue(name: string, value: number | null): string {
	if (value === null || Number.isNaN(value)) return "-";
	if (metric(name).kind === "fraction") return `${(100 * value).toFixed(1)}%`;
	if (name === "epochsTo") return value.toFixed(1);
	return formatNumber(value);
}

/** A difference of two figures: with a sign, and percentage points for fractions. */
export function formatDifference(name: string, value: number): string {
	const sign = value < 0 ? "−" : "+";
	const size = Math.abs(value);
	if (metric(name).kind === "fraction") return `${sign}${(100 * size).toFixed(1)} points`;
	return `${sign}${name === "epochsTo" ? size.toFixed(1) : formatNumber(size)}`;
}

function formatNumber(value: number): string {
	const size = Math.abs(value);
	if (size !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(1);
	return size >= 100 ? value.toFixed(0) : size >= 10 ? value.toFixed(1) : value.toFixed(3);
}
