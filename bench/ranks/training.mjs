// One rank of `mpirun node training.mjs PRESET BATCH SECONDS [sync]`: training through the Trainer, one thread a rank, on noise
// of Fashion-MNIST's shape. BATCH is that of all ranks together. Rank 0 prints one JSON line: examples a second, and what
// the ranks said to each other in a step.

import { convertSyncBatchNorm, data, Generator, init, manualSeed, presetNamed, Trainer, tensor } from "evenkeel";
import { mpiRun } from "evenkeel/mpi";
import { median } from "../peer.mjs";

const [name, batch, seconds, sync] = process.argv.slice(2);
const batchSize = Number(batch);
const WARM_UP = 8;
const ROWS = 8192;

/**
 * A communicator that counts what passes through it.
 *
 * @param {import("evenkeel").Communicator} world
 */
function counting(world) {
	/** @type {Record<string, { calls: number, bytes: number }>} */
	const counts = {};
	const count = (/** @type {string} */ call, /** @type {import("evenkeel").Sendable} */ values) => {
		counts[call] ??= { calls: 0, bytes: 0 };
		counts[call].calls++;
		counts[call].bytes += values.byteLength;
	};
	/** @type {import("evenkeel").Communicator} */
	const communicator = {
		...{ rank: world.rank, size: world.size, host: world.host, library: world.library },
		allreduce(values, op) {
			count("allreduce", values);
			world.allreduce(values, op);
		},
		iallreduce(values, op) {
			count("iallreduce", values);
			return world.iallreduce(values, op);
		},
		allgather(values) {
			count("allgather", values);
			return world.allgather(values);
		},
		allgatherv(values) {
			count("allgatherv", values);
			return world.allgatherv(values);
		},
		broadcast: (values, root) => world.broadcast(values, root),
		barrier: () => world.barrier(),
		abort: (code) => world.abort(code),
		finalize: () => world.finalize(),
	};
	return { communicator, counts };
}

await mpiRun(async (world) => {
	await init({ threads: 1 });
	manualSeed(0);
	const { communicator, counts } = counting(world);
	const preset = presetNamed(name);
	const net = preset.build({ norm: "batch" });
	if (sync) convertSyncBatchNorm(net, communicator);
	const random = new Generator(1);
	const images = tensor(Uint8Array.from({ length: ROWS * 784 }, () => random.int(256)), [ROWS, 1, 28, 28]);
	const labels = tensor(Int32Array.from({ length: ROWS }, () => random.int(10)));
	const optimizer = preset.optimizer(net, 0.01);
	const trainer = new Trainer(net, { optimizer, loss: "crossEntropy", metrics: ["accuracy"], communicator });
	/** @type {number[]} */
	const times = [];
	const controller = new AbortController();
	let last = performance.now();
	let until = Infinity;
	let before = "";
	await trainer.fit(new data.TensorDataset(images, labels), {
		...{ epochs: 1000, batchSize, dropLast: true, transform: preset.transform, signal: controller.signal },
		onStep({ step }) {
			const now = performance.now();
			if (step === WARM_UP) {
				before = JSON.stringify(counts);
				until = now + 1000 * Number(seconds);
			}
			if (step > WARM_UP) times.push(now - last);
			if (now > until && world.rank === 0) controller.abort();
			last = now;
		},
	});
	const start = JSON.parse(before);
	const perStep = Object.fromEntries(
		Object.entries(counts).map(([call, { calls, bytes }]) => {
			const { calls: callsBefore, bytes: bytesBefore } = start[call] ?? { calls: 0, bytes: 0 };
			return [call, { calls: (calls - callsBefore) / times.length, bytes: (bytes - bytesBefore) / times.length }];
		}),
	);
	const milliseconds = median(times);
	const report = { ranks: world.size, preset: name, batchSize, sync: Boolean(sync), milliseconds, perStep };
	if (world.rank === 0) {
		process.stdout.write(`${JSON.stringify({ ...report, examplesPerSecond: (1000 * batchSize) / milliseconds })}\n`);
	}
});
