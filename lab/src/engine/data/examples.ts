// The examples of a run, wherever they come from.

import { type data, EvenkeelError } from "evenkeel";
import type { DataSettings } from "../../settings/settings.ts";
import type { DataInfo, OwnData } from "../protocol.ts";
import { loadFashion } from "./fashion.ts";
import { readPictures } from "./pictures.ts";
import { makePoints } from "./plane.ts";
import { readTable } from "./table.ts";

/** Training and test set. */
export interface Examples {
	readonly info: DataInfo;
	readonly train: data.Dataset;
	readonly test: data.Dataset;
	/** How images become floats. */
	readonly transform: data.ImageTransform;
	dispose(): void;
}

/** What loading needs of the page. */
export interface Loading {
	/** The address of the folder `data/` beside the page. */
	readonly dataUrl: string;
	readonly own: OwnData | undefined;
	progress(received: number, total: number): void;
}

/**
 * Loads or makes the examples.
 *
 * @throws EvenkeelError that says what is wrong with a file, or that it is not there
 */
export async function loadExamples(settings: DataSettings, seed: number, loading: Loading): Promise<Examples> {
	switch (settings.kind) {
		case "fashion":
		case "fashion-full":
			return loadFashion(settings.kind, loading);
		case "csv":
			return tableOf(loading, seed);
		case "images":
			return picturesOf(loading, seed);
		default:
			return makePoints(settings.kind, settings.noise, seed);
	}
}

async function tableOf({ own }: Loading, seed: number): Promise<Examples> {
	if (own?.kind !== "csv") throw new EvenkeelError("no CSV file is open; choose one under Settings");
	return readTable(own.text, own.name, seed);
}

async function picturesOf({ own, progress }: Loading, seed: number): Promise<Examples> {
	if (own?.kind !== "images") throw new EvenkeelError("no folder of images is open; choose one under Settings");
	return readPictures(own.files, seed, progress);
}
