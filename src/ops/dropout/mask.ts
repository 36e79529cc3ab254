// What dropout's op hands to its kernels.

import type { RandomBlocks } from "../../random/generator.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** Which elements stay, and what they are multiplied by. */
export interface Mask extends RandomBlocks {
	/** An element stays where its random word is at least this: p 2^32, rounded, below 2^32. */
	threshold: number;
	/** 1 / (1 - p) */
	scale: number;
}

/** Elements that one turn of the kernel covers, with as many random words, four to a block. */
export const GROUP = 16;

export interface Kernels {
	/** y = scale x where the mask keeps it, 0 elsewhere. x and y may be the same. */
	apply(x: Tensor, y: Tensor, mask: Mask): void;
}
