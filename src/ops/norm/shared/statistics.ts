// The statistics of channels, as a table of four rows of C numbers: mean, the rest of the mean that
// float32 does not hold, 1 / sqrt(variance + eps), and the biased variance.

import type { WasmBackend } from "../../../backend/wasm/wasm-backend.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { empty, type KernelSet, kernelsFor, wasmOf } from "../../op.ts";
import type { ChannelGeometry } from "./geometry.ts";

interface StatisticsKernels {
	statistics(args: ChannelGeometry & { x: Tensor; stats: Tensor; eps: number }): void;
}

/** Elements that make a chunk worth a hand-over between threads. */
export const CHUNK = 16384;
/** Channels of so few values in each example are taken together where that leaves so many chunks a thread; see batch-norm/kernel.as.ts. */
export const SHORT = 256;
const TOGETHER = 8;
const LEAST_CHUNKS = 2;
/** Columns that a kernel takes together. */
const COLUMNS = 16;
export const SCRATCH_BYTES = 10240;

/** Calls `visit` with the index of every element of channel `channel`, and of its place in [n, s]. */
export function eachOfChannel(
	channel: number,
	{ n, c, s }: ChannelGeometry,
	visit: (index: number, position: number) => void,
): void {
	for (let example = 0; example < n; example++) {
		const start = (example * c + channel) * s;
		for (let i = 0; i < s; i++) visit(start + i, example * s + i);
	}
}

/** A geometry of which a mask may leave positions out. */
export interface CountedGeometry extends ChannelGeometry {
	/** Values a channel that count. */
	readonly count: number;
	/** 0 where a position of [n, s] does not count. */
	readonly mask?: ArrayLike<number>;
}

/** The statistics of `xs` into `table`, by the definition, in two passes. */
export function referenceStatistics(
	xs: ArrayLike<number>,
	table: { [index: number]: number },
	geometry: CountedGeometry,
	eps: number,
): void {
	const { c, count, mask } = geometry;
	for (let channel = 0; channel < c; channel++) {
		let sum = 0;
		eachOfChannel(channel, geometry, (i, position) => {
			if (!mask || mask[position]) sum += xs[i];
		});
		const mean = sum / count;
		let squares = 0;
		eachOfChannel(channel, geometry, (i, position) => {
			if (!mask || mask[position]) squares += (xs[i] - mean) ** 2;
		});
		const variance = squares / count;
		table[channel] = mean;
		table[c + channel] = 0;
		table[2 * c + channel] = 1 / Math.sqrt(variance + eps);
		table[3 * c + channel] = variance;
	}
}

/** So many channels make a chunk. Those that a kernel takes together have the same bits as by themselves. */
export function channelsAtOnce({ n, c, s }: ChannelGeometry, threads: number): number {
	const neighbors = s <= SHORT ? Math.min(TOGETHER, Math.floor(c / (LEAST_CHUNKS * threads))) : 1;
	return Math.max(1, neighbors, Math.ceil(CHUNK / (n * s)));
}

/**
 * Runs a kernel whose work items are channels. There are two of each: `name`, and `name_columns` for
 * [N, C], where a channel is a column and sizes are n and c alone.
 */
export function launchByChannel(
	name: string,
	like: Tensor,
	{ n, c, s }: ChannelGeometry,
	args: {
		tensors: readonly Located[];
		numbers?: readonly number[];
		columns?: boolean;
		scratchBytes?: number;
	},
): void {
	const columns = args.columns ?? s === 1;
	const backend = wasmOf(like);
	const perChunk = channelsAtOnce({ n, c, s }, backend.threads);
	const values = [...args.tensors.map(addressOf), ...(columns ? [n, c] : [n, c, s]), ...(args.numbers ?? [])];
	const grain = columns ? Math.ceil(perChunk / COLUMNS) * COLUMNS : perChunk;
	backend.launch(columns ? `${name}_columns` : name, values, c, grain, args.scratchBytes ?? SCRATCH_BYTES);
}

/** Runs a kernel whose items are blocks of examples of a channel. `numbers` are those behind n, c, s. */
export function launchByBlock(
	backend: WasmBackend,
	kernel: string,
	addresses: readonly number[],
	{ n, c, s }: ChannelGeometry,
	numbers: readonly number[] = [],
): void {
	// rowsTogether in the kernels.
	const rows = 4 * Math.ceil(SHORT / s);
	const grain = Math.ceil(CHUNK / (Math.min(rows, n) * s));
	backend.launch(kernel, [...addresses, n, c, s, ...numbers], Math.ceil(n / rows) * c, grain);
}

/** A tensor, or the part of it that starts so many elements in. Null: no such argument. */
export type Located = Tensor | null | readonly [Tensor | null, number];

/** The address that a kernel is given; 0 for no such argument. */
export function addressOf(located: Located): number {
	if (located === null) return 0;
	if ("isEvenkeelTensor" in located) return located.ptr;
	const [tensor, start] = located;
	return tensor === null ? 0 : tensor.ptr + 4 * start;
}

const kernels: KernelSet<StatisticsKernels> = {
	reference: {
		statistics({ x, stats, eps, n, c, s }) {
			referenceStatistics(x.view(), stats.view(), { n, c, s, count: n * s }, eps);
		},
	},
	wasm: {
		statistics({ x, stats, eps, ...geometry }) {
			launchByChannel("batch_norm_statistics", x, geometry, { tensors: [x, stats], numbers: [eps] });
		},
	},
};

/** Fills the table `stats`. x must not be empty. */
export function channelStatistics(x: Tensor, stats: Tensor, geometry: ChannelGeometry, eps: number): void {
	kernelsFor(kernels, x).statistics({ x, stats, eps, ...geometry });
}

/** Mean and biased variance of each channel, in double precision. x must not be empty. */
export function statisticsOf(x: Tensor, geometry: ChannelGeometry): { mean: Float64Array; variance: Float64Array } {
	const { c } = geometry;
	const stats = empty([4, c], x.backend, "float", "statistics");
	channelStatistics(x, stats, geometry, 0);
	const table = stats.view();
	const mean = Float64Array.from({ length: c }, (_, channel) => table[channel] + table[c + channel]);
	const variance = Float64Array.from(table.subarray(3 * c, 4 * c));
	stats.dispose();
	return { mean, variance };
}
