// A topic of the engine, recorded over the run: what panels that show time keep.

import { useEffect, useRef } from "preact/hooks";
import type { TopicUpdate } from "../../engine/client.ts";
import type { DataOf, ParamsOf, Topics } from "../../engine/extensions.ts";
import { type PerSide, type Side, sides } from "../../engine/protocol.ts";
import { onSnapshot, run, withEngine } from "../../state/lab.ts";
import { History } from "./history.ts";

/** While the panel is off the screen: enough that there is no hole in its past when it is scrolled to. */
const HIDDEN_PER_SECOND = 1;

/** How long a subscription outlives the change to another rate. */
const OVERLAP_MILLISECONDS = 1000;

/** The past of one topic, for each twin. Changed in place: {@link Recorder.follow} tells when. */
export class Recorder<Data> {
	#generation = -1;
	#histories: { [side in Side]?: History } = {};
	/** What came last. */
	latest: PerSide<Data> = {};
	readonly #listeners = new Set<() => void>();

	history(side: Side): History | null {
		return this.#histories[side] ?? null;
	}

	/** The last step of which there is a sample of any twin; 0 before there is one. */
	get lastStep(): number {
		return Math.max(0, ...sides.map((side) => this.#histories[side]?.lastStep ?? 0));
	}

	/** Forgets a run that is over. */
	clear(generation: number): void {
		if (generation === this.#generation) return;
		this.#generation = generation;
		this.#histories = {};
		this.latest = {};
		this.#tell();
	}

	/** `rowsOf`: the numbers to keep, always as many; null for none. */
	record(update: TopicUpdate<Data>, rowsOf: (data: Data) => ArrayLike<number> | null): void {
		this.clear(update.generation);
		this.latest = { ...this.latest, ...update.sides };
		for (const side of sides) {
			const data = update.sides[side];
			const values = data === undefined ? null : rowsOf(data);
			if (!values) continue;
			this.#histories[side] ??= new History(values.length);
			this.#histories[side].push(update.step, values);
		}
		this.#tell();
	}

	/** Calls `listener` after every change, until the function that is returned is called. */
	follow(listener: () => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	#tell(): void {
		for (const listener of this.#listeners) listener();
	}
}

/**
 * Records topic `name` from now on, more often while it can be seen. A change of `params`, compared as JSON, and a new run
 * begin a new record.
 */
export function useRecorder<Name extends keyof Topics>(
	name: Name,
	params: ParamsOf<Name>,
	visible: boolean,
	rowsOf: (data: DataOf<Name>) => ArrayLike<number> | null,
): Recorder<DataOf<Name>> {
	const key = JSON.stringify([name, params]);
	const held = useRef<{ key: string; recorder: Recorder<DataOf<Name>> } | null>(null);
	if (held.current?.key !== key) held.current = { key, recorder: new Recorder() };
	const { recorder } = held.current;
	useEffect(() => onSnapshot(() => recorder.clear(run.value?.generation ?? -1)), [recorder]);
	useEffect(() => {
		const end = withEngine((engine) =>
			engine.subscribe(name, params, visible ? 10 : HIDDEN_PER_SECOND, (update) => {
				if (update.generation === run.value?.generation) recorder.record(update, rowsOf);
			}),
		);
		// What is on its way still counts; the same step twice is one sample.
		return () => void setTimeout(end, OVERLAP_MILLISECONDS);
	}, [recorder, visible]);
	return recorder;
}
