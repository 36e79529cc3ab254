// The processes that run cells: started together, each given a cell whenever it has none. A process that dies takes its
// own cell with it and nothing else.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { CellOptions } from "../../compare/options.ts";
import type { CellResult, DataFacts } from "../../compare/result.ts";
import { EvenkeelError } from "../../errors.ts";
import type { FromProcess, StartMessage, ToProcess } from "./messages.ts";

/** A cell to run. */
export interface Job {
	readonly key: string;
	readonly options: CellOptions;
}

/** Called as cells start and end. */
export interface PoolEvents {
	onDone(job: Job, result: CellResult, seconds: number): void;
}

/** The file beside this one: source or built. */
const program = fileURLToPath(new URL(`./cell-process${extname(import.meta.url)}`, import.meta.url));

/** A few processes that run cells. */
export class CellPool {
	readonly #children: ChildProcess[] = [];
	readonly #start: StartMessage;

	/** Nothing is started before {@link open}. */
	constructor(start: Omit<StartMessage, "type">) {
		this.#start = { type: "start", ...start };
	}

	/** Starts one process more and resolves to the data it has loaded. */
	async open(): Promise<DataFacts> {
		const child = fork(program, [], { stdio: ["ignore", "ignore", "inherit", "ipc"], serialization: "json" });
		this.#children.push(child);
		send(child, this.#start);
		const answer = await nextMessage(child);
		if (answer.type === "failed") throw new EvenkeelError(answer.message);
		if (answer.type !== "ready") throw new EvenkeelError(`compare: a process answered "${answer.type}" to its start`);
		return answer.data;
	}

	/**
	 * Runs the jobs in order, on every process that is open. Rejects with the first error; cells under way elsewhere are
	 * then lost.
	 */
	async run(jobs: readonly Job[], events: PoolEvents, signal: AbortSignal): Promise<void> {
		const queue = [...jobs];
		const serve = async (child: ChildProcess): Promise<void> => {
			for (let job = queue.shift(); job && !signal.aborted; job = queue.shift()) {
				send(child, { type: "cell", ...job });
				const answer = await nextMessage(child, signal);
				if (answer === "aborted") return;
				if (answer.type === "failed") throw failure(job, answer.message, answer.known);
				if (answer.type === "done") events.onDone(job, answer.result, answer.seconds);
			}
		};
		await Promise.all(this.#children.map(serve));
	}

	/** Ends every process at once. */
	close(): void {
		for (const child of this.#children) child.kill("SIGKILL");
	}
}

function send(child: ChildProcess, message: ToProcess): void {
	if (child.connected) child.send(message);
}

async function nextMessage(child: ChildProcess): Promise<FromProcess>;
async function nextMessage(child: ChildProcess, signal: AbortSignal): Promise<FromProcess | "aborted">;
async function nextMessage(child: ChildProcess, signal?: AbortSignal): Promise<FromProcess | "aborted"> {
	const waiting = new AbortController();
	const stop = (): void => waiting.abort();
	signal?.addEventListener("abort", stop, { once: true });
	try {
		if (signal?.aborted) return "aborted";
		const options = { signal: waiting.signal };
		const message = once(child, "message", options).then(([value]): FromProcess => value);
		const exit = once(child, "exit", options).then(([code, by]) => {
			throw new EvenkeelError(
				`compare: a process that ran a cell ended (${by ?? `exit code ${code}`}); what was finished is kept, ` +
					"so run the same command again, with fewer --jobs if memory ran out",
			);
		});
		return await Promise.race([message, exit]);
	} catch (error) {
		if (signal?.aborted) return "aborted";
		throw error;
	} finally {
		signal?.removeEventListener("abort", stop);
		waiting.abort();
	}
}

function failure({ options }: Job, message: string, known: boolean): Error {
	const text = `the run ${JSON.stringify(options)} failed: ${message}`;
	return known ? new EvenkeelError(text) : new Error(text);
}
