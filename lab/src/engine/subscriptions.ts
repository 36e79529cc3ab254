// Which topics are due, and collecting them, within a share of the time.

import type { Command, PerSide, Side } from "./protocol.ts";
import type { Session, StepObserver } from "./session.ts";
import type { StateTopic, StepContext, StepTopic, Topic } from "./topic.ts";

/** Of the time, all topics together take at most one part in so many. */
const SHARE = 10;
/**
 * Of the time, a topic that is asked for n times a second takes at most n hundredths. So a panel off the screen, which asks
 * for one, leaves to those on the screen nearly all that topics may take.
 */
const SHARE_PER_RATE = 1 / 100;

interface Subscription {
	readonly id: number;
	readonly topic: Topic<unknown, unknown>;
	readonly params: unknown;
	readonly perSecond: number;
	/** When it was collected last, in milliseconds. */
	last: number;
	/** Milliseconds that it took. */
	cost: number;
}

/** What a topic gave, for each twin. */
export interface Collected {
	readonly id: number;
	readonly sides: PerSide<unknown>;
}

/** Whether what was collected last for a subscription, by its id, has still to be told to the page. */
export type IsPending = (id: number) => boolean;

export class Subscriptions {
	readonly #topics: Readonly<Record<string, unknown>>;
	readonly #all = new Map<number, Subscription>();
	/** Before this time nothing is collected: the share is used up. */
	#rested = 0;

	/** `topics`: by their names. */
	constructor(topics: Readonly<Record<string, unknown>>) {
		this.#topics = topics;
	}

	add({ id, topic: name, params, perSecond }: Extract<Command, { type: "subscribe" }>): void {
		const topic = this.#topics[name] as Topic<unknown, unknown> | undefined;
		if (!topic) throw new Error(`there is no topic "${name}"; register it in engine/extensions.ts`);
		this.#all.set(id, { id, topic, params, perSecond, last: Number.NEGATIVE_INFINITY, cost: 0 });
	}

	remove(id: number): void {
		this.#all.delete(id);
	}

	/** Looks into the next step for the topics that are due, or for all if `force`; null if there are none. */
	observer(force: boolean, isPending: IsPending): (StepObserver & { collected(): Collected[] }) | null {
		const due = this.#due("step", force, isPending);
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
				for (const [i, one] of due.entries()) {
					const sides = found.get(one.id);
					if (!sides) continue;
					sides[context.twin.side] = this.#timed(one, () => topicsDue[i].collect(context, one.params));
				}
			},
			collected: () => [...found].map(([id, sides]) => ({ id, sides })),
		};
	}

	/** Collects the topics of the state that are due, or all if `force`. */
	collectAtRest(session: Session, force: boolean, isPending: IsPending): Collected[] {
		return this.#due("rest", force, isPending).map((one) => {
			const { collect } = one.topic as StateTopic<unknown, unknown>;
			const { settings, data, step, twins, normalization } = session;
			const run = { settings, data, step, twins, normalization, examples: session.examples.bind(session) };
			const look = () => session.inspect((twin) => collect({ ...run, twin }, one.params));
			return { id: one.id, sides: this.#timed(one, look) };
		});
	}

	#due(at: "step" | "rest", force: boolean, isPending: IsPending): Subscription[] {
		const now = performance.now();
		const all = [...this.#all.values()];
		if (!force && now < this.#rested) return [];
		const due = force ? all : all.filter((one) => now >= dueAt(one) && !isPending(one.id));
		// Steps and rests take turns: whoever has waited longest begins, or the more frequent would take the whole share.
		const first = due.reduce<Subscription | null>((a, b) => (a && dueAt(a) <= dueAt(b) ? a : b), null);
		if (!force && first?.topic.at !== at) return [];
		const chosen = due.filter(({ topic }) => topic.at === at);
		for (const one of chosen) Object.assign(one, { last: now, cost: 0 });
		return chosen;
	}

	#timed<T>(one: Subscription, collect: () => T): T {
		const started = performance.now();
		const result = collect();
		const now = performance.now();
		one.cost += now - started;
		this.#rested = Math.max(this.#rested, now) + (SHARE - 1) * (now - started);
		return result;
	}
}

function dueAt({ last, perSecond, cost }: Subscription): number {
	return last + Math.max(1000 / perSecond, cost / Math.min(perSecond * SHARE_PER_RATE, 1 / SHARE));
}
