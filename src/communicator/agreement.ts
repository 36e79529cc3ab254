// Ranks that train one network must have been started alike. What must agree is compared once, before training: a hash
// of all of it, and where that differs, every part, so that the error names what differs and who has what.

import { EvenkeelError } from "../errors.ts";
import { needNodeModule } from "../node.ts";
import type { Communicator } from "./communicator.ts";

/** What every rank finds out at once, in the same words: it is told without saying which rank did. */
export class AgreementError extends EvenkeelError {}

/** What must be the same on all ranks, by the names that errors use. */
export type Facts = Readonly<Record<string, string | number | boolean | null>>;

/**
 * A collective: throws on every rank, the same, unless all of them bring the same facts.
 *
 * @throws AgreementError naming each fact that differs, its values, and the ranks that have them
 */
export function checkAgreement(communicator: Communicator, facts: Facts): void {
	if (communicator.size === 1) return;
	const text = JSON.stringify(facts);
	if (ranksUnlikeFirst(communicator, sha256(new TextEncoder().encode(text))).length === 0) return;
	const all = communicator.allgatherv(new TextEncoder().encode(text)).map((bytes): Facts => {
		return JSON.parse(new TextDecoder().decode(bytes));
	});
	const names = [...new Set(all.flatMap(Object.keys))];
	const differences = names.flatMap((name) => differenceIn(name, all));
	throw new AgreementError(
		`the ranks were not started alike: ${differences.join("; ")}. Start all of them with the same program, options and data`,
	);
}

/** A collective: the ranks whose bytes are not those of rank 0, equally many on each. */
export function ranksUnlikeFirst(communicator: Communicator, bytes: Uint8Array): number[] {
	const all = communicator.allgather(bytes);
	const of = (rank: number) => all.subarray(rank * bytes.length, (rank + 1) * bytes.length);
	return range(communicator.size).filter((rank) => of(rank).some((byte, i) => byte !== all[i]));
}

/** A collective: what `read` returns on rank 0, on every rank. It is called on rank 0 only. */
export function fromFirst(communicator: Communicator, read: () => Uint8Array): Uint8Array {
	const own = communicator.rank === 0 ? read() : new Uint8Array(0);
	const length = Float64Array.of(own.length);
	communicator.broadcast(length);
	const bytes = communicator.rank === 0 ? own : new Uint8Array(length[0]);
	communicator.broadcast(bytes);
	return bytes;
}

/** The bytes' SHA-256. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
	const hash = needNodeModule("node:crypto", "training on several ranks").createHash("sha256");
	for (const part of parts) hash.update(part);
	return new Uint8Array(hash.digest());
}

/** `rank 2`, `ranks 0 to 3 and 5`. */
export function rankList(ranks: readonly number[]): string {
	const runs: [first: number, last: number][] = [];
	for (const rank of ranks) {
		const run = runs.at(-1);
		if (run && run[1] === rank - 1) run[1] = rank;
		else runs.push([rank, rank]);
	}
	const parts = runs.flatMap(([first, last]) => {
		return last - first > 1 ? [`${first} to ${last}`] : first === last ? [`${first}`] : [`${first}`, `${last}`];
	});
	const text = parts.length > 1 ? `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}` : parts.join();
	return `${ranks.length === 1 ? "rank" : "ranks"} ${text}`;
}

function differenceIn(name: string, all: readonly Facts[]): string[] {
	const holders = new Map<string, number[]>();
	all.forEach((facts, rank) => {
		const value = name in facts ? JSON.stringify(facts[name]) : "absent";
		holders.set(value, [...(holders.get(value) ?? []), rank]);
	});
	if (holders.size === 1) return [];
	return [`${name} is ${[...holders].map(([value, ranks]) => `${value} on ${rankList(ranks)}`).join(" and ")}`];
}

function range(count: number): number[] {
	return Array.from({ length: count }, (_, i) => i);
}
