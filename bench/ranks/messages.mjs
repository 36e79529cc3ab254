// One rank of `mpirun node messages.mjs SECONDS`: how long collectives take, by their size. Rank 0 prints one JSON line.

import { mpiRun } from "evenkeel/mpi";
import { median } from "../peer.mjs";

const seconds = Number(process.argv[2] ?? 0.2);
/** Floats: from a number to the gradients of a million parameters. */
const sizes = [1, 64, 1024, 16384, 65536, 262144, 1048576];
/** What a layer of 16 and of 64 channels with statistics over all ranks gathers (float64: mean, sum of squares, count). */
const gathers = [33, 129];

await mpiRun(async (world) => {
	/** Microseconds of one call, the median of twenty groups. @param {() => void} call */
	const time = (call) => {
		for (let i = 0; i < 3; i++) call();
		const begun = performance.now();
		for (let i = 0; i < 3; i++) call();
		// All ranks must make equally many calls.
		const guess = Float64Array.of((performance.now() - begun) / 3);
		world.broadcast(guess);
		const calls = Math.max(1, Math.floor((seconds * 1000) / 20 / guess[0]));
		const groups = Array.from({ length: 20 }, () => {
			world.barrier();
			const start = performance.now();
			for (let i = 0; i < calls; i++) call();
			return ((performance.now() - start) / calls) * 1000;
		});
		return median(groups);
	};
	const allreduce = sizes.map((size) => {
		const values = new Float32Array(size);
		return { bytes: 4 * size, microseconds: time(() => world.allreduce(values)) };
	});
	const allgather = gathers.map((size) => {
		const values = new Float64Array(size);
		return { bytes: 8 * size, microseconds: time(() => void world.allgather(values)) };
	});
	if (world.rank === 0) process.stdout.write(`${JSON.stringify({ ranks: world.size, allreduce, allgather })}\n`);
});
