// Which normalization a preset is built with: the choices of --norm, by name.

import { check } from "../errors.ts";
import { BatchNorm1d, BatchNorm2d, type BatchNormLayerOptions } from "../nn/layers/batch-norm.ts";
import type { Module } from "../nn/module.ts";

/** Makes the layers of one normalization: after a linear layer, and after a convolution. */
interface NormFamily {
	features(count: number, options: NormOptions): Module;
	channels(count: number, options: NormOptions): Module;
}

/** What a preset may ask of its normalization beyond the number of channels. */
export type NormOptions = Pick<BatchNormLayerOptions, "eps" | "decay" | "runningVariance">;

// A normalization that joins adds its line here, and every preset and --norm know it.
const families: Readonly<Record<string, NormFamily | null>> = {
	batch: {
		features: (count, options) => new BatchNorm1d(count, options),
		channels: (count, options) => new BatchNorm2d(count, options),
	},
	none: null,
};

/** The names that {@link normOf} knows. */
export const normNames: readonly string[] = Object.keys(families);

/** The layers of one normalization, each as a list to spread into a Sequential: empty for `"none"`. */
export interface Norm {
	/** For `[N, count]`. */
	features(count: number, options?: NormOptions): Module[];
	/** For `[N, count, H, W]`. */
	channels(count: number, options?: NormOptions): Module[];
}

/**
 * The normalization called `name`.
 *
 * @throws EvenkeelError listing what there is if it is unknown
 */
export function normOf(name: string): Norm {
	check(
		Object.hasOwn(families, name),
		() => `norm: unknown normalization "${name}"; there are ${normNames.map((known) => `"${known}"`).join(", ")}`,
	);
	const family = families[name];
	return {
		features: (count, options = {}) => (family ? [family.features(count, options)] : []),
		channels: (count, options = {}) => (family ? [family.channels(count, options)] : []),
	};
}
