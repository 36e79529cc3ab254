// A run that is small enough for tests and has everything that makes resuming hard: batch normalization (buffers),
// dropout (random numbers while training), an optimizer with a memory, a schedule.

import { TensorDataset } from "../../src/data/dataset.ts";
import { Sequential } from "../../src/nn/containers.ts";
import { ReLU } from "../../src/nn/layers/activation.ts";
import { BatchNorm1d } from "../../src/nn/layers/batch-norm.ts";
import { Dropout } from "../../src/nn/layers/dropout.ts";
import { Linear } from "../../src/nn/layers/linear.ts";
import type { Module } from "../../src/nn/module.ts";
import { tensor } from "../../src/ops/creation.ts";
import { Adam } from "../../src/optim/adam.ts";
import { cosineAnnealingLR, type Schedule } from "../../src/optim/schedule.ts";
import { SGD } from "../../src/optim/sgd.ts";
import { Generator, manualSeed } from "../../src/random/generator.ts";
import { Trainer, type TrainerOptimizer } from "../../src/train/trainer.ts";

/** Points in four clusters, `[count, 6]`, and which one each is of. */
export function clusters(count: number, seed = 3): TensorDataset {
	const random = new Generator(seed);
	const labels = Int32Array.from({ length: count }, () => random.int(4));
	const centers = new Generator(1).fillNormal(new Float32Array(24), 0, 2);
	const points = Float32Array.from({ length: count * 6 }, (_, i) => {
		return centers[labels[Math.floor(i / 6)] * 6 + (i % 6)] + random.normal();
	});
	return new TensorDataset(tensor(points, [count, 6], { name: "points" }), tensor(labels));
}

export type Flavor = "momentum" | "adam";

export interface SmallRun {
	net: Module;
	optimizer: TrainerOptimizer;
	schedule: Schedule;
	trainer: Trainer;
}

/** The same run every time: network, optimizer, schedule and trainer from one seed. */
export function smallRun(flavor: Flavor = "momentum", { dropout = 0.2 } = {}): SmallRun {
	manualSeed(7);
	const net = new Sequential(
		new Linear(6, 16),
		new BatchNorm1d(16),
		new ReLU(),
		// A generator of its own, beside the default one.
		new Dropout(dropout, { generator: new Generator(11) }),
		new Linear(16, 8),
		new BatchNorm1d(8),
		new ReLU(),
		new Dropout(dropout),
		new Linear(8, 4),
	);
	const optimizer =
		flavor === "adam"
			? new Adam(net.namedParameters(), { lr: 0.01 })
			: new SGD(net.namedParameters(), { lr: 0.1, momentum: 0.9, weightDecay: 1e-3 });
	const schedule = cosineAnnealingLR(optimizer, { tMax: 60 });
	const trainer = new Trainer(net, { optimizer, schedule, loss: "crossEntropy", metrics: ["accuracy"] });
	return { net, optimizer, schedule, trainer };
}
