// Convolution on the wasm backend: how its three products are cut into items of work. Everything
// here depends on shapes alone, so that results do not depend on the number of threads.

import type { WasmBackend } from "../../backend/wasm/wasm-backend.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { launchSum } from "../matmul/wasm.ts";
import { wasmOf } from "../op.ts";
import { type ConvKernels, extent, type Geometry, weightsOf } from "./geometry.ts";
import { phasesOf } from "./phases.ts";
import { makePlan, scatterOrder } from "./plan.ts";

/** Lanes of a vector: packed weights stand in all of them. */
const LANES = 4;
/** Rows of a panel of weights. */
const PANEL = 4;
/** Bytes of a tile of sums, at the start of scratch. */
const TILE = 320;
/** Into how many items of work an op is cut at least, where there is anything to cut. */
const ITEMS = 16;
/** Work of a chunk: enough to be worth handing out. */
const CHUNK_FLOPS = 2e5;
/** Chunks that share out evenly among threads: beyond that they may be larger, up to five times, and are handed out less often. */
const CHUNKS = 32;
/** Images that the gradient of the weights takes together: as many as stay in the second-level cache. */
const CACHE_BYTES = 192 * 1024;
/** Where five weights at a time go through outputs as they stand: so much stays closer by, and is as good if rows of pixels make a long run. */
const CLOSE_BYTES = 64 * 1024;
/** Pixels of a run beside which beginning and ending it are little. */
const LONG_RUN = 1024;
/** Images at least whose gradients of the weights are summed before the sums go to memory. */
const LEAST_IMAGES = 8;
/** Weights of more bytes than this are read for several images at a time: they leave the first-level cache in between. */
const NEAR_BYTES = 12 * 1024;
/** How many images then. */
const TOGETHER = 8;
/** Most bytes of a panel's weights that are used before the next image's turn comes: they stay in the first-level cache. */
const BLOCK_BYTES = 16 * 1024;
/** Most memory for partial sums of the gradient of the weights, in floats. */
const PARTIAL_FLOATS = 1 << 24;

/**
 * What scatter's additions to memory cost, in multiply-adds of four weights by eight pixels: a tile of
 * M steps takes as long as M plus this (measured).
 */
const SCATTER_OVERHEAD = 8;

/**
 * Multiplications and additions from which on an adjoint with a stride is cut into phases: each has launches of its own. It is worth that
 * only where gathering is twice as fast as scattering (measured).
 */
const PHASES_FLOPS = 1e7;

const even = (count: number) => count + (count & 1);

