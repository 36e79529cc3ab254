// Maxima and minima over the middle of [outer, n, inner], and where they stand. A NaN is further out
// than any number.

import { storeFirst } from "../../backend/wasm/simd.as";

// @ts-ignore: decorator
@inline
function further(max: bool, a: v128, b: v128): v128 {
  return max ? f32x4.max(a, b) : f32x4.min(a, b);
}

// @ts-ignore: decorator
@inline
function furtherOne(max: bool, a: f32, b: f32): f32 {
  return max ? f32.max(a, b) : f32.min(a, b);
}

// @ts-ignore: decorator
@inline
function extremeOfRun(max: bool, x: usize, n: i32): f32 {
  let a = v128.load32_splat(x), b = a, c = a, d = a;
  let i = 0;
  for (; i + 16 <= n; i += 16, x += 64) {
    a = further(max, a, v128.load(x));
    b = further(max, b, v128.load(x, 16));
    c = further(max, c, v128.load(x, 32));
    d = further(max, d, v128.load(x, 48));
  }
  for (; i + 4 <= n; i += 4, x += 16) a = further(max, a, v128.load(x));
  a = further(max, further(max, a, b), further(max, c, d));
  a = further(max, a, i64x2.shuffle(a, a, 1, 0));
  let y = furtherOne(max, f32x4.extract_lane(a, 0), f32x4.extract_lane(a, 1));
  for (; i < n; i++, x += 4) y = furtherOne(max, y, load<f32>(x));
  return y;
}

// @ts-ignore: decorator
@inline
function extremeOfColumns(max: bool, x: usize, rows: i32, inner: i32, out: usize, columns: i32): void {
  const step = <usize>inner << 2;
  for (let i = 0; i < columns; i += 4) {
    let at = x + (<usize>i << 2);
    let y = v128.load(at);
    for (let r = 1; r < rows; r++) {
      at += step;
      y = further(max, y, v128.load(at));
    }
    if (i + 4 <= columns) v128.store(out + (<usize>i << 2), y);
    else storeFirst(out + (<usize>i << 2), y, columns - i);
  }
}

/**
 * out[o, k, i] is the extreme of x[o, k-th chunk of rows, i]. An item is (o, k, block): with inner 1 there is one
 * block, else blocks of columns.
 */
export function reduce_extreme(
  max: i32, x: usize, out: usize, n: i32, inner: i32, chunk: i32, chunks: i32, block: i32, blocks: i32,
  begin: i32, end: i32,
): void {
  for (let item = begin; item < end; item++) {
    const part = item / blocks;
    const column = (item - part * blocks) * block;
    const o = part / chunks;
    const from = (part - o * chunks) * chunk;
    const at = x + (((<usize>o * n + from) * inner + column) << 2);
    const to = out + ((<usize>part * inner + column) << 2);
    const rows = min(chunk, n - from);
    const columns = min(block, inner - column);
    if (inner == 1) store<f32>(to, max ? extremeOfRun(true, at, rows) : extremeOfRun(false, at, rows));
    else if (max) extremeOfColumns(true, at, rows, inner, to, columns);
    else extremeOfColumns(false, at, rows, inner, to, columns);
  }
}

/** out[o, i] = where in x[o, :, i] the extreme stands first, as int32. An item is (o, i). */
export function reduce_extreme_index(
  max: i32, x: usize, out: usize, n: i32, inner: i32, begin: i32, end: i32,
): void {
  const step = <usize>inner << 2;
  for (let item = begin; item < end; item++) {
    const o = item / inner;
    let at = x + ((<usize>o * n * inner + (item - o * inner)) << 2);
    let best = load<f32>(at);
    let where = 0;
    for (let k = 1; k < n && best == best; k++) {
      at += step;
      const value = load<f32>(at);
      if (value != value || (max ? value > best : value < best)) {
        best = value;
        where = k;
      }
    }
    store<i32>(out + (<usize>item << 2), where);
  }
}
