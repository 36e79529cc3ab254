// All that there is to see of a network's normalization at once: layers, norms, findings. Plain data, for a program, the
// terminal or a page.

import { EvenkeelError } from "../../errors.ts";
import { isBatchNorm, isNorm, type NormLayer } from "../../nn/is-norm.ts";
import type { Module } from "../../nn/module.ts";
import { countFlops, countParameters, summary } from "../../nn/summary.ts";
import { zeros } from "../../ops/creation.ts";
import { scope } from "../../tensor/scope.ts";
import { type Shape, sizeOf } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { type Finding, type InspectOptions, inspectNorms } from "../inspect.ts";
import { type Distribution, distributionOf } from "./distribution.ts";

/** A layer of a network. */
export interface InspectedLayer {
	/** Its path, `"features.0"`. */
	readonly name: string;
	/** `"Conv2d"` */
	readonly type: string;
	/** Null where the network could not be run. */
	readonly outputShape: Shape | null;
	/** How many numbers it learns. */
	readonly parameters: number;
	/** Floating-point operations of its forward, a multiply-add being two; null where the network could not be run. */
	readonly flops: number | null;
}

/** A norm's numbers, a channel (or element) at a time. What it has none of is null. */
export interface InspectedNorm {
	readonly layer: string;
	readonly type: string;
	readonly channels: number;
	readonly eps: number;
	readonly scale: Distribution | null;
	readonly shift: Distribution | null;
	readonly runningMean: Distribution | null;
	readonly runningVar: Distribution | null;
	/** How many batches the running statistics have seen; null where nobody counted. */
	readonly batches: number | null;
}

/** A tensor of a file whose network is not known. */
export interface InspectedTensor {
	readonly name: string;
	/** As the file calls it: `"F32"`. */
	readonly dtype: string;
	readonly shape: Shape;
}

/** What {@link inspectNetwork} found out: plain data, which `JSON.stringify` keeps as it is. */
export interface Inspection {
	/** What was looked at, in words. */
	readonly source: string;
	/** The batch size that findings assume, over all replicas. */
	readonly batchSize: number;
	readonly replicas: number;
	/** What data the network was run on; null for none. */
	readonly data: string | null;
	/** What the layers' shapes are for, the batch included; null where the network could not be run. */
	readonly inputShape: Shape | null;
	/** Layers in the order in which they run. */
	readonly layers: readonly InspectedLayer[];
	/** Of the whole network; operations between its layers included. */
	readonly totals: { readonly parameters: number; readonly flops: number | null };
	readonly norms: readonly InspectedNorm[];
	readonly findings: readonly Finding[];
	/** What a file holds of which the network is not known; else empty. */
	readonly tensors: readonly InspectedTensor[];
	/** What could not be seen, and why. */
	readonly notes: readonly string[];
}

export interface InspectNetworkOptions extends InspectOptions {
	/** What the network is, in words. Default: its class. */
	source?: string;
	/** What `data` is, in words. */
	dataSource?: string;
	/** The shape of an input, the batch included: `[1, 3, 224, 224]`. Without it, or `data`, layers have no shapes. */
	inputShape?: Shape;
}

/**
 * Looks at a network: its layers with shapes, parameters and floating-point operations; what each norm has learned and
 * tracked, as ranges and histograms; what {@link inspectNorms} finds. The network stays as it was.
 *
 *     const inspection = inspectNetwork(net, { batchSize: 256, inputShape: [1, 1, 28, 28] });
 *     writeFile("net.html", inspectionPage(inspection));
 *
 * Where the network cannot be run on such an input, layers have no shapes, and a note says why.
 *
 * @throws EvenkeelError as inspectNorms does
 */
export function inspectNetwork(net: Module, options: InspectNetworkOptions): Inspection {
	const { source = net.constructor.name, dataSource, inputShape, batchSize, replicas = 1 } = options;
	return scope(() => {
		const example = inputShape && zeros(inputShape, { name: "input" });
		const seen = example ? run(net, example) : "";
		const ran = typeof seen === "object";
		return {
			source,
			batchSize,
			replicas,
			data: options.data === undefined ? null : (dataSource ?? "given"),
			inputShape: ran && inputShape ? [...inputShape] : null,
			layers: ran ? seen.layers : declaredLayers(net),
			totals: { parameters: countParameters(net), flops: ran ? seen.flops : null },
			norms: normsOf(net),
			findings: inspectNorms(net, { ...options, example: ran ? example : undefined }),
			tensors: [],
			notes: ran || seen === "" ? [] : [`The network could not be run, so its layers have no shapes: ${seen}`],
		};
	});
}

/** The layers as they run on `x`, or why they do not. */
function run(net: Module, x: Tensor): { layers: InspectedLayer[]; flops: number } | string {
	try {
		return { layers: summary(net, x), flops: countFlops(net, x) };
	} catch (error) {
		if (error instanceof EvenkeelError) return error.message;
		throw error;
	}
}

/** The layers without children, in the order in which they were made. */
function declaredLayers(net: Module): InspectedLayer[] {
	return [...net.namedModules()].flatMap(([name, module]) =>
		module.namedChildren().next().done
			? [{ name, type: module.constructor.name, outputShape: null, parameters: countParameters(module), flops: null }]
			: [],
	);
}

/** Over how many channels, or elements, a norm has or could have scales. */
function channelsOf(module: NormLayer): number {
	if ("numFeatures" in module) return module.numFeatures;
	return "numChannels" in module ? module.numChannels : sizeOf(module.normalizedShape);
}

/** How many batches were counted; null where statistics have moved and nobody counted, as in files of others. */
function countOf(module: NormLayer, mean: Distribution | null, variance: Distribution | null): number | null {
	const count = isBatchNorm(module) ? (module.numBatchesTracked?.item() ?? null) : null;
	const started = (spread: Distribution | null, at: number) => spread?.min === at && spread.max === at;
	return count === 0 && !(started(mean, 0) && started(variance, 1)) ? null : count;
}

/** Each norm of `net`. */
function normsOf(net: Module): InspectedNorm[] {
	return [...net.namedModules()].flatMap(([layer, module]): InspectedNorm[] => {
		if (!isNorm(module)) return [];
		const tensor = (property: string): Tensor | null => {
			const value: unknown = Reflect.get(module, property);
			return value instanceof Tensor && value.size > 0 ? value : null;
		};
		const spread = (property: string) => {
			const found = tensor(property);
			return found && distributionOf(found.view().subarray(0, found.size));
		};
		const [runningMean, runningVar] = [spread("runningMean"), spread("runningVar")];
		return [
			{
				layer,
				type: module.constructor.name,
				channels: channelsOf(module),
				eps: module.eps,
				scale: spread("weight"),
				shift: spread("bias"),
				runningMean,
				runningVar,
				batches: countOf(module, runningMean, runningVar),
			},
		];
	});
}
