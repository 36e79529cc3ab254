// One of the two networks in training: its steps, and how well it does on examples that it has not seen.

import type { Tensor } from "evenkeel";
import {
	countCorrect,
	crossEntropy,
	type data,
	EvenkeelError,
	NotFiniteError,
	type nn,
	noGrad,
	optim,
	scope,
} from "evenkeel";
import type { TwinSettings } from "../settings/settings.ts";
import type { Network } from "./networks.ts";
import { Observation } from "./observe.ts";
import type { LayerInfo, Side, Stopped } from "./protocol.ts";
import type { ObservedLayer, Twin } from "./topic.ts";

/** What a step's observer is shown, inside of the step. */
export interface Observed {
	readonly logits: Tensor;
	readonly loss: number;
	readonly layers: readonly ObservedLayer[];
}

/** How a step is observed. */
export interface Observer {
	readonly needs: "nothing" | "layers" | "gradients";
	see(observed: Observed): void;
}

const makeOptimizer = {
	sgd: (net: nn.Module, lr: number) => new optim.SGD(net.namedParameters(), { lr }),
	momentum: (net: nn.Module, lr: number) => new optim.SGD(net.namedParameters(), { lr, momentum: 0.9 }),
	adam: (net: nn.Module, lr: number) => new optim.Adam(net.namedParameters(), { lr }),
};

export class TrainedTwin implements Twin {
	readonly side: Side;
	readonly net: nn.Sequential;
	readonly layers: readonly LayerInfo[];
	readonly #optimizer: optim.SGD | optim.Adam;
	/** Null while it trains. */
	stopped: Stopped | null = null;

	constructor(side: Side, { net, layers }: Network, { optimizer, lr }: TwinSettings) {
		this.side = side;
		this.net = net;
		this.layers = layers;
		this.#optimizer = makeOptimizer[optimizer](net, lr);
	}

	/**
	 * One step on a batch, in the scope that is open. Returns the batch's loss and accuracy before the update; NaN, and
	 * `stopped` says why, where the loss is not a number or a layer refuses the batch.
	 */
	step(step: number, { x, y }: data.Batch, observer?: Observer): { loss: number; accuracy: number } {
		if (this.stopped) return nothing;
		try {
			const result = scope(() => this.#learn(x, y, observer));
			if (!Number.isFinite(result.loss)) this.stopped = { step, message: "" };
			return this.stopped ? nothing : result;
		} catch (error) {
			if (!(error instanceof EvenkeelError)) throw error;
			// Batch norms refuse a batch with NaN or infinity in it before the loss could show it.
			this.stopped = { step, message: error instanceof NotFiniteError ? "" : error.message };
			return nothing;
		}
	}

	#learn(x: Tensor, y: Tensor, observer?: Observer): { loss: number; accuracy: number } {
		this.#optimizer.zeroGrad();
		this.net.train();
		const watched = observer !== undefined && observer.needs !== "nothing";
		const observation = watched ? new Observation(this, observer.needs === "gradients") : null;
		try {
			const logits = this.net.forward(x);
			observation?.detach();
			const loss = crossEntropy(logits, y);
			const value = loss.item();
			if (!Number.isFinite(value)) return { loss: value, accuracy: Number.NaN };
			loss.backward();
			if (observer) {
				const layers = observation?.layers ?? [];
				scope(() => noGrad(() => observer.see({ logits, loss: value, layers })));
			}
			this.#optimizer.step();
			return { loss: value, accuracy: countCorrect(logits, y) / y.size };
		} finally {
			observation?.detach();
			observation?.free();
		}
	}

	/** Sums of loss and right answers over a batch in evaluation mode, in a scope of its own. */
	assess({ x, y }: data.Batch): { loss: number; correct: number } {
		this.net.eval();
		return scope(() =>
			noGrad(() => {
				const logits = this.net.forward(x);
				return { loss: crossEntropy(logits, y).item() * y.size, correct: countCorrect(logits, y) };
			}),
		);
	}

	/** Frees everything at once. */
	dispose(): void {
		this.#optimizer.dispose();
		this.net.zeroGrad();
		for (const tensor of Object.values(this.net.stateDict())) tensor.dispose();
		for (const parameter of this.net.parameters()) parameter.dispose();
		for (const [, buffer] of this.net.namedBuffers()) buffer.dispose();
	}
}

const nothing = { loss: Number.NaN, accuracy: Number.NaN };
