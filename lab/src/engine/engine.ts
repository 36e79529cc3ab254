// The engine: carries out the page's commands. Trains in turns of a few milliseconds, between which it listens; tells the
// page only when the page has drawn what it was told before.

import { EvenkeelError, init } from "evenkeel";
import type { Settings } from "../settings/settings.ts";
import { type Examples, loadExamples } from "./data/examples.ts";
import { queries, topics } from "./extensions.ts";
import { Journal, Speedometer } from "./journal.ts";
import type { Command, OwnData, Report } from "./protocol.ts";
import { Session } from "./session.ts";
import { Subscriptions } from "./subscriptions.ts";
import type { Query } from "./topic.ts";
import { transferables } from "./transfer.ts";

/** How long it trains before it listens. */
const TURN_MILLISECONDS = 8;
/** The test set takes at most one part in so many of the time. */
const TEST_SHARE = 8;

/** Sends a report to the page. */
export type Send = (report: Report, transfer: Transferable[]) => void;

export class Engine {
	readonly #send: Send;
	readonly #nextTask: () => Promise<void>;
	#dataUrl = "";
	#session: Session | null = null;
	#examples: { key: string; examples: Examples } | null = null;
	#generation = 0;
	#journal = new Journal();
	#speedometer = new Speedometer();
	readonly #subscriptions = new Subscriptions(topics);
	#running = false;
	/** How often it was told to stop what it does. */
	#halts = 0;
	/** Steps until it pauses. */
	#left = Number.POSITIVE_INFINITY;
	#isPainted = true;
	#lastStep = 0;
	#testAfter = 0;
	/** What must be finished before the next thing begins: commands that take time follow one another. */
	#queue: Promise<void> = Promise.resolve();
	#loop: Promise<void> = Promise.resolve();
	#own: OwnData | undefined;

	/** `nextTask` resolves after the messages that have arrived. */
	constructor(send: Send, nextTask: () => Promise<void> = afterMessages) {
		this.#send = send;
		this.#nextTask = nextTask;
	}

