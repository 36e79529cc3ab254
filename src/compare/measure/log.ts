// The measurements of a whole run: taken before the first step and then some twelve times an epoch, and averaged.

import type { Dataset } from "../../data/dataset.ts";
import type { ImageTransform } from "../../data/transform.ts";
import type { Module } from "../../nn/module.ts";
import { Generator } from "../../random/generator.ts";
import { scope } from "../../tensor/scope.ts";
import { type Dynamics, measureDynamics } from "./dynamics.ts";

/** What {@link DynamicsLog} measures with. */
export interface DynamicsLogOptions {
	readonly batchSize: number;
	readonly lr: number;
	readonly seed: number;
	readonly stepsPerEpoch: number;
	readonly transform?: ImageTransform;
}

/** About so many measurements an epoch. */
const perEpoch = 12;

/** Those that say something of the network as it is initialized; the others are averages over the run. */
const atStart: readonly (keyof Dynamics)[] = ["gradientDecay"];

/** Measures a network as it trains, each time on a batch of its own. Training goes on as if nothing had been measured. */
export class DynamicsLog {
	readonly #net: Module;
	readonly #dataset: Dataset;
	readonly #options: DynamicsLogOptions;
	readonly #every: number;
	readonly #taken: Dynamics[] = [];

	constructor(net: Module, dataset: Dataset, options: DynamicsLogOptions) {
		this.#net = net;
		this.#dataset = dataset;
		this.#options = options;
		this.#every = Math.max(1, Math.round(options.stepsPerEpoch / perEpoch));
	}

	/** Measures, if step number `step` (0 before the first) is one to measure at. */
	measure(step: number): void {
		if (step % this.#every !== 0) return;
		const { seed, batchSize, lr, transform } = this.#options;
		const random = new Generator(seed).fork(`dynamics ${step}`);
		const size = Math.min(batchSize, this.#dataset.length);
		const rows = Int32Array.from({ length: size }, () => random.int(this.#dataset.length));
		const { mean, std } = transform ?? {};
		scope(() => {
			const { x, y } = this.#dataset.gather(rows, this.#dataset.imageShape ? { mean, std } : undefined);
			this.#taken.push(measureDynamics(this.#net, { x, y, lr }));
		});
	}

	/** The mean of each figure over the measurements at which it was finite; null if there is none. */
	means(): Record<string, number | null> {
		const names = this.#taken.length === 0 ? [] : (Object.keys(this.#taken[0]) as (keyof Dynamics)[]);
		return Object.fromEntries(
			names.map((name) => {
				const taken = atStart.includes(name) ? this.#taken.slice(0, 1) : this.#taken;
				const values = taken.map((dynamics) => dynamics[name]).filter(Number.isFinite);
				return [name, values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length];
			}),
		);
	}
}
