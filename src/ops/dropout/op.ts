// Dropout (Srivastava et al. 2014), inverted: what stays is scaled up in training, so that nothing
// is to be done in evaluation. The mask is a function of the generator's state and the element's
// index: the same on every backend and for any number of threads, and never stored.

import { check } from "../../errors.ts";
import { defaultGenerator, type Generator } from "../../random/generator.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { apply, checkFloat, empty, type KernelSet, kernelsFor, type Op } from "../op.ts";
import { GROUP, type Kernels, type Mask } from "./mask.ts";
import { reference } from "./reference.ts";
import { wasm } from "./wasm.ts";

const kernels: KernelSet<Kernels> = { reference, wasm };

const op: Op<Mask> = {
	name: "dropout",
	forward: ([x], mask) => masked(x, mask, "dropout"),
	backward: (dy, { attrs }) => [masked(dy, attrs, "gradient of dropout")],
};

function masked(x: Tensor, mask: Mask, name: string): Tensor {
	const y = empty(x.shape, x.backend, "float", name);
	kernelsFor(kernels, x).apply(x, y, mask);
	return y;
}

const zeroOp: Op<null> = {
	name: "dropout",
	forward: ([x]) => zerosLike(x),
	backward: (dy) => [zerosLike(dy)],
};

function zerosLike(x: Tensor): Tensor {
	const y = empty(x.shape, x.backend, "float", "dropout");
	y.view().fill(0);
	return y;
}

export interface DropoutOptions {
	/** Whether to drop anything; if not, x itself is returned. Default true. */
	training?: boolean;
	/** Where the randomness comes from. Default: `defaultGenerator()`. */
	generator?: Generator;
}

/**
 * Sets each element of `x` to 0 with probability `p`, and multiplies the others by 1 / (1 - p), so that the mean stays
 * (Srivastava et al. 2014). With p = 1 all are 0; when not training, `x` itself comes back. Each call takes new numbers
 * from the generator; the same state gives the same mask on every backend.
 *
 * @throws EvenkeelError if p is not a number from 0 to 1
 */
export function dropout(x: Tensor, p: number, options: DropoutOptions = {}): Tensor {
	const { training = true, generator = defaultGenerator() } = options;
	check(p >= 0 && p <= 1, () => `dropout: p is the probability to drop an element, from 0 to 1; got ${p}`);
	checkFloat("dropout", x);
	if (!training || p === 0) return x;
	if (p === 1) return apply(zeroOp, [x], null);
	const blocks = generator.takeBlocks(Math.ceil(x.size / GROUP) * (GROUP / 4));
	const threshold = Math.min(Math.round(p * 2 ** 32), 2 ** 32 - 1);
	return apply(op, [x], { ...blocks, threshold, scale: 1 / (1 - p) });
}
