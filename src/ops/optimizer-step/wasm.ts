// Laying out the table of parameters that the kernels walk, and launching them.

import type { WasmBackend } from "../../backend/wasm/wasm-backend.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { wasmOf } from "../op.ts";
import type { AdamUpdate, OptimizerKernels, SgdUpdate } from "./op.ts";

/** Elements a chunk, over all parameters laid end to end. */
const GRAIN = 16384;
/** Words in a row of the table; see kernel.as.ts. */
const ROW = 16;
const COEFFICIENTS = 7;

interface Row {
	readonly param: Tensor;
	readonly tensors: readonly (Tensor | null)[];
	readonly coefficients: readonly number[];
}

/** Calls `fn` with the table of `rows` (its address, rows and elements in all) in the heap. */
function withTable<Item>(
	items: readonly Item[],
	rowOf: (item: Item) => Row,
	fn: (wasm: WasmBackend, table: number, rows: number, elements: number) => void,
): void {
	const wasm = wasmOf(rowOf(items[0]).param);
	const { ptr: table, int32, float32 } = wasm.stage(items.length * ROW);
	let elements = 0;
	let rows = 0;
	for (const item of items) {
		const { param, tensors, coefficients } = rowOf(item);
		if (param.size === 0) continue;
		const at = table / 4 + ROW * rows++;
		int32[at] = param.ptr;
		for (let k = 0; k < 4; k++) int32[at + 1 + k] = tensors[k]?.ptr ?? 0;
		int32[at + 5] = elements;
		int32[at + 6] = param.size;
		float32.set(coefficients, at + COEFFICIENTS);
		elements += param.size;
	}
	fn(wasm, table, rows, elements);
}

function launch<Item>(kernel: string, items: readonly Item[], rowOf: (item: Item) => Row): void {
	withTable(items, rowOf, (wasm, table, rows, elements) => wasm.launch(kernel, [table, rows], elements, GRAIN));
}

function sgdRow({ param, grad, buffer, first, settings }: SgdUpdate): Row {
	const { lr, momentum, dampening, nesterov, weightDecay } = settings;
	const [keep, add] = first ? [0, 1] : [momentum, 1 - dampening];
	return { param, tensors: [grad, buffer], coefficients: [lr, weightDecay, keep, add, momentum, nesterov ? 1 : 0] };
}

function adamRow({ param, grad, mean, square, largest, step, decoupled, settings }: AdamUpdate): Row {
	const { lr, betas, eps, weightDecay } = settings;
	const [beta1, beta2] = betas;
	const stepSize = lr / (1 - beta1 ** step);
	const correction = 1 / Math.sqrt(1 - beta2 ** step);
	const [decay, shrink] = decoupled ? [0, 1 - lr * weightDecay] : [weightDecay, 1];
	const coefficients = [stepSize, 1 - beta1, 1 - beta2, eps, correction, decay, shrink, beta1, beta2];
	return { param, tensors: [grad, mean, square, largest], coefficients };
}

export const wasm: OptimizerKernels = {
	sgd: (updates) => launch("optimizer_sgd", updates, sgdRow),
	adam: (updates) => launch("optimizer_adam", updates, adamRow),
	squareSum: (tensors) => {
		let sum = 0;
		const row = (param: Tensor) => ({ param, tensors: [], coefficients: [] });
		withTable(tensors, row, (wasm, table, rows, elements) => {
			const chunks = Math.ceil(elements / GRAIN);
			const partials = wasm.take(chunks * 8);
			wasm.launch("optimizer_square_sum", [table, rows, partials, GRAIN], elements, GRAIN);
			const values = wasm.heapViews.float64;
			for (let chunk = 0; chunk < chunks; chunk++) sum += values[partials / 8 + chunk];
			wasm.giveBack(partials);
		});
		return sum;
	},
	scale: (tensors, factor) => {
		launch("optimizer_scale", tensors, (param) => ({ param, tensors: [], coefficients: [factor] }));
	},
};
