// Which topics are due, and collecting them, within a share of the time.

import { topics } from "./extensions.ts";
import type { Command, PerSide, Side } from "./protocol.ts";
import type { Session, StepObserver } from "./session.ts";
import type { StateTopic, StepContext, StepTopic, Topic } from "./topic.ts";

/** Of the time, topics take at most one part in so many. */
const SHARE = 10;

interface Subscription {
	readonly id: number;
	readonly topic: Topic<unknown, unknown>;
	readonly params: unknown;
	/** Milliseconds from one collection to the next. */
	readonly every: number;
	due: number;
}

/** What a topic gave, for each twin. */
export interface Collected {
	readonly id: number;
	readonly sides: PerSide<unknown>;
}

export class Subscriptions {
	readonly #all = new Map<number, Subscription>();
	/** Before this time nothing is collected: the share is used up. */
	#rested = 0;

	add({ id, topic: name, params, perSecond }: Extract<Command, { type: "subscribe" }>): void {
		const topic = (topics as Record<string, Topic<never, unknown>>)[name] as Topic<unknown, unknown> | undefined;
		if (!topic) throw new Error(`there is no topic "${name}"; register it in engine/extensions.ts`);
		this.#all.set(id, { id, topic, params, every: 1000 / perSecond, due: 0 });
	}

	remove(id: number): void {
		this.#all.delete(id);
	}

	/** Looks into the next step for the topics that are due, or for all if `force`; null if there are none. */
	observer(force: boolean, isPainted: boolean): (StepObserver & { collected(): Collected[] }) | null {
		if (!force && !isPainted) return null;
		const due = this.#due("step", force);
		if (due.length === 0) return null;
		const topicsDue = due.map(({ topic }) => topic as StepTopic<unknown, unknown>);
		const found = new Map<number, { [side in Side]?: unknown }>(due.map(({ id }) => [id, {}]));
		return {
			needs: topicsDue.some(({ needs }) => needs === "gradients")
				? "gradients"
				: topicsDue.some(({ needs }) => needs === "layers")
					? "layers"
					: "nothing",
			see: (context: StepContext) => {
				const started = performance.now();
				for (const [i, { id, params }] of due.entries()) {
					const sides = found.get(id);
					if (sides) sides[context.twin.side] = topicsDue[i].collect(context, params);
				}
				this.#spend(started);
			},
			collected: () => [...found].map(([id, sides]) => ({ id, sides })),
		};
	}

	/** Collects the topics of the state that are due, or all if `force`. */
	collectAtRest(session: Session, force: boolean): Collected[] {
		return this.#due("rest", force).map(({ id, topic, params }) => {
			const started = performance.now();
			const { collect } = topic as StateTopic<unknown, unknown>;
			const { settings, data, step, twins, normalization } = session;
			const run = { settings, data, step, twins, normalization, examples: session.examples.bind(session) };
			const sides = session.inspect((twin) => collect({ ...run, twin }, params));
			this.#spend(started);
			return { id, sides };
		});
	}

	#due(at: "step" | "rest", force: boolean): Subscription[] {
		const now = performance.now();
		if (!force && now < this.#rested) return [];
		const due = [...this.#all.values()].filter((one) => one.topic.at === at && (force || now >= one.due));
		for (const one of due) one.due = now + one.every;
		return due;
	}

	#spend(started: number): void {
		const now = performance.now();
		this.#rested = Math.max(this.#rested, now) + (SHARE - 1) * (now - started);
	}
}
