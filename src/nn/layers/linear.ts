import { linear } from "../../ops/linear/op.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { pytorchDefault, type RandomInit } from "../init.ts";
import { checkSize, Module } from "../module.ts";
import { Parameter } from "../parameter.ts";

export interface LinearOptions extends RandomInit {
	/** Add a bias. Default true. */
	bias?: boolean;
}

/**
 * y = x weightᵀ + bias, for x of shape `[…, inFeatures]`. `weight` is `[outFeatures, inFeatures]`,
 * `bias` `[outFeatures]`; both start uniform in ±1 / sqrt(inFeatures) (PyTorch).
 */
export class Linear extends Module {
	readonly inFeatures: number;
	readonly outFeatures: number;
	weight: Parameter;
	bias: Parameter | null;

	constructor(inFeatures: number, outFeatures: number, { bias = true, generator }: LinearOptions = {}) {
		super();
		checkSize("Linear", "inFeatures", inFeatures);
		checkSize("Linear", "outFeatures", outFeatures);
		this.inFeatures = inFeatures;
		this.outFeatures = outFeatures;
		this.weight = new Parameter([outFeatures, inFeatures], "weight");
		this.bias = bias ? new Parameter([outFeatures], "bias") : null;
		pytorchDefault(this.weight, this.bias, inFeatures, { generator });
	}

	override forward(x: Tensor): Tensor {
		return linear(x, this.weight, this.bias);
	}
}
