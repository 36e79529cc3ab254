// How the cases in cases.json are called.

import type { Runner } from "../../../test/conformance/runner.ts";
import { type GatherImagesOptions, gatherImages, gatherRows } from "./op.ts";

interface Attrs extends Omit<GatherImagesOptions, "windows"> {
	windows?: number[];
}

export const runners: Record<string, Runner> = {
	gatherRows: ({ x, rows }) => gatherRows(x, rows),
	gatherImages: ({ x, rows }, attrs) => {
		const { windows, ...options } = attrs as Attrs;
		return gatherImages(x, rows, { ...options, windows: windows && Int32Array.from(windows) });
	},
};
