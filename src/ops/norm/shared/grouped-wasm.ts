// Launching the kernels of grouped.as.ts: groups are the work items. The gradients of scale and shift
// run across groups: partial sums a chunk (or a group), then one job that adds them in order.

import type { WasmBackend } from "../../../backend/wasm/wasm-backend.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { wasmOf } from "../../op.ts";
import type { GroupedKernels } from "./grouped.ts";

/** Elements that make a chunk worth a hand-over between threads. */
const CHUNK = 16384;
/** Most chunks, and so rows of partial sums, where each element has a scale of its own. */
const MAX_CHUNKS = 64;
/** STATE in the kernels. */
const SCRATCH_BYTES = 256;

const ptrOf = (tensor: Tensor | null) => tensor?.ptr ?? 0;

/** A table of scales or shifts, and what to do with it afterwards. */
interface Table {
	readonly ptr: number;
	free(): void;
}

const borrowed = (tensor: Tensor | null): Table => ({ ptr: ptrOf(tensor), free: () => {} });

/** The tensor's own numbers, or `size` times `otherwise`: kernels with a scale for each element need not ask. */
function tableOf(backend: WasmBackend, tensor: Tensor | null, otherwise: number, size: number): Table {
	if (tensor) return borrowed(tensor);
	const ptr = backend.take(size * 4);
	backend.heapViews.float32.fill(otherwise, ptr / 4, ptr / 4 + size);
	return { ptr, free: () => backend.giveBack(ptr) };
}

export const wasmGrouped: GroupedKernels = {
	forward({ x, y, weight, bias, stats, groups, length, span, period, centered, eps }) {
		const backend = wasmOf(x);
		const grain = Math.max(1, Math.ceil(CHUNK / length));
		const sizes = [groups, length, span, period, centered ? 1 : 0, eps];
		const elementwise = span === 1 && (weight !== null || bias !== null);
		const scale = elementwise ? tableOf(backend, weight, 1, period * length) : borrowed(weight);
		const shift = elementwise ? tableOf(backend, bias, 0, period * length) : borrowed(bias);
		const args = [x.ptr, y.ptr, scale.ptr, shift.ptr, stats.ptr, ...sizes];
		backend.launch("norm_grouped_forward", args, groups, grain, SCRATCH_BYTES);
		scale.free();
		shift.free();
	},

	backward({ x, dy, dx, weight, dweight, dbias, stats, groups, length, span, period, centered }) {
		const backend = wasmOf(x);
		const grain = Math.max(1, Math.ceil(CHUNK / length), span === 1 ? Math.ceil(groups / MAX_CHUNKS) : 1);
		const width = (period * length) / span;
		const rows = span === 1 ? Math.ceil(groups / grain) : groups / period;
		const half = rows * width * 4;
		const partial = dweight || dbias ? backend.take(2 * half) : 0;
		const scale = span === 1 ? tableOf(backend, weight, 1, period * length) : borrowed(weight);
		const tensors = [x.ptr, dy.ptr, ptrOf(dx), scale.ptr, stats.ptr];
		const sizes = [groups, length, span, period, centered ? 1 : 0, grain];
		backend.launch("norm_grouped_backward", [...tensors, partial, half, ...sizes], groups, grain, SCRATCH_BYTES);
		scale.free();
		if (partial === 0) return;
		const columns = Math.ceil(Math.max(16, CHUNK / rows) / 16) * 16;
		backend.launch("norm_sum_partials", [partial, half, ptrOf(dweight), ptrOf(dbias), rows, width], width, columns);
		backend.giveBack(partial);
	},
};
