// Which variable is which. Keras 3 numbers them; what a number stands for follows from the layer's class and from what
// it was made without: gamma is absent with scale=False, beta with center=False, bias with use_bias=False, and the
// others move up.

import { check } from "../../errors.ts";
import { toSnakeCase } from "./config.ts";

type Options = Readonly<Record<string, unknown>>;

/** The names of a class's variables, in Keras's order, for a layer made with `options`. */
const named: Readonly<Record<string, (options: Options) => string[]>> = {
	dense: withBias,
	conv1d: withBias,
	conv2d: withBias,
	conv3d: withBias,
	conv1d_transpose: withBias,
	conv2d_transpose: withBias,
	conv3d_transpose: withBias,
	depthwise_conv1d: withBias,
	depthwise_conv2d: withBias,
	batch_normalization: (options) => [...affine(options), "moving_mean", "moving_variance"],
	layer_normalization: affine,
	group_normalization: affine,
};

function withBias({ use_bias: bias }: Options): string[] {
	return bias === false ? ["kernel"] : ["kernel", "bias"];
}

function affine({ scale, center }: Options): string[] {
	return [...(scale === false ? [] : ["gamma"]), ...(center === false ? [] : ["beta"])];
}

/** Whether the variables of such layers are known. */
export function isKnownClass(className: string): boolean {
	return Object.hasOwn(named, toSnakeCase(className));
}

/**
 * The names of `count` numbered variables of a layer; null for each where the class is not known, or the file does not say
 * which of two they are.
 *
 * @param options the layer's configuration, null where the file has none
 * @param label names the layer in errors
 * @throws EvenkeelError if there are more or fewer than the configuration makes
 */
export function variableNames(
	className: string,
	options: Options | null,
	count: number,
	label: string,
): (string | null)[] {
	const name = toSnakeCase(className);
	const unknown = new Array<null>(count).fill(null);
	if (!isKnownClass(className)) return unknown;
	const all = named[name];
	if (options) {
		const expected = all(options);
		check(
			expected.length === count,
			() =>
				`${label} has ${count} variables, and its configuration makes ${expected.length} (${expected.join(", ")}); ` +
				"quantized layers are not read: save the model before quantize()",
		);
		return expected;
	}
	if (all({}).length === count) return all({});
	if (all === withBias && count === 1) return ["kernel"];
	// Three of batch normalization, one of layer normalization: gamma or beta, who knows.
	if (name === "batch_normalization" && count === 2) return ["moving_mean", "moving_variance"];
	return unknown;
}
