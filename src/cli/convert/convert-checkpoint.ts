// A run's checkpoint for a network with other norms, so that the run can go on: the place in the data, random numbers,
// history and schedule as they were, and what the optimizer remembers of parameters that are still there.

import { EvenkeelError } from "../../errors.ts";
import { tensor } from "../../ops/creation.ts";
import type { OptimizerState } from "../../optim/optimizer.ts";
import type { Preset } from "../../presets/index.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { saveCheckpoint } from "../../train/checkpoint.ts";
import { readCheckpoint, type SavedCheckpoint } from "../../train/index.ts";
import { makeOptimizer, makeSchedule } from "../train/optimizer.ts";
import type { ConvertedNetwork } from "./convert-network.ts";

/** Reads the checkpoint in the folder `from` and writes it to the folder `to`, for the network that was converted. */
export function convertCheckpoint(from: string, to: string, preset: Preset, { net, choice }: ConvertedNetwork): void {
	const saved = readCheckpoint(from);
	const { lr } = saved.state.settings;
	if (typeof lr !== "number") {
		throw new EvenkeelError(
			`${saved.file}: it does not say its learning rate, so no run can go on from it; convert the weights`,
		);
	}
	const optimizer = makeOptimizer(preset, net, lr);
	const { settings: before, loader } = saved.state;
	const epochs = typeof before.epochs === "number" ? before.epochs : saved.state.epochs;
	const perEpoch = (loader.dropLast ? Math.floor : Math.ceil)(loader.rows / loader.batchSize);
	const length = { lr, epochs, steps: epochs * perEpoch };
	const schedule = makeSchedule(preset, optimizer, length);
	scope(() => optimizer.loadStateDict(remembered(saved, optimizer.stateDict())));
	if (saved.schedule) schedule?.setState(saved.schedule);
	const { norm: _, groups: __, ...others } = saved.state.settings;
	const settings = { ...others, norm: choice.norm, ...(choice.groups === undefined ? {} : { groups: choice.groups }) };
	saveCheckpoint(to, { net, optimizer, schedule }, { ...saved.state, settings });
}

/** What was saved of the optimizer, as far as its parameters are still parameters; the others start anew. */
function remembered(saved: SavedCheckpoint, fresh: OptimizerState): OptimizerState {
	const { groups, steps, optimizer } = saved.optimizer;
	const names = new Set(fresh.values.groups.flatMap(({ params }) => (Array.isArray(params) ? params : [])));
	const tensors: Record<string, Tensor> = {};
	for (const [key, { shape, data }] of Object.entries(saved.tensors)) {
		// optimizer.exp_avg.<parameter>
		const [, slot, name] = /^optimizer\.([^.]+)\.(.*)$/.exec(key) ?? [];
		if (slot === undefined || !names.has(name)) continue;
		if (data instanceof Float32Array || data instanceof Float64Array) tensors[`${slot}.${name}`] = tensor(data, shape);
	}
	return {
		tensors,
		values: {
			optimizer,
			// Learning rates and all other options as they were; which parameters a group has is for the preset to say.
			groups: fresh.values.groups.map((group, i) => ({ ...group, ...groups[i], params: group.params })),
			steps: Object.fromEntries(Object.entries(steps).filter(([name]) => names.has(name))),
		},
	};
}
