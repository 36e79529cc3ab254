// A topic of the engine in a component: subscribed to while the panel can be seen, and only then.

import { type ReadonlySignal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { TopicUpdate } from "../engine/client.ts";
import type { DataOf, ParamsOf, Topics } from "../engine/extensions.ts";
import { phase, run, useEngine } from "./lab.ts";

/**
 * The latest of what `name` gave for this run, or null.
 *
 * @param params compared as JSON; a change subscribes anew
 * @param visible whether there is anybody to see it: what `PanelProps` gives
 * @param perSecond at most so often
 */
export function useTopic<Name extends keyof Topics>(
	name: Name,
	params: ParamsOf<Name>,
	visible: boolean,
	perSecond = 10,
): ReadonlySignal<TopicUpdate<DataOf<Name>> | null> {
	const latest = useSignal<TopicUpdate<DataOf<Name>> | null>(null);
	const key = JSON.stringify(params);
	const isAwake = phase.value !== "asleep";
	const generation = run.value?.generation;
	useEffect(() => {
		if (latest.value && latest.value.generation !== generation) latest.value = null;
	}, [generation]);
	useEffect(() => {
		if (!visible || !isAwake) return;
		let unsubscribe = (): void => {};
		let isOver = false;
		void useEngine().then((engine) => {
			if (isOver) return;
			unsubscribe = engine.subscribe(name, params, perSecond, (update) => {
				latest.value = update;
			});
		});
		return () => {
			isOver = true;
			unsubscribe();
		};
	}, [name, key, visible, isAwake, perSecond]);
	return latest;
}
