import { flatten } from "../../ops/shape/op.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { Module } from "../module.ts";

/** Merges the axes from `startAxis` (default 1) to `endAxis` (default the last) into one. */
export class Flatten extends Module {
	readonly startAxis: number;
	readonly endAxis: number;

	constructor({ startAxis = 1, endAxis = -1 }: { startAxis?: number; endAxis?: number } = {}) {
		super();
		this.startAxis = startAxis;
		this.endAxis = endAxis;
	}

	override forward(x: Tensor): Tensor {
		return flatten(x, this.startAxis, this.endAxis);
	}
}

/** Passes its input on. */
export class Identity extends Module {
	override forward(x: Tensor): Tensor {
		return x;
	}
}
