// The statistics that all norms share: mean and sum of squared deviations of a set of rows, in one
// read. Elements are taken relative to a center close to the mean, so that squares never cancel;
// blocks of about a thousand are summed in float32 lanes and merged in float64 by Chan's rule:
//
//   delta = mean_b - mean,  mean += delta n_b / (n + n_b),  M2 += M2_b + delta² n n_b / (n + n_b)

import { fma, storeFirst, sumLanesF64 } from "../../../backend/wasm/simd.as";
import { sigmoid4 } from "../../activation/curves.as";

/** Elements summed in float32 before they are merged in float64. */
const BLOCK: i32 = 1024;

/** All bits set in the first `count` lanes, 0 to 4. */
// @ts-ignore: decorator
@inline
export function laneMask(count: i32): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count));
}

// @ts-ignore: decorator
@inline
function sum2(a: v128, b: v128, c: v128, d: v128): f64 {
  return sumLanesF64(a) + sumLanesF64(b) + (sumLanesF64(c) + sumLanesF64(d));
}

/**
 * The mean of `length` consecutive elements, roughly, from the first few: a center to measure deviations
 * from. However unlike the rest those are, they are a sixteenth of the block that is measured by it, so its
 * distance from the block's mean is at most four deviations, and squares do not cancel.
 */