export const wasmConv: ConvKernels<Tensor> = {
	gather(g, image, weight, bias, out) {
		const columns = weightsOf(g);
		const places = { rows: range(g.outputs, columns), columns: range(columns, 1), groupStep: g.outputs * columns };
		gather(wasmOf(out), g, image.ptr, weight, places, bias, out.ptr);
	},

	scatter(g, out, weight, bias, image) {
		if (goesByRows(g)) scatterRows(g, out, weight, bias, image);
		else if (gathersBack(g)) gather(wasmOf(out), turned(g), out.ptr, weight, turnedWeights(g), bias, image.ptr);
		else if (!scatterPhases(g, out, weight, bias, image)) scatter(g, out, weight, bias, image);
	},

	outer(g, image, out, dweight, sums) {
		const wasm = wasmOf(out);
		if (g.images === 0) {
			for (const sum of [dweight, sums]) sum?.view().fill(0);
			return;
		}
		const plan = makePlan(wasm, g, "outer");
		const size = dweight.size;
		const both = size + (sums?.size ?? 0);
		// Parts of the rows of weights make items too, but would lay out the same images again.
		const worth = plan.imageBytes > 0 ? ITEMS : Math.ceil(g.images / LEAST_IMAGES);
		const most = Math.max(1, Math.min(ITEMS, worth, Math.floor(PARTIAL_FLOATS / Math.max(1, both))));
		const unitsEach = Math.ceil(plan.units / most);
		const chunks = Math.ceil(plan.units / unitsEach);
		const tall = plan.tall;
		const panels = Math.ceil((tall === 3 ? g.outputs : even(g.outputs)) / tall);
		const { splits, panelsEach } = splitPanels(panels, chunks * g.groups);
		const imageBytes = plan.imageBytes || 4 * g.channels * g.size[0] * g.size[1];
		const pixels = g.outSize[0] * g.outSize[1];
		const unpacked = tall === 2;
		const outBytes = tall === 8 || unpacked ? 4 * g.outputs * pixels : even(g.outputs) * plan.pixelGroups * 16;
		const each = imageBytes + outBytes;
		const held = Math.floor(CACHE_BYTES / each);
		const close = unpacked ? Math.max(Math.floor(CLOSE_BYTES / each), Math.ceil(LONG_RUN / pixels)) : held;
		const block = Math.max(1, Math.min(unitsEach, held, close));
		const basesBytes = Math.ceil((block * plan.pixelGroups) / 4) * 16;
		const direct = chunks === 1 && sums === null;
		const partial = direct ? dweight.ptr : wasm.take(4 * chunks * both);
		const items = chunks * g.groups * splits;
		wasm.launch(
			"conv_outer",
			[
				...[plan.fields, image.ptr, out.ptr, plan.offsets, plan.bases, plan.outBases, partial, both, sums ? size : 0],
				...[unitsEach, block, tall, splits, panelsEach, basesBytes, plan.imageBytes],
			],
			items,
			grain(g, items),
			TILE +
				8 * even(g.outputs) +
				(unpacked ? 2 : 1) * basesBytes +
				block * (plan.imageBytes + (unpacked ? 0 : outBytes)),
		);
		if (direct) return;
		const starts = Array.from({ length: chunks }, (_, chunk) => chunk * both);
		launchSum(wasm, partial, [starts], size, dweight.ptr);
		if (sums) launchSum(wasm, partial + 4 * size, [starts], sums.size, sums.ptr);
		wasm.giveBack(partial);
	},

	channelSums(x, images, channels, size, sums) {
		const wasm = wasmOf(x);
		const each = Math.max(1, Math.ceil(images / ITEMS));
		const chunks = Math.ceil(images / each);
		const partial = wasm.take(4 * Math.max(1, chunks * channels));
		const together = Math.max(1, Math.ceil(16384 / Math.max(1, each * size)));
		wasm.launch("conv_channel_sums", [x.ptr, images, channels, size, each, partial], chunks * channels, together);
		launchSum(wasm, partial, [Array.from({ length: chunks }, (_, chunk) => chunk * channels)], channels, sums.ptr);
		wasm.giveBack(partial);
	},
};

/** Where in a group's weights the element at row r and column k of the matrix to be packed is: rows[r] + columns[k]. */
interface Places {
	readonly rows: Int32Array;
	readonly columns: Int32Array;
	/** Elements from one group's weights to the next one's. */
	readonly groupStep: number;
}

/** The lists of places met last: a training step asks for the same ones again and again. */
const knownPlaces = new Map<string, Int32Array>();
const MOST_KNOWN = 256;

/** The list that is called `name`, made once. */
function remembered(name: string, make: () => number[]): Int32Array {
	const before = knownPlaces.get(name);
	if (before) return before;
	const made = Int32Array.from(make());
	const oldest = knownPlaces.keys().next().value;
	if (knownPlaces.size >= MOST_KNOWN && oldest !== undefined) knownPlaces.delete(oldest);
	knownPlaces.set(name, made);
	return made;
}

/** 0, step, 2 step, … */
function range(count: number, step: number): Int32Array {
	return remembered(`range ${count} ${step}`, () => Array.from({ length: count }, (_, i) => i * step));
}

