// One rank of a training. Its argument is JSON: what to build and how to train. Each rank writes a file into the folder of
// its second argument (lines this long would be cut by the launcher): the hashes of its parameters and, before
// the last evaluation, of its buffers, the losses it was told of, one a step, and all values.

import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { data, Generator, init, manualSeed, nn, optim, singleProcess, Trainer, tensor } from "../../../dist/index.mjs";
import { mpiRun } from "../../../dist/mpi/index.mjs";

/**
 * @type {{ rows: number, batchSize: number, epochs: number, steps?: number, sync?: boolean, bucketBytes?: number,
 *   accumulate?: { steps: number }, alone?: boolean, dropout?: number, out?: string, resume?: string, stopAfter?: number, unlike?: number,
 *   validation?: boolean, norm?: string }}
 */
const plan = JSON.parse(process.argv[2]);

/** Images of two shapes of noise, and which one each is of. */
function examples(/** @type {number} */ rows, seed = 5) {
	const random = new Generator(seed);
	const labels = Int32Array.from({ length: rows }, () => random.int(3));
	const pixels = Float32Array.from({ length: rows * 64 }, (_, i) => {
		const label = labels[Math.floor(i / 64)];
		return random.normal(((i % 8) - 3.5) * (label - 1), 1);
	});
	return new data.TensorDataset(tensor(pixels, [rows, 1, 8, 8]), tensor(labels));
}

function build() {
	const norm = (/** @type {number} */ channels) =>
		plan.norm === "group" ? new nn.GroupNorm(2, channels) : new nn.BatchNorm2d(channels);
	return new nn.Sequential(
		...[new nn.Conv2d(1, 6, 3, { padding: 1 }), norm(6), new nn.ReLU(), new nn.MaxPool2d(2)],
		...[new nn.Conv2d(6, 8, 3), norm(8), new nn.Sigmoid(), new nn.AvgPool2d(2), new nn.Flatten()],
		...(plan.dropout ? [new nn.Dropout(plan.dropout)] : []),
		...[new nn.Linear(8, 3)],
	);
}

const hash = (/** @type {Iterable<import("../../../dist/index.mjs").Tensor>} */ tensors) => {
	const sum = createHash("sha256");
	for (const one of tensors) sum.update(new Uint8Array(one.dataSync().buffer));
	return sum.digest("hex");
};

const train = async (/** @type {import("../../../dist/index.mjs").Communicator} */ world) => {
	await init({ threads: 1 });
	manualSeed(plan.unlike === world.rank ? 8 : 7);
	const built = build();
	const net = plan.sync && world.size > 1 ? nn.convertSyncBatchNorm(built, world) : built;
	const optimizer = new optim.SGD(net.namedParameters(), { lr: 0.1, momentum: 0.9 });
	const { bucketBytes, accumulate } = plan;
	const trainer = new Trainer(net, {
		...{ optimizer, bucketBytes, accumulate, communicator: world },
		...{ loss: "crossEntropy", metrics: ["accuracy"] },
	});
	const controller = new AbortController();
	/** @type {number[]} */
	const losses = [];
	let buffers = "";
	const history = await trainer.fit(examples(plan.rows), {
		...{ epochs: plan.epochs, batchSize: plan.batchSize, seed: 1, signal: controller.signal },
		...(plan.validation ? { validation: examples(50, 6) } : {}),
		...(plan.out ? { checkpoint: { dir: plan.out } } : {}),
		...(plan.resume ? { resume: plan.resume } : {}),
		onStep({ batchLoss, step }) {
			losses.push(batchLoss);
			buffers = hash([...net.namedBuffers()].map(([, buffer]) => buffer));
			// Any rank may be the one that is told.
			if (step === plan.stopAfter && world.rank === world.size - 1) controller.abort();
		},
	});
	const values = Object.values(net.stateDict()).flatMap((one) => [...one.dataSync()]);
	const parameters = hash(net.parameters());
	const report = { rank: world.rank, parameters, buffers, losses, history, values };
	writeFileSync(join(process.argv[3], `rank-${world.rank}.json`), JSON.stringify(report));
};

if (plan.alone) await train(singleProcess());
else await mpiRun(train);
