// Sums over the middle of [outer, n, inner]. Short runs are added in float32, those in float64: ten
// million numbers of mean 10,000 keep seven digits. A long n is cut into chunks, whose sums a
// second kernel adds in order.

import { sumLanesF64 } from "../../backend/wasm/simd.as";

export * from "./extreme.as";

/** Numbers added in float32 before the sum is passed to a float64. */
const RUN: i32 = 512;
/** Rows added in float32 before that. */
const ROWS: i32 = 32;

// @ts-ignore: decorator
@inline
function add(a: v128, at: usize, offset: usize): v128 {
  return f32x4.add(a, v128.load(at + offset));
}

/** The sum of up to 512 numbers; 32 partial sums, added pairwise at the end. */
function sumOfRun(x: usize, n: i32): f64 {
  let a = f32x4.splat(0), b = f32x4.splat(0), c = f32x4.splat(0), d = f32x4.splat(0);
  let e = f32x4.splat(0), f = f32x4.splat(0), g = f32x4.splat(0), h = f32x4.splat(0);
  let i = 0;
  for (; i + 32 <= n; i += 32, x += 128) {
    a = add(a, x, 0); b = add(b, x, 16); c = add(c, x, 32); d = add(d, x, 48);
    e = add(e, x, 64); f = add(f, x, 80); g = add(g, x, 96); h = add(h, x, 112);
  }
  for (; i + 4 <= n; i += 4, x += 16) a = add(a, x, 0);
  const left = f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
  const right = f32x4.add(f32x4.add(e, f), f32x4.add(g, h));
  let sum = sumLanesF64(f32x4.add(left, right));
  for (; i < n; i++, x += 4) sum += <f64>load<f32>(x);
  return sum;
}

function sumOfRow(x: usize, n: i32): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < n; i += RUN) sum += sumOfRun(x + (<usize>i << 2), min(RUN, n - i));
  return sum;
}

/** out[o] = scale * sum(x[o, :]), for rows of n numbers that need no cutting. */
export function reduce_sum_rows(x: usize, out: usize, n: i32, scale: f64, begin: i32, end: i32): void {
  for (let o = begin; o < end; o++) {
    store<f32>(out + (<usize>o << 2), <f32>(scale * sumOfRow(x + ((<usize>o * n) << 2), n)));
  }
}

/** partial[o, k] = the sum of the k-th chunk of row o, in float64. An item is a chunk. */
export function reduce_sum_row_chunks(
  x: usize, partial: usize, n: i32, chunk: i32, chunks: i32, begin: i32, end: i32,
): void {
  for (let item = begin; item < end; item++) {
    const o = item / chunks;
    const from = (item - o * chunks) * chunk;
    const at = x + ((<usize>o * n + from) << 2);
    store<f64>(partial + (<usize>item << 3), sumOfRow(at, min(chunk, n - from)));
  }
}

/**
 * Sums rows of `inner` columns. An item is (o, k, block): the k-th chunk of rows of x[o], and a block of columns.
 * With one chunk the sums, times scale, are written to `out` as float32; with more to `out`[o, k, inner] as float64.
 */
export function reduce_sum_columns(
  x: usize, out: usize, n: i32, inner: i32, chunk: i32, chunks: i32, block: i32, blocks: i32, scale: f64,
  begin: i32, end: i32,
): void {
  for (let item = begin; item < end; item++) {
    const part = item / blocks;
    const column = (item - part * blocks) * block;
    const o = part / chunks;
    const from = (part - o * chunks) * chunk;
    const at = x + (((<usize>o * n + from) * inner + column) << 2);
    const to = <usize>part * inner + column;
    const rows = min(chunk, n - from);
    const columns = min(block, inner - column);
    for (let i = 0; i < columns; i += 8) {
      sumEightColumns(at + (<usize>i << 2), out, to + i, rows, inner, min(8, columns - i), chunks > 1, scale);
    }
  }
}

/** Eight columns side by side; of the last block some are beyond the end: they are read and not written. */
function sumEightColumns(
  x: usize, out: usize, to: usize, rows: i32, inner: i32, columns: i32, wide: bool, scale: f64,
): void {
  const step = <usize>inner << 2;
  let s0 = f64x2.splat(0), s1 = f64x2.splat(0), s2 = f64x2.splat(0), s3 = f64x2.splat(0);
  for (let row = 0; row < rows; row += ROWS) {
    const stop = min(row + ROWS, rows);
    let a = f32x4.splat(0), b = f32x4.splat(0), c = f32x4.splat(0), d = f32x4.splat(0);
    let r = row;
    for (; r + 2 <= stop; r += 2, x += step << 1) {
      a = add(a, x, 0); b = add(b, x, 16);
      c = add(c, x + step, 0); d = add(d, x + step, 16);
    }
    if (r < stop) {
      a = add(a, x, 0); b = add(b, x, 16);
      x += step;
    }
    a = f32x4.add(a, c);
    b = f32x4.add(b, d);
    s0 = f64x2.add(s0, f64x2.promote_low_f32x4(a));
    s1 = f64x2.add(s1, f64x2.promote_low_f32x4(i64x2.shuffle(a, a, 1, 0)));
    s2 = f64x2.add(s2, f64x2.promote_low_f32x4(b));
    s3 = f64x2.add(s3, f64x2.promote_low_f32x4(i64x2.shuffle(b, b, 1, 0)));
  }
  storePair(out, to, s0, columns, wide, scale);
  storePair(out, to + 2, s1, columns - 2, wide, scale);
  storePair(out, to + 4, s2, columns - 4, wide, scale);
  storePair(out, to + 6, s3, columns - 6, wide, scale);
}

function storePair(out: usize, to: usize, sums: v128, columns: i32, wide: bool, scale: f64): void {
  if (columns > 0) storeSum(out, to, f64x2.extract_lane(sums, 0), wide, scale);
  if (columns > 1) storeSum(out, to + 1, f64x2.extract_lane(sums, 1), wide, scale);
}

// @ts-ignore: decorator
@inline
function storeSum(out: usize, to: usize, sum: f64, wide: bool, scale: f64): void {
  if (wide) store<f64>(out + (to << 3), sum);
  else store<f32>(out + (to << 2), <f32>(sum * scale));
}

/** out[o, i] = scale * (partial[o, 0, i] + partial[o, 1, i] + …), in that order. An item is (o, i). */
export function reduce_sum_chunks(
  partial: usize, out: usize, chunks: i32, inner: i32, scale: f64, begin: i32, end: i32,
): void {
  for (let item = begin; item < end; item++) {
    const o = item / inner;
    let at = partial + ((<usize>o * chunks * inner + (item - o * inner)) << 3);
    let sum: f64 = 0;
    for (let k = 0; k < chunks; k++, at += <usize>inner << 3) sum += load<f64>(at);
    store<f32>(out + (<usize>item << 2), <f32>(sum * scale));
  }
}
