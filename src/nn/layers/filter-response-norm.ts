import { check } from "../../errors.ts";
import { filterResponseNorm } from "../../ops/norm/filter-response-norm/op.ts";
import { formatShape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { constant } from "../init.ts";
import { checkSize, Module } from "../module.ts";
import { Parameter } from "../parameter.ts";

export interface FilterResponseNormLayerOptions {
	/** Added to the mean square. Default 1e-6 (the paper's). */
	eps?: number;
	/** End in the thresholded linear unit, max(y, threshold). Default true; false: put an activation behind the layer. */
	tlu?: boolean;
}

/**
 * Filter response normalization over `[N, C, L…]` with its thresholded linear unit, which takes the
 * place of the activation:
 *
 *     y = max(x / sqrt(mean(x²) + eps) * weight + bias, threshold)
 *
 * the mean over the positions of one channel of one example. `weight` starts at 1, `bias` and
 * `threshold` at 0. The same in training and evaluation, whatever the batch.
 *
 * @see Singh and Krishnan 2019, https://arxiv.org/abs/1911.09737
 */
export class FilterResponseNorm extends Module {
	readonly numFeatures: number;
	readonly eps: number;
	weight: Parameter;
	bias: Parameter;
	threshold: Parameter | null;

	constructor(numFeatures: number, { eps = 1e-6, tlu = true }: FilterResponseNormLayerOptions = {}) {
		super();
		checkSize("FilterResponseNorm", "numFeatures", numFeatures);
		check(eps >= 0, () => `FilterResponseNorm: eps must be at least 0, got ${eps}`);
		this.numFeatures = numFeatures;
		this.eps = eps;
		this.weight = constant(new Parameter([numFeatures], "weight"), 1);
		this.bias = constant(new Parameter([numFeatures], "bias"), 0);
		this.threshold = tlu ? constant(new Parameter([numFeatures], "threshold"), 0) : null;
	}

	override forward(x: Tensor): Tensor {
		check(
			x.shape[1] === this.numFeatures,
			() =>
				`${this.label}: expected ${this.numFeatures} channels at axis 1, got shape ${formatShape(x.shape)}; ` +
				`build it with numFeatures ${x.shape[1]}`,
		);
		const { weight, bias, threshold, eps } = this;
		return filterResponseNorm(x, { weight, bias, threshold, eps, name: this.label });
	}
}
