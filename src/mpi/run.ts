// A program that runs on every rank: started, watched and ended together.

import type { Communicator } from "../communicator/communicator.ts";
import { type MpiOptions, openWorld } from "./init.ts";
import { Watch } from "./watch/watch.ts";

/**
 * Runs `body` on every rank and sees to it that they end together. An error on one rank, also one that only happens there,
 * ends all: rank 0's promise is rejected with it, as `rank 2: …`, and when rank 0 exits with another code than 0 the
 * others are ended. So is a rank that is killed, stopped or cut off, which the others notice within 30 seconds
 * instead of waiting for it: they keep in touch with rank 0 over a TCP connection each, to a port that the system chooses.
 *
 *     await mpiRun(async (world) => {
 *       const trainer = new Trainer(net, { optimizer, loss: "crossEntropy", communicator: world });
 *       await trainer.fit(train, { epochs: 10, batchSize: 256 });
 *     });
 *
 * @param body its second argument says which ranks cannot be watched and why, "" if all are
 * @throws what `body` throws; EvenkeelError if MPI is not there (see {@link mpiWorld}), or a rank is lost
 */
export async function mpiRun<T>(
	body: (world: Communicator, notice: string) => Promise<T>,
	options: MpiOptions = {},
): Promise<T> {
	const world = await openWorld(options);
	if (world.size === 1) return body(world, "");
	const watch = await Watch.start(world);
	try {
		world.whileWaiting = watch.check;
		const result = await body(world, watch.notice);
		await watch.stop();
		return result;
	} catch (error) {
		await watch.fail(error);
		throw error;
	} finally {
		world.whileWaiting = null;
	}
}