/** From the image at `from` to the output at `to`. */
function gather(
	wasm: WasmBackend,
	g: Geometry,
	from: number,
	weight: Tensor,
	places: Places,
	bias: Tensor | null,
	to: number,
): void {
	if (g.images * g.groups * g.outputs * g.outSize[0] * g.outSize[1] === 0) return;
	const plan = makePlan(wasm, g, "gather");
	const copies = plan.wide ? 1 : LANES;
	const packed = pack(wasm, g, weight, places, even(g.outputs), copies);
	const weightBytes = 4 * copies * weightsOf(g);
	const together = plan.interleaved ? 1 : imagesTogether(plan.units * g.groups, even(g.outputs) * weightBytes);
	const wholes = Math.ceil(plan.units / together) * g.groups;
	const { splits, panelsEach } = splitPanels(Math.ceil(even(g.outputs) / PANEL), wholes);
	const items = wholes * splits;
	const blocks = Math.ceil((PANEL * weightBytes) / BLOCK_BYTES);
	const partBytes = blocks > 1 ? 128 * Math.ceil(plan.gatherGroups / 2) : 0;
	const pixels = g.outSize[0] * g.outSize[1];
	wasm.launch(
		"conv_gather",
		[
			...[plan.fields, from, plan.offsets, plan.gatherBases, packed, bias?.ptr ?? 0, to, plan.gatherOutBases],
			...[plan.partBases, blocks, splits, panelsEach, together, plan.imageBytes],
		],
		items,
		grain(g, items),
		TILE + together * (plan.imageBytes + partBytes) + (plan.interleaved ? even(g.outputs) * pixels * 32 : 0),
	);
	wasm.giveBack(packed);
}

function scatter(g: Geometry, out: Tensor, weight: Tensor, bias: Tensor | null, image: Tensor): void {
	if (image.size === 0) return;
	const wasm = wasmOf(out);
	const plan = makePlan(wasm, g, "gather");
	const weights = weightsOf(g);
	const order = remembered(`scatter ${g.channels} ${weights}`, () => scatterOrder(g));
	const places = { rows: order, columns: range(g.outputs, weights), groupStep: g.outputs * weights };
	const packed = pack(wasm, g, weight, places, Math.ceil(weights / PANEL) * PANEL);
	const items = plan.units * g.groups;
	wasm.launch(
		"conv_scatter",
		[...[plan.fields, out.ptr, plan.scatterOffsets, plan.bases, packed, bias?.ptr ?? 0, image.ptr], plan.imageBytes],
		items,
		grain(g, items),
		TILE + plan.imageBytes + g.outputs * plan.outputRowBytes,
	);
	wasm.giveBack(packed);
}

/** Whether there are loops that go through the image row by row. */
function goesByRows(g: Geometry): boolean {
	const steps = [...g.stride, ...g.dilation];
	const whole =
		g.top === 0 && g.left === 0 && g.size.every((length, axis) => length === g.outSize[axis] + g.kernel[axis] - 1);
	return whole && steps.every((step) => step === 1) && g.kernel[1] === 5 && g.outSize[1] % 8 === 0;
}

function scatterRows(g: Geometry, out: Tensor, weight: Tensor, bias: Tensor | null, image: Tensor): void {
	if (image.size === 0) return;
	const wasm = wasmOf(out);
	const plan = makePlan(wasm, g, "gather");
	const packed = wasm.take(4 * LANES * weight.size);
	const channels = g.groups * g.channels;
	const packing = [weight.ptr, g.outputs, g.channels, g.kernel[0], packed];
	wasm.launch("conv_pack_rows5", packing, channels, Math.ceil(8192 / (5 * g.kernel[0] * g.outputs)));
	const items = g.images * g.groups;
	const room = TILE + 4 * g.outputs * g.outSize[0] * g.outSize[1];
	const args = [plan.fields, out.ptr, packed, bias?.ptr ?? 0, image.ptr];
	wasm.launch("conv_scatter_rows5", args, items, grain(g, items), room);
	wasm.giveBack(packed);
}

