// What the wasm kernels need to know of a geometry: how an image is laid out for them, and tables of
// where the weights' pixels lie in it. kernel.as.ts and images.as.ts read them.

import type { WasmBackend } from "../../backend/wasm/wasm-backend.ts";
import { extent, type Geometry, sameGeometry, weightsOf } from "./geometry.ts";

/** As in images.as.ts. */
const IN_PLACE = 0;
const PADDED = 1;
const INTERLEAVED = 2;

/** Pixels of a group: the lanes of a vector. */
const LANES = 4;
/** Groups that lie side by side where two vectors may be merged, and how many groups gather takes at a time then, at most. */
const PAIR = 2;
const PAIRS_TOGETHER = 8;
/** Images of an interleaved block. */
const BLOCK = 8;
/** How many weights the gradient of the weights takes together, at most. */
const WEIGHTS_TOGETHER = 8;
/** Weights of a panel that is scattered. */
const PANEL = 4;

export interface Plan {
	readonly inPlace: boolean;
	readonly interleaved: boolean;
	/** Images, or interleaved blocks of them. */
	readonly units: number;
	/** Bytes of a laid-out image; 0 if it is used in place. */
	readonly imageBytes: number;
	/** Bytes of one laid-out row of the output. */
	readonly outputRowBytes: number;
	readonly pixelGroups: number;
	/** How many outputs the gradient of the weights takes together: 3, 4, with outputs as lanes 8, or 2 with rows of five weights. */
	readonly tall: number;
	/** Addresses of the tables. */
	readonly fields: number;
	readonly offsets: number;
	readonly scatterOffsets: number;
	readonly bases: number;
	readonly outBases: number;
	/** The same for gather, whose groups come in pairs where it is `wide`. */
	readonly gatherBases: number;
	readonly gatherOutBases: number;
	readonly gatherGroups: number;
	readonly wide: boolean;
	/** Where each group is in tiles of four rows by two groups. */
	readonly partBases: number;
}

/** A kernel of one pixel that touches every pixel: rows and columns are then one long row. */
function flattened(g: Geometry): Geometry {
	const pointwise = [...g.kernel, ...g.stride].every((length) => length === 1) && g.top === 0 && g.left === 0;
	if (!pointwise || g.size[0] !== g.outSize[0] || g.size[1] !== g.outSize[1]) return g;
	const size = [1, g.size[0] * g.size[1]] as const;
	return { ...g, size, outSize: size };
}

/** Channels so many floats apart lie in few sets of the first-level cache, and drive each other out of it. */
const ALIAS = 256;
/** A cache line, in floats. */
const LINE = 16;

/** At least so many floats from one channel to the next. */
const apart = (plane: number) => (plane % ALIAS === 0 ? plane + LINE : plane);

/**
 * How an image is laid out; lengths in floats, as in images.as.ts. Where vectors come in `pairs`, rows of 4 to 7 pixels leave many lanes
 * empty, and images side by side none, which is worth their being turned round unless there is little to multiply.
 */
function layout(g: Geometry, pairs: boolean) {
	const rows = (g.outSize[0] - 1) * g.stride[0] + extent(g, 0);
	const columns = (g.outSize[1] - 1) * g.stride[1] + extent(g, 1);
	const short = pairs && g.outSize[1] < PAIR * LANES && g.images % BLOCK === 0 && g.kernel[0] * g.kernel[1] > 1;
	if (g.outSize[1] < LANES || short) {
		const pitch = columns * BLOCK;
		return { mode: INTERLEAVED, rows, columns, pitch, phase: 0, plane: rows * pitch };
	}
	const fits = g.top === 0 && g.left === 0 && rows <= g.size[0] && columns <= g.size[1];
	if (fits && g.stride[1] === 1) {
		return { mode: IN_PLACE, rows, columns, pitch: g.size[1], phase: 0, plane: g.size[0] * g.size[1] };
	}
	const phase = Math.ceil(columns / g.stride[1]);
	const pitch = phase * g.stride[1];
	return { mode: PADDED, rows, columns, pitch, phase, plane: apart(rows * pitch) };
}

type Layout = ReturnType<typeof layout>;

/** The byte offset of each weight's pixel, in the order of the weights. */
function weightOffsets(g: Geometry, { mode, pitch, phase, plane }: Layout): number[] {
	const offsets: number[] = [];
	for (let c = 0; c < g.channels; c++) {
		for (let i = 0; i < g.kernel[0]; i++) {
			for (let j = 0; j < g.kernel[1]; j++) {
				const column = j * g.dilation[1];
				const stride = g.stride[1];
				const along = mode === INTERLEAVED ? column * BLOCK : (column % stride) * phase + Math.floor(column / stride);
				offsets.push(4 * (c * plane + i * g.dilation[0] * pitch + along));
			}
		}
	}
	return offsets;
}