	/** Carries out a command. */
	receive(command: Command): void {
		switch (command.type) {
			case "open":
				this.#enqueue(() => this.#open(command));
				break;
			case "configure":
				this.#halt();
				this.#enqueue(() => this.#configure(command.settings, command.own));
				break;
			case "reset":
				this.#halt();
				this.#enqueue(async () => this.#restart());
				break;
			case "start":
				this.#startInTurn(Number.POSITIVE_INFINITY);
				break;
			case "step":
				this.#startInTurn(command.count);
				break;
			case "pause":
				this.#halt();
				break;
			case "painted":
				this.#isPainted = true;
				this.#flush();
				break;
			case "subscribe":
				this.#subscriptions.add(command);
				if (!this.#running) this.#collectAtRest(true);
				this.#flush();
				break;
			case "unsubscribe":
				this.#subscriptions.remove(command.id);
				break;
			case "ask":
				this.#enqueue(() => this.#answer(command.id, command.query, command.args));
				break;
		}
	}

	/** Runs `work` when everything asked for before is done. */
	#enqueue(work: () => Promise<void>): void {
		this.#queue = this.#queue.then(work).catch((error) => {
			this.#running = false;
			this.#post({ type: "failed", message: messageOf(error) });
		});
	}

	/** Ends a run under way, and those that were asked for before now and have not begun. */
	#halt(): void {
		this.#running = false;
		this.#halts++;
	}

	#startInTurn(count: number): void {
		const halts = this.#halts;
		this.#enqueue(async () => {
			if (halts === this.#halts) this.#start(count);
		});
	}

	#post(report: Report): void {
		this.#send(report, transferables(report));
	}

	async #open({ dataUrl, threads }: Extract<Command, { type: "open" }>): Promise<void> {
		this.#dataUrl = dataUrl;
		const backend = await init({ threads });
		const build = "build" in backend ? String(backend.build) : backend.name;
		this.#post({ type: "opened", engine: { threads: backend.threads, build, notice: backend.notice ?? "" } });
	}

	async #configure(settings: Settings, own: OwnData | undefined): Promise<void> {
		await this.#loop;
		this.#own = own ?? this.#own;
		const key = JSON.stringify([settings.data, needsSeed(settings) ? settings.seed : null]);
		if (own || this.#examples?.key !== key) {
			this.#session?.dispose();
			this.#session = null;
			this.#examples?.examples.dispose();
			this.#examples = null;
			const examples = await loadExamples(settings.data, settings.seed, {
				dataUrl: this.#dataUrl,
				own: this.#own,
				progress: (received, total) => this.#post({ type: "loading", received, total }),
			});
			this.#examples = { key, examples };
		}
		this.#begin(settings);
	}

	async #restart(): Promise<void> {
		await this.#loop;
		if (this.#session) this.#begin(this.#session.settings);
	}

	/** A new session on the examples that are loaded. */
	#begin(settings: Settings): void {
		if (!this.#examples) return;
		this.#session?.dispose();
		this.#session = null;
		this.#session = new Session(settings, this.#examples.examples, ++this.#generation);
		this.#journal = new Journal();
		this.#speedometer = new Speedometer();
		this.#testAfter = 0;
		// A copy: what is posted is handed over, and the examples are to serve the next run as well.
		this.#post({ type: "configured", run: structuredClone(this.#session.info) });
		this.#collectAtRest(true);
		this.#flush();
	}

	#start(count: number): void {
		if (!this.#session) return;
		this.#left = count;
		if (this.#running) return;
		this.#running = true;
		const before = this.#loop;
		this.#loop = before
			.then(() => this.#run())
			.catch((error) => {
				this.#running = false;
				this.#post({ type: "failed", message: messageOf(error) });
			});
	}

	async #run(): Promise<void> {
		const session = this.#session;
		if (!session) return;
		const { steps } = session.settings;
		this.#lastStep = performance.now();
		let turn = performance.now();
		while (this.#running && this.#session === session) {
			if (session.isOver || this.#left <= 0) break;
			this.#advance(session);
			this.#left--;
			if (steps > 0 && session.step === steps) this.#left = 0;
			const isLast = steps > 0 && session.step === steps;
			if (isLast || (session.endedEpoch && performance.now() >= this.#testAfter)) await this.#test(session);
			if (performance.now() - turn < TURN_MILLISECONDS) continue;
			this.#collectAtRest(false);
			this.#flush();
			await this.#nextTask();
			turn = performance.now();
		}
		this.#running = false;
		this.#journal.isDirty = true;
		this.#collectAtRest(true);
		this.#flush();
	}

	#advance(session: Session): void {
		// A single step is taken to be looked at: everything is collected then.
		const observer = this.#subscriptions.observer(this.#left === 1, this.#isPending);
		const results = session.advance(observer ?? undefined);
		if (observer) {
			for (const { id, sides } of observer.collected()) {
				this.#journal.topic(id, { generation: this.#generation, step: session.step, sides });
			}
		}
		this.#journal.step(session.step, results);
		const now = performance.now();
		this.#speedometer.add(results, session.batchSizes, (now - this.#lastStep) / 1000);
		this.#lastStep = now;
	}

	async #test(session: Session): Promise<void> {
		const started = performance.now();
		const { step } = session;
		const parts = session.test();
		for (;;) {
			const { done, value } = parts.next();
			if (done) {
				this.#journal.test({ step, ...value });
				break;
			}
			await this.#nextTask();
			if (this.#session !== session) return;
		}
		const ended = performance.now();
		this.#testAfter = ended + (TEST_SHARE - 1) * (ended - started);
		// The test's time is not the training's.
		this.#lastStep += ended - started;
	}

	/** Whether the page has still to be told what a topic gave before: it is not collected again meanwhile. */
	readonly #isPending = (id: number): boolean => this.#journal.holds(id);

	#collectAtRest(force: boolean): void {
		const session = this.#session;
		if (!session) return;
		for (const { id, sides } of this.#subscriptions.collectAtRest(session, force, this.#isPending)) {
			this.#journal.topic(id, { generation: this.#generation, step: session.step, sides });
		}
	}

	/** Tells the page what is new, if it is ready to hear. */
	#flush(): void {
		const session = this.#session;
		if (!session || !this.#isPainted || !this.#journal.isDirty) return;
		this.#isPainted = false;
		this.#post({
			type: "snapshot",
			snapshot: {
				generation: this.#generation,
				step: session.step,
				epoch: session.epoch,
				running: this.#running,
				stopped: session.stopped,
				speed: this.#speedometer.speed,
				...this.#journal.take(),
			},
		});
	}

	async #answer(id: number, name: string, args: unknown): Promise<void> {
		try {
			const query = (queries as Record<string, Query<unknown, unknown>>)[name];
			if (!query) throw new EvenkeelError(`there is no query "${name}"; register it in engine/extensions.ts`);
			if (!this.#session) throw new EvenkeelError("there is no network yet: choose settings first");
			this.#post({ type: "answer", id, value: await query.answer(this.#session, args) });
		} catch (error) {
			this.#post({ type: "refused", id, message: messageOf(error) });
		}
	}
}

function needsSeed({ data }: Settings): boolean {
	return data.kind !== "fashion" && data.kind !== "fashion-full";
}

function messageOf(error: unknown): string {
	if (error instanceof EvenkeelError) return error.message;
	return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

const channel = new MessageChannel();
const waiting: (() => void)[] = [];
channel.port1.onmessage = () => waiting.shift()?.();

/** By a message to itself; a timer would wait four milliseconds. */
function afterMessages(): Promise<void> {
	return new Promise((resolve) => {
		waiting.push(resolve);
		channel.port2.postMessage(null);
	});
}
