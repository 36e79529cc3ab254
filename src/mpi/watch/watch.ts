// Watching over the ranks: a collective waits for all of them, so when one has failed, died or been stopped the others
// must hear of it in another way, or they would wait without end. A thread of each rank keeps a connection to
// rank 0's (thread.mjs); this is its other end, on the thread that computes.

import { AgreementError } from "../../communicator/agreement.ts";
import type { Communicator } from "../../communicator/communicator.ts";
import { check, EvenkeelError } from "../../errors.ts";
import { needNodeModule } from "../../node.ts";

/** Something happened on a rank, this one or another, that ends the run. */
export class RankError extends EvenkeelError {
	override name = "RankError";
}

const TEXT_BYTES = 8192;
const QUIET = 0;
const SEEN = 2;

/** How long a rank waits for rank 0 to end the run after it has told it of its error, in milliseconds. */
const PATIENCE = 10_000;

interface Thread {
	postMessage(message: object): void;
	once(event: "message", listener: (message: ThreadMessage) => void): unknown;
	unref(): void;
	terminate(): unknown;
}

interface ThreadMessage {
	port?: number;
	connected?: boolean;
	failed?: string;
	ended?: boolean;
}

/** Where rank 0's thread listens. */
interface Meeting {
	port: number;
	addresses: string[];
	token: string;
	host: string;
}

export class Watch {
	/** Which ranks cannot be watched, in a sentence; "" if all are. */
	readonly notice: string;
	readonly #world: Communicator;
	readonly #thread: Thread;
	readonly #state: Int32Array;
	readonly #text: Uint8Array;

	private constructor(world: Communicator, thread: Thread, state: Int32Array, text: Uint8Array, notice: string) {
		this.#world = world;
		this.#thread = thread;
		this.#state = state;
		this.#text = text;
		this.notice = notice;
	}

	/** A collective: begins to watch. */
	static async start(world: Communicator): Promise<Watch> {
		const state = new Int32Array(new SharedArrayBuffer(8));
		const text = new Uint8Array(new SharedArrayBuffer(TEXT_BYTES));
		const name = `rank ${world.rank} (${world.host}, process ${process.pid})`;
		const shared = { rank: world.rank, name, state, text };
		const meeting: Meeting = { port: 0, addresses: addresses(), token: randomToken(), host: world.host };
		const listening = world.rank === 0 ? await begin({ ...shared, ...meeting }) : null;
		Object.assign(meeting, shareText(world, { ...meeting, port: listening?.message.port ?? 0 }));
		const near = meeting.host === world.host ? ["127.0.0.1", ...meeting.addresses] : meeting.addresses;
		const { thread, message } = listening ?? (await begin({ ...shared, ...meeting, addresses: near }));
		const outside = world.allgather(Int32Array.of(message.failed === undefined ? 0 : 1));
		const ranks = Array.from(outside.keys()).filter((rank) => outside[rank] !== 0);
		const notice =
			ranks.length === 0
				? ""
				: `rank ${ranks.join(", ")} could not be connected with rank 0, so that the launcher alone notices if ` +
					`${ranks.length === 1 ? "it dies" : "they die"}${message.failed === undefined ? "" : `: ${message.failed}`}`;
		return new Watch(world, thread, state, text, notice);
	}

	/** Throws if something has happened to a rank. For loops that wait for the others. */
	readonly check = (): void => {
		if (Atomics.load(this.#state, 0) === QUIET) return;
		Atomics.store(this.#state, 0, SEEN);
		const text = this.#text.slice(0, Atomics.load(this.#state, 1));
		throw new RankError(new TextDecoder().decode(text));
	};

	/**
	 * This rank cannot go on. Rank 0 is to say why and to end the run: on other ranks this returns only if it does not within
	 * ten seconds. Rank 0's returns at once.
	 */
	async fail(error: unknown): Promise<void> {
		const message = error instanceof Error ? error.message : String(error);
		const { rank } = this.#world;
		const told = error instanceof RankError;
		const anybodys = rank === 0 || error instanceof AgreementError;
		if (!told) this.#thread.postMessage({ failed: anybodys ? message : withRank(rank, message) });
		const firstIsGone = told && message.startsWith("rank 0 (");
		if (rank !== 0 && !firstIsGone) await new Promise((resolve) => setTimeout(resolve, PATIENCE));
	}

	/** A collective: ends the watch, when all have come so far. */
	async stop(): Promise<void> {
		this.#world.barrier();
		const ended = new Promise((resolve) => this.#thread.once("message", resolve));
		this.#thread.postMessage({ end: true });
		await ended;
		this.#thread.terminate();
	}
}

/** Starts the thread; resolves to its first message. */
async function begin(workerData: object): Promise<{ thread: Thread; message: ThreadMessage }> {
	const threads = globalThis.process?.getBuiltinModule?.("node:worker_threads");
	check(threads, "evenkeel/mpi: this needs Node, 20.16 or later");
	const thread = new threads.Worker(new URL("./thread.mjs", import.meta.url), { workerData, execArgv: [] });
	const message = await new Promise<ThreadMessage>((resolve, reject) => {
		thread.once("message", resolve);
		thread.once("error", reject);
	});
	thread.unref();
	return { thread, message };
}

/** Rank 0's `meeting`, on every rank. */
function shareText(world: Communicator, meeting: Meeting): Meeting {
	const all = world.allgatherv(new TextEncoder().encode(world.rank === 0 ? JSON.stringify(meeting) : ""));
	return JSON.parse(new TextDecoder().decode(all[0]));
}

/** This machine's addresses, those of the network first. */
function addresses(): string[] {
	const all = Object.values(needNodeModule("node:os", "evenkeel/mpi").networkInterfaces()).flat();
	return all.flatMap((entry) => (entry && !entry.internal && !entry.address.startsWith("fe80") ? [entry.address] : []));
}

function randomToken(): string {
	return needNodeModule("node:crypto", "evenkeel/mpi").randomUUID();
}

/** `message` with the rank it is of in front, unless it stands there already. */
export function withRank(rank: number, message: string): string {
	const name = `rank ${rank}: `;
	return message.startsWith(name) ? message : name + message;
}
