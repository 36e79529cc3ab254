// train --distributed: what the processes of a run settle among each other, beside what the trainer does.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { version } from "../../../package.json" with { type: "json" };
import { checkAgreement, fromFirst } from "../../communicator/agreement.ts";
import type { Communicator } from "../../communicator/communicator.ts";
import { mpiRun, threadsPerRank } from "../../mpi/index.ts";
import { decodeCheckpoint, readCheckpointBytes, type SavedCheckpoint } from "../../train/checkpoint.ts";
import type { Terminal } from "../ui/terminal.ts";
import type { TrainPlan } from "./plan.ts";

/** The processes of a run as the command sees them. */
export interface Ranks {
	readonly communicator: Communicator;
	/** On how many machines they are. */
	readonly machines: number;
	/** This rank's share of its machine's cores. */
	readonly threads: number;
	/** Something to say at the start, or "". */
	readonly notice: string;
}

/** Runs `body` on every rank. Rank 0 has the terminal; what others would print is not printed. */
export async function onRanks(
	terminal: Terminal,
	body: (ranks: Ranks, terminal: Terminal) => Promise<void>,
): Promise<void> {
	const communicator = await mpiRun(async (world, notice) => {
		const hosts = world.allgatherv(new TextEncoder().encode(world.host)).map((name) => new TextDecoder().decode(name));
		const ranks = { communicator: world, machines: new Set(hosts).size, threads: threadsPerRank(world), notice };
		const own = world.rank === 0 ? terminal : silent(terminal);
		await body(ranks, own);
		terminal.exitCode = own.exitCode;
		return world;
	});
	// Also with an exit code of a run that was stopped: the others have come as far.
	communicator.finalize();
}

/** Reads a checkpoint on rank 0, for every rank: the others' machines need not have it. */
export function checkpointOfFirst({ communicator }: Ranks): (dir: string) => SavedCheckpoint {
	return (dir) =>
		decodeCheckpoint(
			fromFirst(communicator, () => readCheckpointBytes(dir)),
			dir,
		);
}

/** Runs `load` on rank 0 before the others, so that what one of a machine has downloaded is there for all. */
export async function firstAlone<T>(ranks: Ranks | null, load: () => Promise<T>): Promise<T> {
	const { communicator } = ranks ?? {};
	if (communicator?.rank !== 0) communicator?.barrier();
	const loaded = await load();
	if (communicator?.rank === 0) communicator.barrier();
	return loaded;
}

/** Throws, on every rank, unless all run this program with this plan on this data. */
export function checkSamePlan({ communicator }: Ranks, plan: TrainPlan, dataHash: string | null): void {
	const { epochs, batchSize, seed, dropLast, step, settings, places } = plan;
	checkAgreement(communicator, {
		"the version of evenkeel": version,
		...settings,
		...places,
		...{ epochs, batchSize, seed, dropLast, step },
		"SHA-256 of the training data": dataHash,
		"SHA-256 of the preset's file": typeof places.file === "string" ? hashOfFile(places.file) : null,
	});
}

function hashOfFile(file: string): string {
	return createHash("sha256").update(readFileSync(file)).digest("hex");
}

function silent(terminal: Terminal): Terminal {
	const nowhere = { write: () => {}, isTTY: false };
	return { ...terminal, out: nowhere, err: nowhere };
}
