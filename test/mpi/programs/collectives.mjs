// Every collective, with every element type, on memory of both kinds.

import { mpiWorld } from "evenkeel/mpi";
import { report } from "./report.mjs";

/** @import { Communicator, ReduceOp, Reducible } from "evenkeel/mpi" */

const world = await mpiWorld();
const { rank, size } = world;

/** @param {Reducible} values @param {ReduceOp} [op] */
function reduced(values, op) {
	world.allreduce(values, op);
	return Array.from(values);
}

/** Several reductions under way at once, on the memory that WebAssembly's threads share. @param {Communicator} communicator */
function overlapped(communicator) {
	const { buffer } = new WebAssembly.Memory({ initial: 16, maximum: 16, shared: true });
	const buckets = [0, 1, 2, 3].map((i) => new Float32Array(buffer, 4096 + i * 262_144, 61_706 - i));
	const pending = buckets.map((bucket, i) => communicator.iallreduce(bucket.fill((rank + 1) * (i + 1))));
	let polls = 0;
	// The last is waited for, the others asked about.
	while (!pending.slice(0, 3).every((one) => one.test())) polls++;
	pending[3].wait();
	const ends = buckets.flatMap((bucket) => [bucket[0], bucket[bucket.length - 1]]);
	return { sums: ends, polls, again: pending.every((one) => one.test()) };
}

/** @param {() => void} call */
function refusal(call) {
	try {
		call();
	} catch (error) {
		return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
	}
	return "nothing was thrown";
}

/** What WebAssembly makes of an address out of bounds: `i32.load` at -4. V8 learns of it by a signal. */
function outOfBounds() {
	const code = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 5, 1, 1, 102, 0, 0];
	const body = [10, 9, 1, 7, 0, 65, 124, 40, 2, 0, 11];
	const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from([...code, ...body])));
	return refusal(/** @type {() => void} */ (exports.f));
}

const broadcast = Float64Array.of(rank, rank / 3);
world.broadcast(broadcast, size - 1);
const bytes = Uint8Array.of(rank === 0 ? 200 : 0, rank === 0 ? 7 : 0);
world.broadcast(bytes);
const lengths = world.allgatherv(Float32Array.from({ length: 2 * rank }, (_, i) => rank + i / 4));
const text = world.allgatherv(new TextEncoder().encode(`rank ${"#".repeat(rank)}`));
world.barrier();
const results = {
	rank,
	size,
	host: world.host,
	library: world.library,
	same: (await mpiWorld()) === world,
	sum: reduced(Float32Array.of(rank + 1, 0.5)),
	double: reduced(Float64Array.of(rank + 1, 1e-12)),
	integer: reduced(Int32Array.of(rank, -(2 ** 20) * (rank + 1))),
	min: reduced(Float32Array.of(rank, -rank), "min"),
	max: reduced(Int32Array.of(rank, -rank), "max"),
	// Small arrays lie in V8's own heap, where they might be moved.
	small: Array.from({ length: 2000 }, (_, i) => reduced(Float32Array.of(i + rank))[0]).reduce((a, b) => a + b, 0),
	none: reduced(new Float32Array(0)),
	overlapped: overlapped(world),
	gathered: Array.from(world.allgather(Int32Array.of(rank, 10 * rank))),
	lengths: lengths.map((own) => Array.from(own)),
	text: text.map((own) => new TextDecoder().decode(own)),
	broadcast: Array.from(broadcast),
	bytes: Array.from(bytes),
	outOfBounds: outOfBounds(),
	refused: [
		refusal(() => world.broadcast(broadcast, size)),
		refusal(() => world.allreduce(broadcast, /** @type {ReduceOp} */ (/** @type {string} */ ("mean")))),
		refusal(() => world.allgather(/** @type {never} */ (new Uint16Array(2)))),
	],
};
const open = world.iallreduce(Float32Array.of(1));
world.finalize();
world.finalize();
report(rank, { ...results, finished: open.test(), after: refusal(() => world.barrier()) });
