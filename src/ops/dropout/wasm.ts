// Launching the mask.

import { wasmOf } from "../op.ts";
import { GROUP, type Kernels } from "./mask.ts";

/** Groups a thread takes at a time. */
const GRAIN = 512;

export const wasm: Kernels = {
	apply(x, y, { key, stream, block, threshold, scale }) {
		const groups = Math.ceil(x.size / GROUP);
		const counter = [block >>> 0, Math.floor(block / 2 ** 32), ...stream, ...key];
		wasmOf(x).launch("dropout_apply", [x.ptr, y.ptr, x.size, threshold, scale, ...counter], groups, GRAIN);
	},
};
