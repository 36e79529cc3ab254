// Sums of sixteen columns, one cache line, over a few rows of a table that is read in blocks of rows
// (src/ops/norm/batch-norm/rows.as.ts): float32 lanes, merged in float64.

import { fma } from "../../../backend/wasm/simd.as";

/** Columns taken together. Ranges of channels begin at multiples of it. */
export const COLUMNS: i32 = 16;
/** Rows summed in float32 before they are merged in float64. */
export const ROWS: i32 = 32;

// @ts-ignore: decorator
@inline
function addLanes(sums: usize, v: v128): void {
  v128.store(sums, f64x2.add(v128.load(sums), f64x2.promote_low_f32x4(v)));
  const high = i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  v128.store(sums, f64x2.add(v128.load(sums, 16), f64x2.promote_low_f32x4(high)), 16);
}

/**
 * For 16 columns from address `x`: adds the sums of d and of d², d = x - center, over n rows of `c`
 * columns, n at most ROWS, to 16 float64 at `sums` and at `squares`. Where fewer columns are left the
 * other sums are of whatever lies behind them, and are to be ignored.
 */
export function addColumnSums(x: usize, n: i32, c: i32, centers: usize, sums: usize, squares: usize): void {
  const step = <usize>c << 2;
  const c0 = v128.load(centers), c1 = v128.load(centers, 16), c2 = v128.load(centers, 32), c3 = v128.load(centers, 48);
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
  let q0 = s0, q1 = s0, q2 = s0, q3 = s0;
  for (let row = 0; row < n; row++, x += step) {
    const d0 = f32x4.sub(v128.load(x), c0);
    const d1 = f32x4.sub(v128.load(x, 16), c1);
    const d2 = f32x4.sub(v128.load(x, 32), c2);
    const d3 = f32x4.sub(v128.load(x, 48), c3);
    s0 = f32x4.add(s0, d0);
    s1 = f32x4.add(s1, d1);
    s2 = f32x4.add(s2, d2);
    s3 = f32x4.add(s3, d3);
    q0 = fma(d0, d0, q0);
    q1 = fma(d1, d1, q1);
    q2 = fma(d2, d2, q2);
    q3 = fma(d3, d3, q3);
  }
  addLanes(sums, s0);
  addLanes(sums + 32, s1);
  addLanes(sums + 64, s2);
  addLanes(sums + 96, s3);
  addLanes(squares, q0);
  addLanes(squares + 32, q1);
  addLanes(squares + 64, q2);
  addLanes(squares + 96, q3);
}

/** As addColumnSums, of dy and dy (x - center). */
export function addColumnGradientSums(
  x: usize, dy: usize, n: i32, c: i32, centers: usize, sums: usize, dots: usize,
): void {
  const step = <usize>c << 2;
  const c0 = v128.load(centers), c1 = v128.load(centers, 16), c2 = v128.load(centers, 32), c3 = v128.load(centers, 48);
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
  let p0 = s0, p1 = s0, p2 = s0, p3 = s0;
  for (let row = 0; row < n; row++, x += step, dy += step) {
    const g0 = v128.load(dy), g1 = v128.load(dy, 16), g2 = v128.load(dy, 32), g3 = v128.load(dy, 48);
    s0 = f32x4.add(s0, g0);
    s1 = f32x4.add(s1, g1);
    s2 = f32x4.add(s2, g2);
    s3 = f32x4.add(s3, g3);
    p0 = fma(g0, f32x4.sub(v128.load(x), c0), p0);
    p1 = fma(g1, f32x4.sub(v128.load(x, 16), c1), p1);
    p2 = fma(g2, f32x4.sub(v128.load(x, 32), c2), p2);
    p3 = fma(g3, f32x4.sub(v128.load(x, 48), c3), p3);
  }
  addLanes(sums, s0);
  addLanes(sums + 32, s1);
  addLanes(sums + 64, s2);
  addLanes(sums + 96, s3);
  addLanes(dots, p0);
  addLanes(dots + 32, p1);
  addLanes(dots + 64, p2);
  addLanes(dots + 96, p3);
}
