import { init } from "evenkeel";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { smallSettings } from "../../test/support/settings.ts";
import { makePoints } from "./data/plane.ts";
import { Session } from "./session.ts";
import { Subscriptions } from "./subscriptions.ts";
import { defineTopic, type StepContext } from "./topic.ts";

/** Milliseconds; a collection of one twin takes what its topic says. */
let now = 0;
let session: Session;
/** Of a step that has been: the topics here look at nothing of it. */
let context: StepContext;

beforeEach(async () => {
	await init({ threads: 1 });
	now = 1000;
	vi.spyOn(performance, "now").mockImplementation(() => now);
	session = new Session(smallSettings({ b: { on: false } }), makePoints("xor", 0.1, 1), 1);
	session.advance({
		needs: "nothing",
		see(seen) {
			context = seen;
		},
	});
});
afterEach(() => {
	session.dispose();
	vi.restoreAllMocks();
});

const taking = (milliseconds: number) => () => {
	now += milliseconds;
	return now;
};
const inSteps = (milliseconds: number) => defineTopic({ at: "step", collect: taking(milliseconds) });
const atRest = (milliseconds: number) => defineTopic({ at: "rest", collect: taking(milliseconds) });

/** Trains for so many milliseconds in steps of `stepTime`, with a rest after each; how often each was collected. */
function train(subscriptions: Subscriptions, milliseconds: number, stepTime: number, pending = new Set<number>()) {
	const counts = new Map<number, number>();
	const count = ({ id }: { id: number }) => counts.set(id, (counts.get(id) ?? 0) + 1);
	const isPending = (id: number) => pending.has(id);
	for (const end = now + milliseconds; now < end; ) {
		const observer = subscriptions.observer(false, isPending);
		observer?.see(context);
		observer?.collected().forEach(count);
		now += stepTime;
		subscriptions.collectAtRest(session, false, isPending).forEach(count);
	}
	return counts;
}

function subscribed(topics: Readonly<Record<string, unknown>>, rates: Readonly<Record<string, number>>): Subscriptions {
	const subscriptions = new Subscriptions(topics);
	for (const [i, topic] of Object.keys(rates).entries()) {
		subscriptions.add({ type: "subscribe", id: i, topic, params: null, perSecond: rates[topic] });
	}
	return subscriptions;
}

describe("topics are collected", () => {
	test("as often as they are asked for, if they are cheap", () => {
		const counts = train(subscribed({ a: inSteps(0.1), b: atRest(0.1) }, { a: 10, b: 4 }), 10_000, 5);
		expect(counts.get(0)).toBeGreaterThan(90);
		expect(counts.get(0)).toBeLessThanOrEqual(101);
		expect(counts.get(1)).toBeGreaterThan(36);
		expect(counts.get(1)).toBeLessThanOrEqual(41);
	});

	test("in a tenth of the time, if they are not", () => {
		const counts = train(subscribed({ a: inSteps(40) }, { a: 10 }), 10_000, 5);
		// 40 ms each 400 ms.
		expect(counts.get(0)).toBeGreaterThan(22);
		expect(counts.get(0)).toBeLessThanOrEqual(26);
	});

	test("hardly ever for a panel off the screen, so that the one on the screen has nearly all of it", () => {
		const counts = train(subscribed({ seen: inSteps(40), unseen: inSteps(40) }, { seen: 10, unseen: 1 }), 40_000, 5);
		expect(counts.get(1)).toBeLessThanOrEqual(11);
		expect(counts.get(1)).toBeGreaterThan(5);
		expect(counts.get(0)).toBeGreaterThan(80);
	});

	test.each([1, 60])("in steps of %i ms both within steps and between them, when each would take all", (stepTime) => {
		const counts = train(subscribed({ a: inSteps(20), b: atRest(20) }, { a: 10, b: 10 }), 20_000, stepTime);
		expect(counts.get(0)).toBeGreaterThan(35);
		expect(counts.get(1)).toBeGreaterThan(35);
	});

	test("not again before the page has been told", () => {
		const subscriptions = subscribed({ a: inSteps(1), b: inSteps(1) }, { a: 10, b: 10 });
		const counts = train(subscriptions, 1000, 5, new Set([1]));
		expect(counts.get(0)).toBeGreaterThan(5);
		expect(counts.get(1)).toBeUndefined();
	});

	test("whatever the time, if they are forced to be", () => {
		const subscriptions = subscribed({ a: inSteps(40), b: atRest(1) }, { a: 10, b: 10 });
		for (let i = 0; i < 3; i++) {
			const observer = subscriptions.observer(true, () => true);
			observer?.see(context);
			expect(observer?.collected()).toMatchObject([{ id: 0, sides: { a: expect.any(Number) } }]);
			expect(subscriptions.collectAtRest(session, true, () => true)).toHaveLength(1);
		}
	});

	test("and not after they have been unsubscribed from; an unknown one is named", () => {
		const subscriptions = subscribed({ a: inSteps(1) }, { a: 10 });
		subscriptions.remove(0);
		expect(subscriptions.observer(true, () => false)).toBeNull();
		expect(() => subscribed({}, { nothing: 1 })).toThrow(/no topic "nothing"/);
	});
});
