// The page's end of the engine: starts the worker when it is first needed, sends commands, passes reports on, at most some 17 times a second.

import type { Settings } from "../settings/settings.ts";
import type { ArgsOf, DataOf, ParamsOf, Queries, ResultOf, Topics } from "./extensions.ts";
import type { Command, EngineInfo, OwnData, PerSide, Report, RunInfo, Snapshot, TopicData } from "./protocol.ts";

/** What a topic gave, of both twins at one step. */
export interface TopicUpdate<Data> extends Omit<TopicData, "sides"> {
	readonly sides: PerSide<Data>;
}

/** What the page wants to hear of. */
export interface Listeners {
	opened(engine: EngineInfo): void;
	loading(received: number, total: number): void;
	configured(run: RunInfo): void;
	/** At most every other frame. */
	snapshot(snapshot: Snapshot): void;
	failed(message: string): void;
}

interface Pending {
	resolve(value: unknown): void;
	reject(error: Error): void;
}

/**
 * From one drawing to when the next may come. New numbers some 17 times a second look as if they were flowing, and leave
 * three frames of four to the pointer and to scrolling, and the cores to training.
 */
const BETWEEN_MILLISECONDS = 45;
/** How long a page that is not shown waits between looks. */
const HIDDEN_MILLISECONDS = 1000;

export class EngineClient {
	readonly #listeners: Listeners;
	readonly #worker: Worker;
	readonly #port: MessagePort;
	readonly #topics = new Map<number, (data: TopicData) => void>();
	readonly #questions = new Map<number, Pending>();
	#ids = 0;

	/** Starts the worker. `threads`: how many share the work, itself included. */
	constructor(listeners: Listeners, threads: number | "auto") {
		this.#listeners = listeners;
		const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "evenkeel engine" });
		this.#worker = worker;
		worker.addEventListener("error", (event) => {
			listeners.failed(event.message || "the engine did not load");
		});
		const { port1, port2 } = new MessageChannel();
		this.#port = port1;
		port1.onmessage = ({ data }: MessageEvent<Report>) => this.#hear(data);
		worker.postMessage(null, [port2]);
		this.#tell({ type: "open", dataUrl: new URL("data/", document.baseURI).href, threads });
	}

	/** Ends the worker; nothing more is heard of it. */
	close(): void {
		this.#port.onmessage = null;
		this.#port.close();
		this.#worker.terminate();
		for (const { reject } of this.#questions.values()) reject(new Error("the engine did not load"));
		this.#questions.clear();
	}

	/** New settings: loads what is needed and stands at step 0. `own` brings examples. */
	configure(settings: Settings, own?: OwnData): void {
		this.#tell({ type: "configure", settings, own });
	}

	start(): void {
		this.#tell({ type: "start" });
	}

	pause(): void {
		this.#tell({ type: "pause" });
	}

	/** So many steps, then pause. */
	step(count = 1): void {
		this.#tell({ type: "step", count });
	}

	/** Back to step 0. */
	reset(): void {
		this.#tell({ type: "reset" });
	}

	/**
	 * Hears of a topic, at most `perSecond` times a second, until the function that is returned is called. Subscribe while
	 * there is something to show only: each topic costs time.
	 */
	subscribe<Name extends keyof Topics>(
		name: Name,
		params: ParamsOf<Name>,
		perSecond: number,
		listener: (update: TopicUpdate<DataOf<Name>>) => void,
	): () => void {
		const id = ++this.#ids;
		this.#topics.set(id, (data) => listener(data as TopicUpdate<DataOf<Name>>));
		this.#tell({ type: "subscribe", id, topic: name, params, perSecond });
		return () => {
			this.#topics.delete(id);
			this.#tell({ type: "unsubscribe", id });
		};
	}

	/** Asks once; rejects with the engine's message if it cannot answer. */
	ask<Name extends keyof Queries & string>(name: Name, args: ArgsOf<Name>): Promise<ResultOf<Name>> {
		const id = ++this.#ids;
		return new Promise((resolve, reject) => {
			this.#questions.set(id, { resolve: (value) => resolve(value as ResultOf<Name>), reject });
			this.#tell({ type: "ask", id, query: name, args });
		});
	}

	#tell(command: Command): void {
		this.#port.postMessage(command);
	}

	#hear(report: Report): void {
		switch (report.type) {
			case "opened":
				this.#listeners.opened(report.engine);
				break;
			case "loading":
				this.#listeners.loading(report.received, report.total);
				break;
			case "configured":
				this.#listeners.configured(report.run);
				break;
			case "snapshot":
				whenDrawing(() => this.#show(report.snapshot));
				break;
			case "failed":
				this.#listeners.failed(report.message);
				break;
			case "answer":
				this.#questions.get(report.id)?.resolve(report.value);
				this.#questions.delete(report.id);
				break;
			case "refused":
				this.#questions.get(report.id)?.reject(new Error(report.message));
				this.#questions.delete(report.id);
		}
	}

	#show(snapshot: Snapshot): void {
		this.#listeners.snapshot(snapshot);
		for (const { id, data } of snapshot.topics) this.#topics.get(id)?.(data);
		// By a timer, so that nothing is drawn in the frames between.
		setTimeout(() => this.#tell({ type: "painted" }), BETWEEN_MILLISECONDS);
	}
}

/** With the next frame; a page in the background has no frames, and looks once in a while. */
function whenDrawing(draw: () => void): void {
	if (document.hidden) setTimeout(draw, HIDDEN_MILLISECONDS);
	else requestAnimationFrame(draw);
}