/**
 * The byte offsets of each group of pixels in the image and in the output. Of a row they come `run` pixels at a time; the last run
 * overlaps the one before, where the row is no multiple.
 */
function groupBases(g: Geometry, { mode, pitch }: Layout, run = LANES): { bases: number[]; outBases: number[] } {
	const bases: number[] = [];
	const outBases: number[] = [];
	const [outHeight, outWidth] = g.outSize;
	for (let r = 0; r < outHeight; r++) {
		const row = r * g.stride[0] * pitch;
		if (mode === INTERLEAVED) {
			for (let s = 0; s < outWidth; s++) {
				for (let lane = 0; lane < BLOCK; lane += LANES) {
					bases.push(4 * (row + s * g.stride[1] * BLOCK + lane));
					outBases.push(4 * ((r * outWidth + s) * BLOCK + lane));
				}
			}
		} else {
			for (let s = 0; s < outWidth; s += run) {
				for (let start = Math.min(s, outWidth - run), end = start + run; start < end; start += LANES) {
					bases.push(4 * (row + start));
					outBases.push(4 * (r * outWidth + start));
				}
			}
		}
	}
	return { bases, outBases };
}

/** `values`, the last `of` of them repeated until their number is a multiple of `multiple`, which is one of `of`. */
function repeatLast(values: readonly number[], multiple: number, of = 1): number[] {
	const all = [...values];
	while (all.length % multiple !== 0) all.push(all[all.length - of]);
	return all;
}

/**
 * The weights in the order in which scatter adds them up: channels next to each other. Weights next
 * to each other in a row would make each addition wait for the one before.
 */
export function scatterOrder(g: Geometry): number[] {
	const taps = g.kernel[0] * g.kernel[1];
	return Array.from({ length: weightsOf(g) }, (_, i) => (i % g.channels) * taps + Math.floor(i / g.channels));
}

/**
 * Of how many panels of scatter, from the first on, each tile's places are apart: four weights that follow each other
 * are then of four channels, and two groups of pixels share no pixel.
 */
function panelsApart(g: Geometry, { mode }: Layout, pixelGroups: number): number {
	const groupsApart = (mode === INTERLEAVED || g.outSize[1] % LANES === 0) && pixelGroups % 2 === 0;
	return g.channels >= PANEL && groupsApart ? Math.floor(weightsOf(g) / PANEL) : 0;
}

/** How many weights that follow each other meet pixels that do: the kernel's width where there are loops for it, or 1. */
function tapsTogether(g: Geometry, { mode }: Layout): number {
	const neighbors = mode !== INTERLEAVED && g.stride[1] === 1 && g.dilation[1] === 1;
	return neighbors && (g.kernel[1] === 3 || g.kernel[1] === 5) ? g.kernel[1] : 1;
}

/** Whether groups of pixels come in pairs, the second right behind the first, in the image as in the output. */
function inPairs(g: Geometry, { mode }: Layout): boolean {
	return mode === INTERLEAVED || g.outSize[1] % (2 * LANES) === 0;
}

/**
 * Pixels are the lanes where they fill them in pairs of groups; otherwise outputs are, if there are eights of them, as they are wherever
 * vectors may be merged.
 */
function outputsTogether(g: Geometry, image: Layout, merged: boolean): number {
	if (tapsTogether(g, image) === 5 && g.outputs % 2 === 0 && inPairs(g, image)) return 2;
	if (g.outputs % 8 === 0 && image.mode !== INTERLEAVED && (merged || !inPairs(g, image))) return 8;
	return g.outputs % 3 === 0 ? 3 : 4;
}

/** What a plan is for: a convolution or its adjoint, or the gradient of its weights, for which images need not be turned round. */
type Use = "gather" | "outer";

type Addresses =
	| "fields"
	| "offsets"
	| "scatterOffsets"
	| "bases"
	| "outBases"
	| "gatherBases"
	| "gatherOutBases"
	| "partBases";

/** A plan whose tables, one after the other in `values`, are not yet in the heap. */
interface Tables extends Omit<Plan, Addresses> {
	readonly values: Int32Array;
	/** Where each table starts in `values`, in bytes. */
	readonly starts: readonly number[];
}

