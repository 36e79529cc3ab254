// The examples of a run, wherever they come from.

import type { data } from "evenkeel";
import type { DataSettings } from "../../settings/settings.ts";
import type { DataInfo, OwnData } from "../protocol.ts";
import { loadFashion } from "./fashion.ts";
import { makePoints } from "./plane.ts";

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
		default:
			return makePoints(settings.kind, settings.noise, seed);
	}
}