/** With a stride: each phase by itself, then all of them put together. False where that is not worth it. */
function scatterPhases(g: Geometry, out: Tensor, weight: Tensor, bias: Tensor | null, image: Tensor): boolean {
	const wasm = wasmOf(image);
	const worth = wasm.build === "wide" && 2 * out.size * weightsOf(g) >= PHASES_FLOPS;
	const phases = worth ? phasesOf(g) : null;
	if (!phases) return false;
	const planes = g.images * g.groups * g.channels;
	const from = wasm.take(4 * image.size);
	let start = 0;
	const table = phases.flatMap(({ geometry, size, columns }, i) => {
		if (!geometry) return [-1, ...size];
		const taps = g.kernel[0] * g.kernel[1];
		const name = `phase ${i} ${g.outputs} ${g.channels} ${[g.kernel, g.stride, g.top, g.left]}`;
		const places = {
			...{ rows: range(g.channels, taps), columns: remembered(name, columns) },
			groupStep: g.outputs * weightsOf(g),
		};
		const at = start;
		gather(wasm, geometry, out.ptr, weight, places, bias, from + 4 * at);
		start += planes * size[0] * size[1];
		return [at, ...size];
	});
	wasm.launch(
		"conv_join",
		[from, wasm.table(table), bias?.ptr ?? 0, image.ptr, g.groups * g.channels, ...g.size, ...g.stride],
		planes,
		Math.max(1, Math.ceil(16384 / (g.size[0] * g.size[1]))),
	);
	wasm.giveBack(from);
	return true;
}

/**
 * With stride 1 the adjoint of a convolution is a convolution, of the output with the kernel turned
 * by half a turn. It does without adding to memory, but also multiplies the zeros that it pads with.
 */
function gathersBack(g: Geometry): boolean {
	const [rows, columns] = [extent(g, 0) - 1 - g.top, extent(g, 1) - 1 - g.left];
	if (g.stride[0] !== 1 || g.stride[1] !== 1 || rows < 0 || columns < 0) return false;
	const more = (g.size[0] * g.size[1]) / (g.outSize[0] * g.outSize[1]);
	return more < 1 + SCATTER_OVERHEAD / g.outputs;
}

/** The geometry of that convolution. */
function turned(g: Geometry): Geometry {
	return {
		...g,
		...{ channels: g.outputs, outputs: g.channels, size: g.outSize, outSize: g.size },
		...{ top: extent(g, 0) - 1 - g.top, left: extent(g, 1) - 1 - g.left },
	};
}

/** Its weights: [channel][output, turned kernel]. */
function turnedWeights(g: Geometry): Places {
	const taps = g.kernel[0] * g.kernel[1];
	const columns = remembered(`turned ${g.outputs} ${g.channels} ${taps}`, () =>
		Array.from({ length: g.outputs * taps }, (_, i) => Math.floor(i / taps) * weightsOf(g) + taps - 1 - (i % taps)),
	);
	return { rows: range(g.channels, taps), columns, groupStep: g.outputs * weightsOf(g) };
}

/** Cuts the panels of a group into parts where there are too few images to go round. */
function splitPanels(panels: number, wholes: number): { splits: number; panelsEach: number } {
	const panelsEach = Math.ceil(panels / Math.min(panels, Math.ceil(ITEMS / wholes)));
	return { splits: Math.ceil(panels / panelsEach), panelsEach };
}

/** Images an item, where there are `wholes` images or blocks and groups to go round and each group has so many bytes of weights. */
function imagesTogether(wholes: number, bytes: number): number {
	return bytes > NEAR_BYTES ? Math.max(1, Math.min(TOGETHER, Math.floor(wholes / ITEMS))) : 1;
}

/** Items a chunk, of `items` that share the work of the whole. */
function grain(g: Geometry, items: number): number {
	const flops = 2 * g.images * g.groups * g.outputs * weightsOf(g) * g.outSize[0] * g.outSize[1];
	const least = Math.round((CHUNK_FLOPS * items) / Math.max(1, flops));
	return Math.max(1, least, Math.min(5 * least, Math.floor(items / CHUNKS)));
}

/** Packs the weights at `places` into panels of four rows, each value `copies` times, and two for the rest of `padded` rows. */
function pack(wasm: WasmBackend, g: Geometry, weight: Tensor, places: Places, padded: number, copies = LANES): number {
	const { rows, columns, groupStep } = places;
	const out = wasm.take(4 * g.groups * (copies * (padded - (padded % PANEL)) + (padded % PANEL)) * columns.length);
	const [rowTable, columnTable] = [wasm.table(rows), wasm.table(columns)];
	const args = [weight.ptr, groupStep, rowTable, rows.length, padded, columnTable, columns.length, copies, out];
	const items = g.groups * Math.ceil(padded / PANEL);
	wasm.launch("conv_pack", args, items, Math.max(1, Math.ceil(8192 / (PANEL * columns.length))));
	return out;
}
