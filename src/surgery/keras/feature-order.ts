// Where features were flattened out of an image, and in which order. Keras flattens [H, W, C], the channels last;
// evenkeel, as PyTorch, [C, H, W]. What reads the flattened features must have its weights in the other order.

import { check } from "../../errors.ts";
import { Linear } from "../../nn/layers/linear.ts";
import { Flatten } from "../../nn/layers/shape.ts";
import type { Module } from "../../nn/module.ts";
import { zeros } from "../../ops/creation.ts";
import { scope } from "../../tensor/scope.ts";
import type { Shape } from "../../tensor/shape.ts";
import { observedOrder, type PlacedLayer } from "../layer-order.ts";

/** The order of flattened features: entry i is the place, in Keras's order, of feature i here. */
export type FeatureOrder = Int32Array;

/** What a run of the network shows of a layer. */
export interface ObservedLayer {
	readonly name: string;
	readonly module: Module;
	/** Without the batch. */
	readonly inputShape: Shape;
	/** How the features that it reads were flattened; null if they were not, or the order is the same. */
	readonly order: FeatureOrder | null;
	/** Whether it reads the network's own input, flattened, of which only the file's writer knows the order. */
	readonly flattensInput: boolean;
}

/**
 * Runs `net` on an example of `inputShape` and returns its layers in the order they ran.
 *
 * @throws EvenkeelError if features are flattened other than by an nn.Flatten, so that their order cannot be known
 */
export function observeLayers(net: Module, inputShape: Shape): ObservedLayer[] {
	const layers: ObservedLayer[] = [];
	/** What each layer writes: the order of its features, if they are flattened. */
	const written = new Map<PlacedLayer, { order: FeatureOrder | null; flattensInput: boolean }>();
	/** The sizes of images that a Flatten would mix up, by the layer that wrote them. */
	const images = new Map<number, string>();
	scope(() => {
		const batch = zeros([1, ...inputShape]);
		observedOrder(net, [batch], (layer, input, output) => {
			const { name, module } = layer;
			const from = layer.input ? written.get(layer.input) : undefined;
			const own = input.shape.slice(1);
			const readsInput = input === batch;
			if (!layer.input && !readsInput && own.length === 1) {
				const image = images.get(own[0]);
				check(
					image === undefined,
					() =>
						`${module.label}: whether its input is what ${image} wrote, flattened, cannot be seen; ` +
						"flatten it with an nn.Flatten in the network",
				);
			}
			layers.push({
				name,
				module,
				inputShape: own,
				order: from?.order ?? null,
				flattensInput: from?.flattensInput ?? false,
			});
			written.set(layer, afterLayer(module, own, output.shape.slice(1), from, readsInput));
			const [channels, ...places] = output.shape.slice(1);
			if (places.length > 0 && channels > 1 && output.size > channels) images.set(output.size, module.label);
		});
	});
	return layers;
}

function afterLayer(
	module: Module,
	input: Shape,
	output: Shape,
	from: { order: FeatureOrder | null; flattensInput: boolean } | undefined,
	readsInput: boolean,
): { order: FeatureOrder | null; flattensInput: boolean } {
	if (module instanceof Flatten && output.length === 1 && input.length > 1) {
		const order = channelsLast(input);
		return { order, flattensInput: order !== null && readsInput };
	}
	// Activations, dropout and norms leave features where they are.
	const keeps = !(module instanceof Linear) && output.length === 1 && output[0] === from?.order?.length;
	return keeps && from ? from : { order: null, flattensInput: false };
}

/** The order in which Keras flattens [C, …]; null if it is the same. */
function channelsLast([channels, ...places]: Shape): FeatureOrder | null {
	const positions = places.reduce((a, b) => a * b, 1);
	if (channels === 1 || positions === 1) return null;
	return Int32Array.from({ length: channels * positions }, (_, i) => {
		const [channel, position] = [Math.floor(i / positions), i % positions];
		return position * channels + channel;
	});
}