function roughMean(x: usize, length: i32): f32 {
  const count = min(length, BLOCK / 16);
  let sum: f64 = 0;
  let i = 0;
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
  for (; i + 16 <= count; i += 16) {
    const at = x + (<usize>i << 2);
    s0 = f32x4.add(s0, v128.load(at));
    s1 = f32x4.add(s1, v128.load(at, 16));
    s2 = f32x4.add(s2, v128.load(at, 32));
    s3 = f32x4.add(s3, v128.load(at, 48));
  }
  for (; i + 4 <= count; i += 4) s0 = f32x4.add(s0, v128.load(x + (<usize>i << 2)));
  sum = sumLanesF64(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
  for (; i < count; i++) sum += load<f32>(x + (<usize>i << 2));
  return <f32>(sum / <f64>count);
}

/**
 * Mean and M2 = sum (x - mean)² of `rows` rows of `length` elements, the starts of which are
 * `stride` elements apart. Stores mean and M2 as float64 at `out`.
 */
export function rowStatistics(x: usize, rows: i32, length: i32, stride: i32, out: usize): void {
  let n: f64 = 0;
  let mean: f64 = 0;
  let m2: f64 = 0;
  let center = roughMean(x, length);
  const tail = length & 3;
  const mask = laneMask(tail);
  let c = f32x4.splat(center);
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
  let q0 = s0, q1 = s0, q2 = s0, q3 = s0;
  let pending = 0;
  for (let row = 0; row < rows; row++) {
    let at = x + ((<usize>row * <usize>stride) << 2);
    let left = length;
    while (left > 0) {
      // A block ends with a row, or within one that is longer than a block.
      let take = min(left, BLOCK);
      left -= take;
      pending += take;
      for (; take >= 16; take -= 16) {
        const d0 = f32x4.sub(v128.load(at), c);
        const d1 = f32x4.sub(v128.load(at, 16), c);
        const d2 = f32x4.sub(v128.load(at, 32), c);
        const d3 = f32x4.sub(v128.load(at, 48), c);
        s0 = f32x4.add(s0, d0);
        s1 = f32x4.add(s1, d1);
        s2 = f32x4.add(s2, d2);
        s3 = f32x4.add(s3, d3);
        q0 = fma(d0, d0, q0);
        q1 = fma(d1, d1, q1);
        q2 = fma(d2, d2, q2);
        q3 = fma(d3, d3, q3);
        at += 64;
      }
      for (; take >= 4; take -= 4) {
        const d = f32x4.sub(v128.load(at), c);
        s0 = f32x4.add(s0, d);
        q0 = fma(d, d, q0);
        at += 16;
      }
      if (take > 0) {
        const d = v128.and(f32x4.sub(v128.load(at), c), mask);
        s1 = f32x4.add(s1, d);
        q1 = fma(d, d, q1);
      }
      if (pending >= BLOCK || (left == 0 && row == rows - 1)) {
        const count = <f64>pending;
        const sum = sum2(s0, s1, s2, s3);
        const share = sum / count;
        const blockM2 = max<f64>(sum2(q0, q1, q2, q3) - sum * share, 0);
        if (n == 0) {
          mean = <f64>center + share;
          m2 = blockM2;
          n = count;
        } else {
          const delta = <f64>center + share - mean;
          const total = n + count;
          const part = (delta * count) / total;
          mean += part;
          m2 += blockM2 + delta * part * n;
          n = total;
        }
        center = <f32>mean;
        c = f32x4.splat(center);
        s0 = s1 = s2 = s3 = q0 = q1 = q2 = q3 = f32x4.splat(0);
        pending = 0;
      }
    }
  }
  store<f64>(out, mean);
  store<f64>(out, m2, 8);
}

// What may follow a norm in the same pass. Each kernel is compiled for one of them.
export const NOTHING: i32 = 0;
export const RELU: i32 = 1;
export const SIGMOID: i32 = 2;

/** What follows, of four normalized values: the arithmetic of src/ops/activation. */
// @ts-ignore: decorator
@inline
function activated4(then: i32, v: v128): v128 {
  if (then == RELU) return f32x4.pmax(v, f32x4.splat(0));
  if (then == SIGMOID) return sigmoid4(v);
  return v;
}

/** The gradient of the normalized values, from that of what followed and its result y. */
// @ts-ignore: decorator
@inline
function through4(then: i32, dy: v128, y: usize): v128 {
  if (then == RELU) return v128.and(dy, f32x4.gt(v128.load(y), f32x4.splat(0)));
  if (then == SIGMOID) {
    const s = v128.load(y);
    return f32x4.mul(dy, f32x4.mul(s, f32x4.sub(f32x4.splat(1), s)));
  }
  return dy;
}

/** then((x - center) scale + shift) over `rows` rows of `length` elements, `stride` elements apart. */
// @ts-ignore: decorator
@inline
export function normalizeRowsThen(
  then: i32, x: usize, y: usize, rows: i32, length: i32, stride: i32, center: f32, scale: f32, shift: f32,
): void {
  const c = f32x4.splat(center);
  const a = f32x4.splat(scale);
  const b = f32x4.splat(shift);
  for (let row = 0; row < rows; row++) {
    const offset = (<usize>row * <usize>stride) << 2;
    const from = x + offset;
    const to = y + offset;
    let i = 0;
    for (; i + 16 <= length; i += 16) {
      const at = <usize>i << 2;
      const v0 = activated4(then, fma(f32x4.sub(v128.load(from + at), c), a, b));
      const v1 = activated4(then, fma(f32x4.sub(v128.load(from + at, 16), c), a, b));
      const v2 = activated4(then, fma(f32x4.sub(v128.load(from + at, 32), c), a, b));
      const v3 = activated4(then, fma(f32x4.sub(v128.load(from + at, 48), c), a, b));
      v128.store(to + at, v0);
      v128.store(to + at, v1, 16);
      v128.store(to + at, v2, 32);
      v128.store(to + at, v3, 48);
    }
    for (; i + 4 <= length; i += 4) {
      const at = <usize>i << 2;
      v128.store(to + at, activated4(then, fma(f32x4.sub(v128.load(from + at), c), a, b)));
    }
    for (; i < length; i++) {
      const at = <usize>i << 2;
      const v = f32x4.splat((load<f32>(from + at) - center) * scale + shift);
      store<f32>(to + at, f32x4.extract_lane(activated4(then, v), 0));
    }
  }
}

/** y = (x - center) scale + shift over `rows` rows of `length` elements, `stride` elements apart. */
export function normalizeRows(
  x: usize, y: usize, rows: i32, length: i32, stride: i32, center: f32, scale: f32, shift: f32,
): void {
  normalizeRowsThen(NOTHING, x, y, rows, length, stride, center, scale, shift);
}

/**
 * sum g and sum g (x - center) over the rows, as float64 at `out`; g is the gradient of the normalized
 * values: dy itself, or what an activation with result `y` makes of it, which is then written to `to`.
 */
// @ts-ignore: decorator
@inline
export function gradientSumsThrough(
  then: i32, x: usize, dy: usize, y: usize, to: usize, rows: i32, length: i32, stride: i32, center: f32, out: usize,
): void {
  const c = f32x4.splat(center);
  const tail = length & 3;
  const mask = laneMask(tail);
  let sum: f64 = 0;
  let dot: f64 = 0;
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
  let p0 = s0, p1 = s0, p2 = s0, p3 = s0;
  let pending = 0;
  for (let row = 0; row < rows; row++) {
    const offset = (<usize>row * <usize>stride) << 2;
    let xAt = x + offset;
    let gAt = dy + offset;
    let yAt = y + offset;
    let toAt = to + offset;
    let left = length;
    while (left > 0) {
      let take = min(left, BLOCK);
      left -= take;
      pending += take;
      for (; take >= 16; take -= 16) {
        const g0 = through4(then, v128.load(gAt), yAt), g1 = through4(then, v128.load(gAt, 16), yAt + 16);
        const g2 = through4(then, v128.load(gAt, 32), yAt + 32), g3 = through4(then, v128.load(gAt, 48), yAt + 48);
        if (then != NOTHING) {
          v128.store(toAt, g0);
          v128.store(toAt, g1, 16);
          v128.store(toAt, g2, 32);
          v128.store(toAt, g3, 48);
        }
        s0 = f32x4.add(s0, g0);
        s1 = f32x4.add(s1, g1);
        s2 = f32x4.add(s2, g2);
        s3 = f32x4.add(s3, g3);
        p0 = fma(g0, f32x4.sub(v128.load(xAt), c), p0);
        p1 = fma(g1, f32x4.sub(v128.load(xAt, 16), c), p1);
        p2 = fma(g2, f32x4.sub(v128.load(xAt, 32), c), p2);
        p3 = fma(g3, f32x4.sub(v128.load(xAt, 48), c), p3);
        xAt += 64;
        gAt += 64;
        yAt += 64;
        toAt += 64;
      }
      for (; take >= 4; take -= 4) {
        const g = through4(then, v128.load(gAt), yAt);
        if (then != NOTHING) v128.store(toAt, g);
        s0 = f32x4.add(s0, g);
        p0 = fma(g, f32x4.sub(v128.load(xAt), c), p0);
        xAt += 16;
        gAt += 16;
        yAt += 16;
        toAt += 16;
      }
      if (take > 0) {
        const g = v128.and(through4(then, v128.load(gAt), yAt), mask);
        if (then != NOTHING) storeFirst(toAt, g, take);
        s1 = f32x4.add(s1, g);
        p1 = fma(g, v128.and(f32x4.sub(v128.load(xAt), c), mask), p1);
      }
      if (pending >= BLOCK || (left == 0 && row == rows - 1)) {
        sum += sum2(s0, s1, s2, s3);
        dot += sum2(p0, p1, p2, p3);
        s0 = s1 = s2 = s3 = p0 = p1 = p2 = p3 = f32x4.splat(0);
        pending = 0;
      }
    }
  }
  store<f64>(out, sum);
  store<f64>(out, dot, 8);
}

/** sum dy and sum dy (x - center) over the rows, as float64 at `out`. */
export function gradientSums(
  x: usize, dy: usize, rows: i32, length: i32, stride: i32, center: f32, out: usize,
): void {
  gradientSumsThrough(NOTHING, x, dy, 0, 0, rows, length, stride, center, out);
}

/** dx = a dy + b (x - center) + shift over the rows. dx may be dy. */
export function gradientRows(
  x: usize, dy: usize, dx: usize, rows: i32, length: i32, stride: i32, center: f32, a: f32, b: f32, shift: f32,
): void {
  const c4 = f32x4.splat(center);
  const a4 = f32x4.splat(a);
  const b4 = f32x4.splat(b);
  const s4 = f32x4.splat(shift);
  for (let row = 0; row < rows; row++) {
    const offset = (<usize>row * <usize>stride) << 2;
    const xRow = x + offset;
    const gRow = dy + offset;
    const to = dx + offset;
    let i = 0;
    for (; i + 8 <= length; i += 8) {
      const at = <usize>i << 2;
      const d0 = f32x4.sub(v128.load(xRow + at), c4);
      const d1 = f32x4.sub(v128.load(xRow + at, 16), c4);
      const g0 = v128.load(gRow + at), g1 = v128.load(gRow + at, 16);
      v128.store(to + at, fma(g0, a4, fma(d0, b4, s4)));
      v128.store(to + at, fma(g1, a4, fma(d1, b4, s4)), 16);
    }
    for (; i + 4 <= length; i += 4) {
      const at = <usize>i << 2;
      const d = f32x4.sub(v128.load(xRow + at), c4);
      v128.store(to + at, fma(v128.load(gRow + at), a4, fma(d, b4, s4)));
    }
    for (; i < length; i++) {
      const at = <usize>i << 2;
      store<f32>(to + at, load<f32>(gRow + at) * a + ((load<f32>(xRow + at) - center) * b + shift));
    }
  }
}
