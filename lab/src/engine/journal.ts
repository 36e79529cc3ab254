// What has happened since the last snapshot: each step's loss and accuracy, tests, topics. And how fast it goes.

import type { PerSide, Speed, Steps, TestResult, TopicData } from "./protocol.ts";
import type { StepResult } from "./session.ts";

interface Columns {
	loss: PerSide<number[]>;
	accuracy: PerSide<number[]>;
}

export class Journal {
	#first = 1;
	#count = 0;
	#columns: Columns = { loss: {}, accuracy: {} };
	#tests: TestResult[] = [];
	#topics = new Map<number, TopicData>();
	/** Whether there is anything that the page has not been told. */
	isDirty = true;

	step(number: number, results: PerSide<StepResult>): void {
		if (this.#count === 0) this.#first = number;
		this.#count++;
		for (const key of ["loss", "accuracy"] as const) {
			const columns = this.#columns[key];
			for (const side of ["a", "b"] as const) {
				const result = results[side];
				if (!result) continue;
				const values = columns[side];
				if (values) values.push(result[key]);
				else this.#columns[key] = { ...this.#columns[key], [side]: [result[key]] };
			}
		}
		this.isDirty = true;
	}

	test(result: TestResult): void {
		this.#tests.push(result);
		this.isDirty = true;
	}

	topic(id: number, data: TopicData): void {
		this.#topics.set(id, data);
		this.isDirty = true;
	}

	/** Whether there is something of the topic with subscription `id`. */
	holds(id: number): boolean {
		return this.#topics.has(id);
	}

	/** Everything, which is then forgotten. */
	take(): { steps: Steps; tests: TestResult[]; topics: { id: number; data: TopicData }[] } {
		const steps: Steps = {
			first: this.#first,
			count: this.#count,
			loss: packed(this.#columns.loss),
			accuracy: packed(this.#columns.accuracy),
		};
		const taken = { steps, tests: this.#tests, topics: [...this.#topics].map(([id, data]) => ({ id, data })) };
		this.#count = 0;
		this.#columns = { loss: {}, accuracy: {} };
		this.#tests = [];
		this.#topics = new Map();
		this.isDirty = false;
		return taken;
	}
}

function packed(columns: PerSide<number[]>): PerSide<Float32Array> {
	return Object.fromEntries(Object.entries(columns).map(([side, values]) => [side, Float32Array.from(values)]));
}

const BUCKET_SECONDS = 0.5;

/** Sums over a bucket of time. */
interface Bucket {
	steps: number;
	examples: number;
	wall: number;
	own: { a: number; b: number };
	ownExamples: { a: number; b: number };
}

const emptyBucket = (): Bucket => ({
	steps: 0,
	examples: 0,
	wall: 0,
	own: { a: 0, b: 0 },
	ownExamples: { a: 0, b: 0 },
});

/** Examples a second over the last half to whole second of training. */
export class Speedometer {
	#last = emptyBucket();
	#current = emptyBucket();

	/** `wall`: seconds from the end of the step before, in which the page may have had its turns. */
	add(results: PerSide<StepResult>, rows: PerSide<number>, wall: number): void {
		const bucket = this.#current;
		bucket.steps++;
		bucket.wall += wall;
		for (const side of ["a", "b"] as const) {
			const result = results[side];
			if (!result || Number.isNaN(result.loss)) continue;
			bucket.examples += rows[side] ?? 0;
			bucket.ownExamples[side] += rows[side] ?? 0;
			bucket.own[side] += result.seconds;
		}
		if (bucket.wall < BUCKET_SECONDS) return;
		this.#last = bucket;
		this.#current = emptyBucket();
	}

	get speed(): Speed {
		const [last, now] = [this.#last, this.#current];
		const rate = (count: number, seconds: number): number => (seconds > 0 ? count / seconds : 0);
		const wall = last.wall + now.wall;
		const own = (side: "a" | "b"): number =>
			rate(last.ownExamples[side] + now.ownExamples[side], last.own[side] + now.own[side]);
		return {
			examplesPerSecond: rate(last.examples + now.examples, wall),
			own: { a: own("a"), b: own("b") },
			stepsPerSecond: rate(last.steps + now.steps, wall),
		};
	}
}
