// Matrix products on the wasm backend: which way to go for a shape, and how it is cut into items.
// All of it depends on shapes alone, so that results do not depend on the number of threads.

import type { WasmBackend } from "../../backend/wasm/wasm-backend.ts";
import { wasmOf } from "../op.ts";
import type { Matrices, Product, ProductKernels } from "./product.ts";

/** The micro-kernel's tile. */
const TILE_M = 3;
const TILE_N = 12;
/**
 * Most of k at once: twelve columns of B are then at most 24 kB and stay in the first-level cache. Where k is shorter, as
 * many more columns are packed together.
 */
const K_BLOCK = 512;
/** How many of them side by side where vectors may be merged: twice as much of B is packed for them. */
const WIDE_TILES = 2;
/** Up to so many rows or columns, dot products do better than tiles that stand mostly empty. */
const FEW = 3;
/** Work of an item of a launch that is worth handing out (10 us). */
const LEAST_FLOPS = 4e5;
/** Items that a product is cut into at least, if they are worth it: enough to share out evenly. */
const LEAST_ITEMS = 16;
/** Rows of a block, in tiles: so many use what is packed of B. Theirs of A, at most 640 kB, stay in the second-level cache. */
const ROWS = 104;
/** Columns of a block, in tiles, where there are many. */
const COLUMNS = 64;

export const wasmProducts: ProductKernels = {
	multiply(product) {
		const { a, b, m, n, k } = product;
		if (a.starts.length * m * n === 0) return;
		const rowsMeet = a.strides[1] === 1 && b.strides[0] === 1;
		if (rowsMeet && a.starts.length === 1 && Math.min(m, n) <= FEW && k > 0) multiplyByDots(product);
		else multiplyByTiles(product);
	},
	sumRuns(x, starts, size, out) {
		launchSum(wasmOf(x), x.ptr, starts, size, out.ptr);
	},
};

/** Element by element, to[o] = sum over j of the `size` floats at from + starts[o][j], in this order. */
export function launchSum(
	wasm: WasmBackend,
	from: number,
	starts: readonly (readonly number[])[],
	size: number,
	to: number,
): void {
	const list = wasm.table(starts.flat());
	const run = 2048;
	const runs = Math.ceil(size / run);
	const count = starts[0]?.length ?? 0;
	const grain = Math.max(1, Math.ceil(32768 / (Math.min(run, size) * Math.max(1, count))));
	wasm.launch("matmul_sum", [from, list, count, size, runs, run, to], starts.length * runs, grain);
}

/** Each of the many rows against the few. */
function multiplyByDots({ a, b, c, bias, m, n, k }: Product): void {
	const left = { ptr: a.tensor.ptr + 4 * a.starts[0], row: a.strides[0], count: m, c: n, bias: 0 };
	const right = { ptr: b.tensor.ptr + 4 * b.starts[0], row: b.strides[1], count: n, c: 1, bias: 1 };
	const [many, few] = m > n ? [left, right] : [right, left];
	const grain = Math.max(1, Math.ceil(LEAST_FLOPS / 4 / (2 * k * few.count)));
	wasmOf(c).launch(
		"matmul_dots",
		[
			...[many.ptr, many.row, few.ptr, few.row, few.count, k, c.ptr, many.c, few.c],
			...[bias?.ptr ?? 0, many.bias, few.bias],
		],
		many.count,
		grain,
	);
}

function multiplyByTiles({ a, b, c, bias, m, n, k }: Product): void {
	const wasm = wasmOf(c);
	const rows = a.strides[1] === 1 ? null : contiguousRows(wasm, a, m, k);
	const beside = wasm.build === "wide" ? WIDE_TILES : 1;
	const { blockM, blockN, items } = blocks(m, n, k, beside);
	const kBlocks = Math.max(1, Math.ceil((k * beside) / K_BLOCK));
	const kStep = Math.max(1, Math.ceil(k / kBlocks));
	const together = Math.min(blockN, beside * Math.max(1, Math.floor(K_BLOCK / (kStep * beside))));
	wasm.launch(
		"matmul_multiply",
		[
			...(rows ? [rows.ptr, k, wasm.table(rows.starts)] : [a.tensor.ptr, a.strides[0], wasm.table(a.starts)]),
			...[b.tensor.ptr, b.strides[0], b.strides[1], wasm.table(b.starts)],
			...[c.ptr, m, n, k, bias?.ptr ?? 0, blockM, blockN, kBlocks, together],
		],
		a.starts.length * items,
		itemsAtOnce(2 * m * n * k, items),
		384 + TILE_N * 4 * kStep * together,
	);
	if (rows) wasm.giveBack(rows.ptr);
}

/** Each matrix of `a` once, however many products it is in, contiguous along k. Says where each product's A starts. */
function contiguousRows(wasm: WasmBackend, a: Matrices, m: number, k: number): { ptr: number; starts: number[] } {
	const distinct = [...new Set(a.starts)];
	const ptr = wasm.take(distinct.length * m * k * 4);
	const blocks = Math.ceil(m / 16);
	const grain = Math.max(1, Math.ceil(16384 / (16 * Math.max(1, k))));
	const args = [a.tensor.ptr, a.strides[0], a.strides[1], m, k, wasm.table(distinct), blocks, ptr];
	wasm.launch("matmul_rows", args, distinct.length * blocks, grain);
	const places = new Map(distinct.map((start, i) => [start, i * m * k]));
	return { ptr, starts: a.starts.map((start) => places.get(start) ?? 0) };
}

/**
 * How one product is cut into blocks of tiles: tall ones, since each packs its columns of B; smaller where that leaves too
 * few of them to share out, as long as each is worth handing out.
 */
function blocks(m: number, n: number, k: number, beside: number): { blockM: number; blockN: number; items: number } {
	const tilesM = Math.ceil(m / TILE_M);
	const tilesN = Math.ceil(n / TILE_N);
	const least = LEAST_FLOPS / (2 * TILE_M * TILE_N * Math.max(1, k));
	const cut = (tiles: number, most: number) => Math.ceil(tiles / Math.ceil(tiles / most));
	const inTiles = (columns: number) => Math.ceil(columns / beside) * beside;
	let blockM = cut(tilesM, ROWS);
	let blockN = inTiles(cut(tilesN, COLUMNS));
	const items = () => Math.ceil(tilesM / blockM) * Math.ceil(tilesN / blockN);
	while (items() < LEAST_ITEMS && blockM * blockN >= 2 * least) {
		if (blockN > beside) blockN = inTiles(blockN / 2);
		else blockM = Math.ceil(blockM / 2);
	}
	return { blockM, blockN, items: items() };
}

/** Items a chunk: one, unless products are so small that one is not worth handing out. */
function itemsAtOnce(flops: number, items: number): number {
	return Math.max(1, Math.round((LEAST_FLOPS * items) / Math.max(flops, 1) / 2));
}
