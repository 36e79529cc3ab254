// What ends a run: `throw`, an error on rank 1; `abort`, by its own hand; `exit`, an exit code; `kill`, a
// signal. The other ranks are waiting.

import { mpiWorld } from "evenkeel/mpi";
import { report } from "./report.mjs";

const world = await mpiWorld();
const how = process.argv[2];
if (world.rank === 1) {
	report(1, Date.now());
	if (how === "throw") throw new Error("the disk is full");
	if (how === "exit") process.exit(3);
	if (how === "abort") {
		process.stderr.write("rank 1 gives up\n");
		world.abort(5);
	}
	if (how === "kill") process.kill(process.pid, "SIGKILL");
}
world.barrier();
