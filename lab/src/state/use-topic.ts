// A topic of the engine in a component: subscribed to while the panel can be seen, and only then.

import { type ReadonlySignal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { TopicUpdate } from "../engine/client.ts";
import type { DataOf, ParamsOf, Topics } from "../engine/extensions.ts";
import { run, withEngine } from "./lab.ts";

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
	const generation = run.value?.generation;
	useEffect(() => {
		if (latest.value && latest.value.generation !== generation) latest.value = null;
	}, [generation]);
	useEffect(() => {
		if (!visible) return;
		return withEngine((engine) =>
			engine.subscribe(name, params, perSecond, (update) => {
				latest.value = update;
			}),
		);
	}, [name, key, visible, perSecond]);
	return latest;
}
