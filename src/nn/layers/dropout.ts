import { check } from "../../errors.ts";
import { dropout } from "../../ops/dropout/op.ts";
import type { Generator } from "../../random/generator.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { Module } from "../module.ts";

/**
 * In training zeroes each element with probability `p` (default 0.5) and scales the others by
 * 1 / (1 - p); in evaluation passes its input on. Source: Srivastava et al. 2014.
 */
export class Dropout extends Module {
	readonly p: number;
	/** Where its numbers come from; undefined for the default generator. */
	readonly generator: Generator | undefined;

	constructor(p = 0.5, { generator }: { generator?: Generator } = {}) {
		super();
		check(p >= 0 && p <= 1, () => `Dropout: p must be between 0 and 1, got ${p}`);
		this.p = p;
		this.generator = generator;
	}

	override forward(x: Tensor): Tensor {
		return dropout(x, this.p, { training: this.training, generator: this.generator });
	}
}
