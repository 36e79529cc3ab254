// Moving elements: rows by memory.copy, planes by 4 x 4 transposes in registers.

import { storeTransposed } from "../../backend/wasm/simd.as";
import { offsetOf } from "../strides.as";

/** Shorter rows are copied word by word: memory.copy takes longer to call than to do them. */
const SHORT: usize = 64;

/** Width of the tiles in which planes are transposed: a cache line of 4-byte elements. */
const TILE: i32 = 16;

function copy(to: usize, from: usize, bytes: usize): void {
  if (bytes > SHORT) {
    memory.copy(to, from, bytes);
    return;
  }
  let at: usize = 0;
  for (; at + 4 <= bytes; at += 4) store<u32>(to + at, load<u32>(from + at));
  for (; at < bytes; at++) store<u8>(to + at, load<u8>(from + at));
}

/** Copies `bytes` of each row, cut into segments. An item is (row, segment). */
export function shape_copy_rows(
  x: usize, fromStride: usize, out: usize, toStride: usize, bytes: usize, segment: usize, segments: i32,
  begin: i32, end: i32,
): void {
  for (let item = begin; item < end; item++) {
    const row = <usize>(item / segments);
    const start = (<usize>item - row * segments) * segment;
    copy(out + row * toStride + start, x + row * fromStride + start, min(segment, bytes - start));
  }
}

/** Fills the output with rows that are whole in x too. `table` as in strides.as.ts; `size` bytes an element. */
export function shape_gather_rows(
  x: usize, out: usize, bytes: usize, size: usize, table: usize, ndim: i32, begin: i32, end: i32,
): void {
  for (let row = begin; row < end; row++) {
    copy(out + <usize>row * bytes, x + offsetOf(row, table, ndim, 4) * size, bytes);
  }
}

/**
 * out[b outStride + a] = x[a inStride + b] for a plane of `aLength` x `bLength` elements, and that for each plane of
 * `table` (strides.as.ts: strides in x and in out). An item is (plane, tile of 16 b).
 */
export function shape_transpose(
  x: usize, out: usize, size: i32, aLength: i32, inStride: i32, bLength: i32, outStride: i32, tiles: i32,
  table: usize, ndim: i32, begin: i32, end: i32,
): void {
  for (let item = begin; item < end; item++) {
    const plane = item / tiles;
    const b = (item - plane * tiles) * TILE;
    const from = x + (offsetOf(plane, table, ndim, 4) + b) * size;
    const to = out + (offsetOf(plane, table, ndim, 8) + <usize>b * outStride) * size;
    const width = min(TILE, bLength - b);
    if (size == 4) transposeWords(from, to, aLength, <usize>inStride << 2, width, <usize>outStride << 2);
    else transposeBytes(from, to, aLength, inStride, width, outStride);
  }
}

function transposeBytes(from: usize, to: usize, aLength: i32, inStride: usize, width: i32, outStride: usize): void {
  for (let b = 0; b < width; b++) {
    for (let a = 0; a < aLength; a++) {
      store<u8>(to + <usize>b * outStride + a, load<u8>(from + <usize>a * inStride + b));
    }
  }
}

function transposeWords(from: usize, to: usize, aLength: i32, inStride: usize, width: i32, outStride: usize): void {
  let a = 0;
  for (; a + 4 <= aLength; a += 4) {
    let b = 0;
    for (; b + 4 <= width; b += 4) {
      transposeBlock(
        from + <usize>a * inStride + (<usize>b << 2), inStride, to + <usize>b * outStride + (<usize>a << 2), outStride,
      );
    }
    for (; b < width; b++) transposeColumn(from, to, a, a + 4, b, inStride, outStride);
  }
  for (let b = 0; b < width; b++) transposeColumn(from, to, a, aLength, b, inStride, outStride);
}

function transposeColumn(
  from: usize, to: usize, begin: i32, end: i32, b: i32, inStride: usize, outStride: usize,
): void {
  const target = to + <usize>b * outStride;
  const source = from + (<usize>b << 2);
  for (let a = begin; a < end; a++) store<u32>(target + (<usize>a << 2), load<u32>(source + <usize>a * inStride));
}

// @ts-ignore: decorator
@inline
function transposeBlock(from: usize, inStride: usize, to: usize, outStride: usize): void {
  const r0 = v128.load(from);
  const r1 = v128.load(from + inStride);
  const r2 = v128.load(from + inStride * 2);
  const r3 = v128.load(from + inStride * 3);
  storeTransposed(r0, r1, r2, r3, to, outStride);
}
