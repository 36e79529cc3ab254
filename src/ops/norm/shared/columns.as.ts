// The same statistics for [N, C]: a channel is a column. Sixteen columns, one cache line, are taken
// together down the rows; float32 lanes are merged in float64 every 32 rows.

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

/** The sums of addColumnSums over any number of rows: 16 + 16 float64 at `out`. */
export function columnSums(x: usize, n: i32, c: i32, centers: usize, out: usize): void {
  memory.fill(out, 0, 256);
  for (let left = n; left > 0; left -= ROWS, x += <usize>(ROWS * c) << 2) {
    addColumnSums(x, min(left, ROWS), c, centers, out, out + 128);
  }
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

/** The sums of addColumnGradientSums over any number of rows: 16 + 16 float64 at `out`. */
export function columnGradientSums(x: usize, dy: usize, n: i32, c: i32, centers: usize, out: usize): void {
  memory.fill(out, 0, 256);
  const step = <usize>(ROWS * c) << 2;
  for (let left = n; left > 0; left -= ROWS, x += step, dy += step) {
    addColumnGradientSums(x, dy, min(left, ROWS), c, centers, out, out + 128);
  }
}

/** y = (x - center) scale + shift, with 16 centers, scales and shifts in memory. */
export function normalizeColumns(
  x: usize, y: usize, n: i32, c: i32, width: i32, centers: usize, scales: usize, shifts: usize,
): void {
  const step = <usize>c << 2;
  for (let i = 0; i < width; ) {
    const at = <usize>i << 2;
    let from = x + at;
    let to = y + at;
    if (width - i >= 8) {
      const c0 = v128.load(centers + at), c1 = v128.load(centers + at, 16);
      const a0 = v128.load(scales + at), a1 = v128.load(scales + at, 16);
      const b0 = v128.load(shifts + at), b1 = v128.load(shifts + at, 16);
      for (let row = 0; row < n; row++, from += step, to += step) {
        v128.store(to, fma(f32x4.sub(v128.load(from), c0), a0, b0));
        v128.store(to, fma(f32x4.sub(v128.load(from, 16), c1), a1, b1), 16);
      }
      i += 8;
    } else if (width - i >= 4) {
      const center = v128.load(centers + at), scale = v128.load(scales + at), shift = v128.load(shifts + at);
      for (let row = 0; row < n; row++, from += step, to += step) {
        v128.store(to, fma(f32x4.sub(v128.load(from), center), scale, shift));
      }
      i += 4;
    } else {
      const center = load<f32>(centers + at), scale = load<f32>(scales + at), shift = load<f32>(shifts + at);
      for (let row = 0; row < n; row++, from += step, to += step) {
        store<f32>(to, (load<f32>(from) - center) * scale + shift);
      }
      i += 1;
    }
  }
}

/** dx = a dy + b (x - center) + shift, with 16 of each in memory. */
export function gradientColumns(
  x: usize, dy: usize, dx: usize, n: i32, c: i32, width: i32, centers: usize, as: usize, bs: usize, shifts: usize,
): void {
  const step = <usize>c << 2;
  for (let i = 0; i < width; ) {
    const at = <usize>i << 2;
    let xAt = x + at;
    let gAt = dy + at;
    let to = dx + at;
    if (width - i >= 4) {
      const center = v128.load(centers + at), a = v128.load(as + at);
      const b = v128.load(bs + at), shift = v128.load(shifts + at);
      for (let row = 0; row < n; row++, xAt += step, gAt += step, to += step) {
        v128.store(to, fma(v128.load(gAt), a, fma(f32x4.sub(v128.load(xAt), center), b, shift)));
      }
      i += 4;
    } else {
      const center = load<f32>(centers + at), a = load<f32>(as + at);
      const b = load<f32>(bs + at), shift = load<f32>(shifts + at);
      for (let row = 0; row < n; row++, xAt += step, gAt += step, to += step) {
        store<f32>(to, load<f32>(gAt) * a + ((load<f32>(xAt) - center) * b + shift));
      }
      i += 1;
    }
  }
}