function makeTables(geometry: Geometry, merged: boolean, use: Use): Tables {
	const g = flattened(geometry);
	const pairs = merged && use === "gather";
	const image = layout(g, pairs);
	const { mode, rows, columns, pitch, phase, plane } = image;
	const offsets = weightOffsets(g, image);
	const { bases, outBases } = groupBases(g, image);
	const pixelGroups = bases.length;
	const wide = pairs && (mode === INTERLEAVED || g.outSize[1] >= PAIR * LANES);
	const gathered = wide ? groupBases(g, image, PAIR * LANES) : { bases, outBases };
	const gatherGroups = Math.ceil(gathered.bases.length / PAIRS_TOGETHER) * PAIRS_TOGETHER;
	const parts = wide ? gatherGroups : pixelGroups + (pixelGroups & 1);
	const pixels = g.outSize[0] * g.outSize[1];
	const outInPlace = mode !== INTERLEAVED && g.outSize[1] % LANES === 0 && pixelGroups % 2 === 0;
	const outPitch = outInPlace ? pixels : (pixelGroups + (pixelGroups & 1)) * LANES;
	const fields = [
		...[g.channels, g.size[0], g.size[1], rows, columns, pitch, phase, plane, g.stride[1], g.top, g.left, mode],
		...[g.images, g.groups, g.outputs, offsets.length, g.outSize[0], g.outSize[1], pixelGroups, outPitch],
		...[
			outInPlace ? 1 : 0,
			g.stride[0],
			extent(g, 0),
			extent(g, 1),
			panelsApart(g, image, pixelGroups),
			tapsTogether(g, image),
			inPairs(g, image) ? 1 : 0,
			wide ? gatherGroups : pixelGroups,
			wide ? 1 : 0,
		],
	];
	// Past the last weight stand zeros in the place of the first, which add zero times what that one adds.
	const missing = new Array<number>((PANEL - (offsets.length % PANEL)) % PANEL).fill(offsets[0]);
	const tables = [
		fields,
		repeatLast(offsets, WEIGHTS_TOGETHER),
		[...scatterOrder(g).map((k) => offsets[k]), ...missing],
		repeatLast(bases, LANES),
		repeatLast(outBases, LANES),
		repeatLast(gathered.bases, PAIRS_TOGETHER, PAIR),
		repeatLast(gathered.outBases, PAIRS_TOGETHER, PAIR),
		Array.from({ length: parts }, (_, i) => 128 * (i >> 1) + 16 * (i & 1)),
	];
	const starts = [0];
	for (const table of tables) starts.push(starts[starts.length - 1] + 4 * table.length);
	return {
		inPlace: mode === IN_PLACE,
		interleaved: mode === INTERLEAVED,
		units: Math.ceil(g.images / (mode === INTERLEAVED ? BLOCK : 1)),
		imageBytes: mode === IN_PLACE ? 0 : 4 * g.channels * plane + 64,
		outputRowBytes: 16 * (pixelGroups + (pixelGroups & 1)),
		pixelGroups,
		gatherGroups: wide ? gatherGroups : pixelGroups,
		wide,
		tall: outputsTogether(g, image, merged),
		values: Int32Array.from(tables.flat()),
		starts,
	};
}

/** The tables of the shapes met last: a training step asks for the same ones again and again. */
const known: { geometry: Geometry; merged: boolean; use: Use; tables: Tables }[] = [];
const MOST_KNOWN = 128;

function tablesFor(geometry: Geometry, merged: boolean, use: Use): Tables {
	for (const entry of known) {
		const same = entry.merged === merged && entry.use === use && sameGeometry(entry.geometry, geometry);
		if (same) return entry.tables;
	}
	const tables = makeTables(geometry, merged, use);
	if (known.length === MOST_KNOWN) known.shift();
	known.push({ geometry, merged, use, tables });
	return tables;
}

export function makePlan(wasm: WasmBackend, geometry: Geometry, use: Use): Plan {
	const tables = tablesFor(geometry, wasm.build === "wide", use);
	const { starts } = tables;
	const ptr = wasm.table(tables.values);
	return {
		inPlace: tables.inPlace,
		interleaved: tables.interleaved,
		units: tables.units,
		imageBytes: tables.imageBytes,
		outputRowBytes: tables.outputRowBytes,
		pixelGroups: tables.pixelGroups,
		gatherGroups: tables.gatherGroups,
		wide: tables.wide,
		tall: tables.tall,
		fields: ptr,
		offsets: ptr + starts[1],
		scatterOffsets: ptr + starts[2],
		bases: ptr + starts[3],
		outBases: ptr + starts[4],
		gatherBases: ptr + starts[5],
		gatherOutBases: ptr + starts[6],
		partBases: ptr + starts[7],
	};
}
