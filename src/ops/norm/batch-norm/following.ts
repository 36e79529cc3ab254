// What may follow a batch norm, as ops of their own: where there is no pass to do it in.

import type { Tensor } from "../../../tensor/tensor.ts";
import { relu, sigmoid } from "../../activation/op.ts";
import { avgPool2d } from "../../pool/op.ts";
import type { Following } from "./fused.ts";

export const activations: Readonly<Record<Following, (x: Tensor) => Tensor>> = { relu, sigmoid };

/** The activation of y, and if `averagePool` is 2 its means over windows of 2 x 2. */
export function followedBy(y: Tensor, activation: Following | null, averagePool?: 2): Tensor {
	const activated = activation ? activations[activation](y) : y;
	return averagePool ? avgPool2d(activated, averagePool) : activated;
}
