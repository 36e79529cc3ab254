// How many threads a rank has to itself.

import type { Communicator } from "../communicator/communicator.ts";
import { nodeModule } from "../node.ts";

/**
 * A collective: this rank's fair share of its machine's processor cores, at least 1. A core that the launcher lets
 * several ranks use is divided between them, one that is this rank's alone counts whole, so it is right with
 * and without binding (`mpirun --bind-to`). Where a process cannot tell its cores (outside Linux), all
 * ranks of a machine share all of its cores.
 */
export function threadsPerRank(world: Communicator): number {
	const cores = ownCores();
	const all = world.allgatherv(new TextEncoder().encode(JSON.stringify({ host: world.host, cores })));
	const ranks = all.map((bytes): { host: string; cores: number[] } => JSON.parse(new TextDecoder().decode(bytes)));
	return shareOfCores(ranks, world.rank);
}

/** The share of rank `rank` where each rank may use the cores listed. */
export function shareOfCores(ranks: readonly { host: string; cores: readonly number[] }[], rank: number): number {
	const near = ranks.filter(({ host }) => host === ranks[rank].host);
	const users = (core: number) => near.filter(({ cores }) => cores.includes(core)).length;
	const share = ranks[rank].cores.reduce((sum, core) => sum + 1 / users(core), 0);
	// Thirds do not add up to wholes.
	return Math.max(1, Math.floor(share + 1e-9));
}

/** The numbers of the cores that this process may run on. */
function ownCores(): number[] {
	const count = nodeModule("node:os")?.availableParallelism() ?? 1;
	const allowed = /^Cpus_allowed_list:\s*(\S+)/m.exec(status())?.[1];
	return allowed === undefined ? Array.from({ length: count }, (_, i) => i) : parseCores(allowed);
}

function status(): string {
	try {
		return nodeModule("node:fs")?.readFileSync("/proc/self/status", "utf8") ?? "";
	} catch {
		return "";
	}
}

/** `0-2,5` is 0, 1, 2, 5. */
export function parseCores(list: string): number[] {
	return list.split(",").flatMap((run) => {
		const [first, last = first] = run.split("-").map(Number);
		return Array.from({ length: last - first + 1 }, (_, i) => first + i);
	});
}
