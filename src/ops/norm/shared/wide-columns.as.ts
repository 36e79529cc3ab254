// Statistics of [N, C], where a channel is a column, read along the rows: up to 256 columns at a time,
// with their sums in memory that stays in the first-level cache. Going down a column instead would touch
// a page of memory every other row.
//
// All arrays are padded to whole vectors: lanes past the last column are computed and never used.

import { fma } from "../../../backend/wasm/simd.as";
import { gradient4 } from "./normalize.as";

/** Most columns taken together. */
export const WIDE: i32 = 256;
/** Bytes of the float64 sums that a call leaves: WIDE of one kind, then WIDE of the other. */
export const WIDE_SUMS: usize = 4096;
/** Bytes that a call uses at `out`: the float64 sums, and behind them float32 ones for a block of rows. */
export const WIDE_BYTES: usize = 6144;
/** Times four rows that are summed in float32 before they are merged in float64. A power of two. */
const ROWS: i32 = 8;

/** Adds four float32 sums to float64 ones. */
// @ts-ignore: decorator
@inline
function merge(from: usize, to: usize): void {
  const v = v128.load(from);
  const high = i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  v128.store(to, f64x2.add(v128.load(to), f64x2.promote_low_f32x4(v)));
  v128.store(to, f64x2.add(v128.load(to, 16), f64x2.promote_low_f32x4(high)), 16);
}

/** Merges both kinds of float32 sums of `bytes` bytes of columns, and clears them. */
function mergeBlock(out: usize, bytes: usize): void {
  const sums = out + WIDE_SUMS;
  for (let at: usize = 0; at < bytes; at += 16) {
    merge(sums + at, out + 2 * at);
    merge(sums + 1024 + at, out + 2048 + 2 * at);
  }
  memory.fill(sums, 0, 2048);
}

/** The mean of the first `rows` rows of each column: a center that is close to the column's mean. */
export function roughCenters(x: usize, rows: i32, c: i32, width: i32, centers: usize): void {
  const step = <usize>c << 2;
  const share = f32x4.splat(<f32>1 / <f32>rows);
  for (let i = 0; i < width; i += 4) {
    let at = x + (<usize>i << 2);
    let sum = v128.load(at);
    for (let row = 1; row < rows; row++) {
      at += step;
      sum = f32x4.add(sum, v128.load(at));
    }
    const mean = f32x4.mul(sum, share);
    if (i + 4 <= width) v128.store(centers + (<usize>i << 2), mean);
    else {
      store<f32>(centers + (<usize>i << 2), f32x4.extract_lane(mean, 0));
      if (i + 1 < width) store<f32>(centers + (<usize>i << 2), f32x4.extract_lane(mean, 1), 4);
      if (i + 2 < width) store<f32>(centers + (<usize>i << 2), f32x4.extract_lane(mean, 2), 8);
    }
  }
}

/**
 * sum d and sum d², d = x - center, for `width` columns, at most WIDE, over n rows of `c` columns. Four rows are taken
 * side by side: neighbours, or, if `spread`, one of each quarter. Memory then gives four stretches at once.
 */
export function wideColumnSums(
  x: usize, n: i32, c: i32, width: i32, centers: usize, out: usize, spread: bool,
): void {
  memory.fill(out, 0, WIDE_BYTES);
  const bytes = <usize>((width + 3) & ~3) << 2;
  const step = <usize>c << 2;
  const sums = out + WIDE_SUMS;
  const quads = n >> 2;
  const apart = spread ? <usize>quads * step : step;
  const next = spread ? step : 4 * step;
  for (let quad = 0; quad < quads; quad++, x += next) {
    const x1 = x + apart, x2 = x1 + apart, x3 = x2 + apart;
    for (let at: usize = 0; at < bytes; at += 16) {
      const center = v128.load(centers + at);
      const d0 = f32x4.sub(v128.load(x + at), center);
      const d1 = f32x4.sub(v128.load(x1 + at), center);
      const d2 = f32x4.sub(v128.load(x2 + at), center);
      const d3 = f32x4.sub(v128.load(x3 + at), center);
      const s = f32x4.add(f32x4.add(d0, d1), f32x4.add(d2, d3));
      const q = fma(d0, d0, f32x4.mul(d1, d1));
      const r = fma(d2, d2, f32x4.mul(d3, d3));
      v128.store(sums + at, f32x4.add(v128.load(sums + at), s));
      v128.store(sums + at, f32x4.add(v128.load(sums + at, 1024), f32x4.add(q, r)), 1024);
    }
    if ((quad & (ROWS - 1)) == ROWS - 1) mergeBlock(out, bytes);
  }
  if (spread) x += 3 * apart;
  for (let row = 4 * quads; row < n; row++, x += step) {
    for (let at: usize = 0; at < bytes; at += 16) {
      const d = f32x4.sub(v128.load(x + at), v128.load(centers + at));
      v128.store(sums + at, f32x4.add(v128.load(sums + at), d));
      v128.store(sums + at, fma(d, d, v128.load(sums + at, 1024)), 1024);
    }
  }
  mergeBlock(out, bytes);
}

