// Scale and shift of one norm layer.

import { defineTopic } from "../../engine/topic.ts";

/** Lines that can still be told apart. */
const CHANNELS = 32;

export interface ScaleAndShift {
	/** The channels that were taken, evenly, from 0. */
	readonly channels: readonly number[];
	/** γ of each channel; then β of each: `[2, channels]`. NaN where the layer has none. */
	readonly values: Float32Array;
}

/** γ and β of the norm `layer`; null if there is none, or if it learns nothing. */
export const scaleAndShift = defineTopic({
	at: "rest",
	collect({ twin }, { layer }: { layer: string }): ScaleAndShift | null {
		const index = twin.layers.findIndex(({ name }) => name === layer);
		if (index < 0) return null;
		const learned = [...[...twin.net][index].namedParameters()];
		// The last part of the name: some norms are built from others.
		const find = (name: string) => learned.find(([path]) => path.split(".").at(-1) === name)?.[1];
		const [weight, bias] = [find("weight"), find("bias")];
		const size = (weight ?? bias)?.size ?? 0;
		if (size === 0) return null;
		const count = Math.min(size, CHANNELS);
		const channels = Array.from({ length: count }, (_, i) => Math.floor((i * size) / count));
		const values = new Float32Array(2 * count).fill(Number.NaN);
		for (const [k, parameter] of [weight, bias].entries()) {
			const all = parameter?.view();
			if (all) for (const [i, channel] of channels.entries()) values[k * count + i] = all[channel];
		}
		return { channels, values };
	},
});
