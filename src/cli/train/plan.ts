// From options to a run: what was asked for, else what the checkpoint to go on from says, else the preset's own.

import { existsSync } from "node:fs";
import { normNames, ownNorm, type Preset } from "../../presets/index.ts";
import { type CheckpointState, type RunSettings, readCheckpoint, type SavedCheckpoint } from "../../train/index.ts";
import { checkUsage } from "../errors.ts";
import { dataName } from "./load-data.ts";
import { checkNormHeeded, type LoadedPreset, loadPreset } from "./load-preset.ts";

/** The options of `train` as the command line gives them. */
export interface TrainFlags {
	data?: string;
	epochs?: number;
	batchSize?: number;
	lr?: number;
	norm?: string;
	groups?: number;
	seed?: number;
	threads: "auto" | number;
	out?: string;
	resume?: string;
	plot?: string;
	trace?: string;
	checkpointEvery: number;
	limit?: number;
	dropLast?: boolean;
	download: boolean;
	showAffine?: boolean;
	distributed?: boolean;
	syncBn?: boolean;
	quiet?: boolean;
	json?: boolean;
}

/** A run, settled. */
export interface TrainPlan {
	preset: Preset;
	data: string;
	epochs: number;
	/** Over how many of them a schedule stretches; after these the learning rate stays what it then is. */
	scheduled: number;
	batchSize: number;
	lr: number;
	/** Null: the preset lets nobody choose it. */
	norm: string | null;
	/** Groups of group norm; undefined: the default, or another norm. */
	groups: number | undefined;
	seed: number;
	limit: number | undefined;
	dropLast: boolean;
	/** Whether ranks share the statistics of batch norm. */
	syncBn: boolean;
	out: string;
	/** The folder of the checkpoint to go on from. */
	resume: string | undefined;
	/** The step after which it goes on; 0 from the start. */
	step: number;
	/** What a checkpoint of this run remembers, beside what the trainer itself does. */
	settings: RunSettings;
	/** Where its preset and data lie: remembered too, and free to move, as the preset's name and the data's hash stay. */
	places: RunSettings;
}

/**
 * Settles what to run. With `--resume` everything but the number of epochs, and where data lies, is as it was; an option that says otherwise is
 * a mistake, and so is another preset. `read` reads the checkpoint in a folder.
 */
export async function planRun(
	name: string | undefined,
	flags: TrainFlags,
	read: (dir: string) => SavedCheckpoint = readCheckpoint,
): Promise<TrainPlan> {
	const saved = flags.resume === undefined ? null : read(flags.resume).state;
	const before = saved?.settings ?? {};
	const { preset, file } = await choosePreset(name, flags.resume, before);
	const agree = <T extends string | number | boolean>(option: string, given: T | undefined, key: string, own: T): T =>
		settle(option, given, before[key] as T | null | undefined, own, flags.resume);
	const own = ownNorm(preset);
	checkNormHeeded(preset, flags.norm, name);
	const norm = own === null ? null : agree("--norm", flags.norm, "norm", own);
	checkUsage(
		norm === null || normNames.includes(norm),
		() => `--norm ${norm}: there is no such normalization; there are ${normNames.join(", ")}`,
	);
	const groups = agree<number>("--groups", flags.groups, "groups", 0);
	checkUsage(groups === 0 || norm === "group", () =>
		norm === null
			? `--groups ${groups}: the build() of ${name ?? preset.name} takes no argument, so it cannot heed it; leave it out`
			: `--groups ${groups}: the normalization is ${norm}, which has no groups; add --norm group, or leave it out`,
	);
	checkUsage(
		!flags.syncBn || flags.distributed,
		"--sync-bn: one process has all of a batch, and nothing to share; add --distributed, or leave it out",
	);
	const syncBn = agree("--sync-bn", flags.syncBn, "syncBn", false);
	const limit = agree<number>("--limit", flags.limit, "limit", 0);
	const lr = agree("--lr", flags.lr, "lr", preset.lr);
	const epochs = flags.epochs ?? saved?.epochs ?? preset.epochs;
	const data = flags.data === undefined ? (before.data ?? "fashion-mnist") : dataName(flags.data);
	return {
		preset,
		norm,
		groups: groups === 0 ? undefined : groups,
		lr,
		data: String(data),
		epochs,
		scheduled: saved === null ? epochs : scheduledEpochs(saved, epochs, flags.resume),
		batchSize: agree("--batch-size", flags.batchSize, "batchSize", preset.batchSize),
		seed: agree("--seed", flags.seed, "seed", 0),
		dropLast: agree("--drop-last", flags.dropLast, "dropLast", false),
		limit: limit === 0 ? undefined : limit,
		syncBn,
		out: flags.out ?? flags.resume ?? `runs/${preset.name}`,
		resume: flags.resume,
		step: saved?.step ?? 0,
		settings: {
			...{ preset: preset.name, norm, lr, limit },
			...(groups === 0 ? {} : { groups }),
			...(syncBn ? { syncBn } : {}),
		},
		places: { file, data },
	};
}

async function choosePreset(
	name: string | undefined,
	resume: string | undefined,
	before: RunSettings,
): Promise<LoadedPreset> {
	const earlier = before.file ?? before.preset;
	if (resume === undefined || typeof earlier !== "string") {
		checkUsage(name !== undefined, "name a preset or a file to train: evenkeel train lenet-bn");
		return loadPreset(name);
	}
	checkUsage(
		name !== undefined || typeof before.file !== "string" || existsSync(before.file),
		() =>
			`--resume ${resume}: the file of its preset, ${before.file}, is no longer there; ` +
			`say where it is now: evenkeel train ${before.preset}.mjs --resume ${resume}`,
	);
	const loaded = await loadPreset(name ?? earlier);
	checkUsage(
		loaded.preset.name === before.preset,
		() =>
			`--resume ${resume}: its checkpoint is of the preset ${before.preset}, not of ${loaded.preset.name}; ` +
			`go on with it (evenkeel train --resume ${resume}), or start ${loaded.preset.name} without --resume`,
	);
	return loaded;
}

/**
 * Over how many epochs the schedule of a run stretches that goes on, to `epochs` of them. A run that has walked all of it
 * may go on for longer; in its middle another number would be another run.
 */
function scheduledEpochs(
	{ settings, epochs: before, loader }: CheckpointState,
	epochs: number,
	resume?: string,
): number {
	const { epochs: scheduled } = settings;
	// No run without a schedule has this.
	if (typeof scheduled !== "number") return epochs;
	checkUsage(
		epochs === before || (epochs > scheduled && loader.epoch >= scheduled),
		() =>
			`--epochs ${epochs}: the schedule of the run in ${resume} stretches over ${scheduled} epochs, of which ${Math.min(loader.epoch, scheduled)} ` +
			`are done; leave --epochs out to finish them${epochs > scheduled ? ", and then add more" : ""}`,
	);
	return scheduled;
}

function settle<T extends string | number | boolean>(
	option: string,
	given: T | undefined,
	before: T | null | undefined,
	own: T,
	resume: string | undefined,
): T {
	if (before === undefined || before === null) return given ?? own;
	checkUsage(
		given === undefined || given === before,
		() =>
			`${option} ${given}: the run in ${resume} was started with ${before}, and going on must not change it; ` +
			`leave ${option} out, or start a new run without --resume`,
	);
	return before;
}
