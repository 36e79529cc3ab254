// The quantiles of one layer's output.

import { defineTopic } from "../../engine/topic.ts";
import { quantiles } from "./quantiles.ts";

/** The nine quantiles of the layer `layer`; null if there is no such layer. */
export const activationQuantiles = defineTopic({
	at: "step",
	needs: "layers",
	collect({ layers }, { layer }: { layer: string }): Float32Array | null {
		const found = layers.find(({ info }) => info.name === layer);
		return found ? quantiles(found.output.view()) : null;
	},
});