/** As wideColumnSums, of dy and dy (x - center). */
export function wideGradientSums(
  x: usize, dy: usize, n: i32, c: i32, width: i32, centers: usize, out: usize, spread: bool,
): void {
  memory.fill(out, 0, WIDE_BYTES);
  const bytes = <usize>((width + 3) & ~3) << 2;
  const step = <usize>c << 2;
  const sums = out + WIDE_SUMS;
  const quads = n >> 2;
  const apart = spread ? <usize>quads * step : step;
  const next = spread ? step : 4 * step;
  for (let quad = 0; quad < quads; quad++, x += next, dy += next) {
    const x1 = x + apart, x2 = x1 + apart, x3 = x2 + apart;
    const g1At = dy + apart, g2At = g1At + apart, g3At = g2At + apart;
    for (let at: usize = 0; at < bytes; at += 16) {
      const center = v128.load(centers + at);
      const g0 = v128.load(dy + at), g1 = v128.load(g1At + at), g2 = v128.load(g2At + at), g3 = v128.load(g3At + at);
      const s = f32x4.add(f32x4.add(g0, g1), f32x4.add(g2, g3));
      const p = fma(g0, f32x4.sub(v128.load(x + at), center), f32x4.mul(g1, f32x4.sub(v128.load(x1 + at), center)));
      const r = fma(g2, f32x4.sub(v128.load(x2 + at), center), f32x4.mul(g3, f32x4.sub(v128.load(x3 + at), center)));
      v128.store(sums + at, f32x4.add(v128.load(sums + at), s));
      v128.store(sums + at, f32x4.add(v128.load(sums + at, 1024), f32x4.add(p, r)), 1024);
    }
    if ((quad & (ROWS - 1)) == ROWS - 1) mergeBlock(out, bytes);
  }
  if (spread) {
    x += 3 * apart;
    dy += 3 * apart;
  }
  for (let row = 4 * quads; row < n; row++, x += step, dy += step) {
    for (let at: usize = 0; at < bytes; at += 16) {
      const g = v128.load(dy + at);
      v128.store(sums + at, f32x4.add(v128.load(sums + at), g));
      const d = f32x4.sub(v128.load(x + at), v128.load(centers + at));
      v128.store(sums + at, fma(g, d, v128.load(sums + at, 1024)), 1024);
    }
  }
  mergeBlock(out, bytes);
}

/** y = (x - center) scale + shift, row by row; centers, scales and shifts one a column. */
export function normalizeWide(
  x: usize, y: usize, n: i32, c: i32, width: i32, centers: usize, scales: usize, shifts: usize,
): void {
  const step = <usize>c << 2;
  const whole = <usize>(width & ~3) << 2;
  const bytes = <usize>width << 2;
  for (let row = 0; row < n; row++, x += step, y += step) {
    let at: usize = 0;
    for (; at < whole; at += 16) {
      const d = f32x4.sub(v128.load(x + at), v128.load(centers + at));
      v128.store(y + at, fma(d, v128.load(scales + at), v128.load(shifts + at)));
    }
    for (; at < bytes; at += 4) {
      store<f32>(y + at, (load<f32>(x + at) - load<f32>(centers + at)) * load<f32>(scales + at) + load<f32>(shifts + at));
    }
  }
}

/** dx = a dy + b (x - center) + shift, row by row; one of each a column. */
export function gradientWide(
  x: usize, dy: usize, dx: usize, n: i32, c: i32, width: i32, centers: usize, as: usize, bs: usize, shifts: usize,
): void {
  const step = <usize>c << 2;
  const whole = <usize>(width & ~3) << 2;
  const bytes = <usize>width << 2;
  for (let row = 0; row < n; row++, x += step, dy += step, dx += step) {
    let at: usize = 0;
    for (; at < whole; at += 16) {
      const d = f32x4.sub(v128.load(x + at), v128.load(centers + at));
      const through = fma(d, v128.load(bs + at), v128.load(shifts + at));
      v128.store(dx + at, fma(v128.load(dy + at), v128.load(as + at), through));
    }
    for (; at < bytes; at += 4) {
      const through = (load<f32>(x + at) - load<f32>(centers + at)) * load<f32>(bs + at) + load<f32>(shifts + at);
      store<f32>(dx + at, load<f32>(dy + at) * load<f32>(as + at) + through);
    }
  }
}
