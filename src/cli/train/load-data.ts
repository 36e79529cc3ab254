// What to train on: a published set by its name, a folder, or what the preset brings along.

import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Dataset, ImageDataset, Split } from "../../data/index.ts";
import { fashionMnist, imageFolder, mnist, subset } from "../../data/index.ts";
import { EvenkeelError } from "../../errors.ts";
import type { Preset, PresetData } from "../../presets/index.ts";
import { formatShape, sameShape } from "../../tensor/shape.ts";
import { asDataset } from "../../train/evaluate.ts";
import { checkUsage } from "../errors.ts";
import { formatBytes } from "../ui/format.ts";
import type { ProgressDisplay } from "../ui/progress.ts";
import { reason } from "./load-preset.ts";

/** The data of a run. */
export interface RunData {
	train: Dataset;
	test: Dataset | undefined;
	/** Sentences on where it comes from, one a source. */
	sources: string[];
	/** SHA-256 of the training images and labels; null for data of the preset's own. */
	hash: string | null;
}

export interface DataOptions {
	/** `"fashion-mnist"`, `"mnist"`, or a folder. */
	from: string;
	download: boolean;
	/** Use so many of the training images, from the front. */
	limit: number | undefined;
}

/** What --data is called in a checkpoint: folders by their absolute path, all else as it is. */
export function dataName(from: string): string {
	return from === "fashion-mnist" || from === "mnist" || isAddress(from) ? from : resolve(from);
}

const isAddress = (from: string): boolean => /^https?:\/\//.test(from);

export async function loadData(preset: Preset, options: DataOptions, display: ProgressDisplay): Promise<RunData> {
	const data = preset.data ? await ownData(preset) : await imageData(preset, options, display);
	const { limit } = options;
	if (limit === undefined || limit >= data.train.length) return data;
	return { ...data, train: subset(data.train, limit) };
}

async function imageData(preset: Preset, options: DataOptions, display: ProgressDisplay): Promise<RunData> {
	const from = { ...options, classes: preset.classes };
	const train = await imageSplit("train", from, display);
	const test = await imageSplit("test", from, display);
	display.clear();
	checkFits(preset, train, options.from);
	checkFits(preset, test, options.from);
	const sources = [...new Set([train.source, test.source])];
	return { train, test, sources, hash: hashOf(train) };
}

/** The training or test images that `from` names; `classes`: how many a folder's labels may tell apart. */
export function imageSplit(
	which: Split,
	{ from, download, classes }: Pick<DataOptions, "from" | "download"> & { classes?: number },
	display: ProgressDisplay,
): Promise<ImageDataset> {
	const onProgress = (progress: { file: string; received: number; total: number | null }): void => {
		const of = progress.total === null ? "" : ` of ${formatBytes(progress.total)}`;
		display.redraw(() => `downloading ${progress.file}: ${formatBytes(progress.received)}${of}`);
	};
	const published = { split: which, download, onProgress };
	if (from === "fashion-mnist") return fashionMnist(published);
	if (from === "mnist") return mnist(published);
	if (!isAddress(from)) {
		checkUsage(
			statSync(from, { throwIfNoEntry: false })?.isDirectory(),
			() => `--data ${from}: there is no such folder, and it is not one of fashion-mnist, mnist; check the path`,
		);
	}
	return imageFolder(from, { split: which, classes });
}

function checkFits(preset: Preset, data: ImageDataset, from: string): void {
	const shape = data.images.shape.slice(1);
	if (!sameShape(shape, preset.inputShape)) {
		throw new EvenkeelError(
			`the preset ${preset.name} takes images ${formatShape(preset.inputShape)} (channels, height, width), those of ` +
				`--data ${from} are ${formatShape(shape)}; use images of that size, or a preset of your own`,
		);
	}
	if (preset.classes !== undefined && data.classes.length > preset.classes) {
		throw new EvenkeelError(
			`the preset ${preset.name} tells ${preset.classes} classes apart, --data ${from} has ${data.classes.length}`,
		);
	}
}

async function ownData(preset: Preset): Promise<RunData> {
	let made: PresetData | undefined;
	try {
		made = await preset.data?.();
	} catch (error) {
		throw new EvenkeelError(`preset ${preset.name}: data() failed: ${reason(error)}`);
	}
	if (!made?.train) throw new EvenkeelError(`preset ${preset.name}: data() must return { train, test? }, got no train`);
	const named = <T>(part: string, make: () => T): T => {
		try {
			return make();
		} catch (error) {
			throw new EvenkeelError(`preset ${preset.name}: data(): ${part}: ${reason(error)}`);
		}
	};
	const { train, test } = made;
	return {
		train: named("train", () => asDataset(train)),
		test: named("test", () => test && asDataset(test)),
		sources: [made.source ?? `the preset ${preset.name}'s own data`],
		hash: null,
	};
}

/** SHA-256 of the images and labels. */
export function hashOf(data: ImageDataset): string {
	const hash = createHash("sha256");
	for (const { buffer, byteOffset, byteLength } of [data.images, data.labels].map((t) =>
		t.view().subarray(0, t.size),
	)) {
		hash.update(new Uint8Array(buffer, byteOffset, byteLength));
	}
	return hash.digest("hex");
}
