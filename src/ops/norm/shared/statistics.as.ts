// The statistics that all norms share: mean and sum of squared deviations of a set of rows, in one
// read. Elements are taken relative to a center close to the mean, so that squares never cancel;
// blocks of about a thousand are summed in float32 lanes and merged in float64 by Chan's rule:
//
//   delta = mean_b - mean,  mean += delta n_b / (n + n_b),  M2 += M2_b + delta² n n_b / (n + n_b)

import { fma, sumLanesF64 } from "../../../backend/wasm/simd.as";

/** Elements summed in float32 before they are merged in float64. */
export const BLOCK: i32 = 1024;

/** All bits set in the first `count` lanes, 0 to 4. */
// @ts-ignore: decorator
@inline
export function laneMask(count: i32): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count));
}

// @ts-ignore: decorator
@inline
export function sum2(a: v128, b: v128, c: v128, d: v128): f64 {
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

/** Adds the block of `count` elements measured from `center` to the mean, M2 and count of those before, at `out`. */
// @ts-ignore: decorator
@inline
function mergeBlock(
  out: usize, center: f32, count: f64,
  s0: v128, s1: v128, s2: v128, s3: v128, q0: v128, q1: v128, q2: v128, q3: v128,
): void {
  const sum = sum2(s0, s1, s2, s3);
  const share = sum / count;
  const m2 = max<f64>(sum2(q0, q1, q2, q3) - sum * share, 0);
  const n = load<f64>(out, 16);
  if (n == 0) {
    store<f64>(out, <f64>center + share);
    store<f64>(out, m2, 8);
    store<f64>(out, count, 16);
    return;
  }
  const mean = load<f64>(out);
  const delta = <f64>center + share - mean;
  const part = (delta * count) / (n + count);
  store<f64>(out, mean + part);
  store<f64>(out, load<f64>(out, 8) + m2 + delta * part * n, 8);
  store<f64>(out, n + count, 16);
}

/**
 * Mean and M2 = sum (x - mean)² of `rows` rows of `length` elements, the starts of which are
 * `stride` elements apart. Stores mean and M2 as float64 at `out`, and uses the 8 bytes behind them.
 */
export function rowStatistics(x: usize, rows: i32, length: i32, stride: i32, out: usize): void {
  store<f64>(out, 0, 16);
  addRowStatistics(x, rows, length, stride, out);
}

/** Rows up to so long are taken {@link rowsTogether} at a time. */
export const SHORT: i32 = BLOCK / 4;

/** So many short rows at a time, and what is left over last, give the bits of all at once: each time a block is full. */
// @ts-ignore: decorator
@inline
export function rowsTogether(length: i32): i32 {
  return 4 * ((SHORT + length - 1) / length);
}

/** The same, added to what stands at `out`. */
export function addRowStatistics(x: usize, rows: i32, length: i32, stride: i32, out: usize): void {
  const center = load<f64>(out, 16) == 0 ? roughMean(x, length) : <f32>load<f64>(out);
  const quads = rows & ~3;
  if (quads > 0) quadStatistics(x, quads, length, <usize>stride << 2, center, out);
  if (rows == quads) return;
  const rest = x + ((<usize>quads * <usize>stride) << 2);
  singleStatistics(rest, rows - quads, length, <usize>stride << 2, quads > 0 ? <f32>load<f64>(out) : center, out);
}

/**
 * Four rows side by side. Where rows lie far apart, the first reads of each wait for memory and for the page's
 * translation; four waits at a time take as long as one.
 */
function quadStatistics(x: usize, rows: i32, length: i32, step: usize, center: f32, out: usize): void {
  const tail = length & 3;
  const mask = laneMask(tail);
  let c = f32x4.splat(center);
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
  let q0 = s0, q1 = s0, q2 = s0, q3 = s0;
  let pending = 0;
  for (let row = 0; row < rows; row += 4, x += 4 * step) {
    const x1 = x + step, x2 = x1 + step, x3 = x2 + step;
    for (let done = 0; done < length; ) {
      const take = min(length - done, BLOCK / 4);
      let at = <usize>done << 2;
      const end = at + (<usize>(take & ~3) << 2);
      done += take;
      pending += 4 * take;
      for (; at < end; at += 16) {
        const d0 = f32x4.sub(v128.load(x + at), c);
        const d1 = f32x4.sub(v128.load(x1 + at), c);
        const d2 = f32x4.sub(v128.load(x2 + at), c);
        const d3 = f32x4.sub(v128.load(x3 + at), c);
        s0 = f32x4.add(s0, d0);
        s1 = f32x4.add(s1, d1);
        s2 = f32x4.add(s2, d2);
        s3 = f32x4.add(s3, d3);
        q0 = fma(d0, d0, q0);
        q1 = fma(d1, d1, q1);
        q2 = fma(d2, d2, q2);
        q3 = fma(d3, d3, q3);
      }
      if (tail > 0 && done == length) {
        const d0 = v128.and(f32x4.sub(v128.load(x + at), c), mask);
        const d1 = v128.and(f32x4.sub(v128.load(x1 + at), c), mask);
        const d2 = v128.and(f32x4.sub(v128.load(x2 + at), c), mask);
        const d3 = v128.and(f32x4.sub(v128.load(x3 + at), c), mask);
        s0 = f32x4.add(s0, d0);
        s1 = f32x4.add(s1, d1);
        s2 = f32x4.add(s2, d2);
        s3 = f32x4.add(s3, d3);
        q0 = fma(d0, d0, q0);
        q1 = fma(d1, d1, q1);
        q2 = fma(d2, d2, q2);
        q3 = fma(d3, d3, q3);
      }
      if (pending >= BLOCK || (done == length && row + 4 == rows)) {
        mergeBlock(out, center, <f64>pending, s0, s1, s2, s3, q0, q1, q2, q3);
        center = <f32>load<f64>(out);
        c = f32x4.splat(center);
        s0 = s1 = s2 = s3 = q0 = q1 = q2 = q3 = f32x4.splat(0);
        pending = 0;
      }
    }
  }
}

/** One row after the other. */
function singleStatistics(x: usize, rows: i32, length: i32, step: usize, center: f32, out: usize): void {
  const tail = length & 3;
  const mask = laneMask(tail);
  let c = f32x4.splat(center);
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
  let q0 = s0, q1 = s0, q2 = s0, q3 = s0;
  let pending = 0;
  for (let row = 0; row < rows; row++, x += step) {
    let at = x;
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
        mergeBlock(out, center, <f64>pending, s0, s1, s2, s3, q0, q1, q2, q3);
        center = <f32>load<f64>(out);
        c = f32x4.splat(center);
        s0 = s1 = s2 = s3 = q0 = q1 = q2 = q3 = f32x4.splat(0);
        pending = 0;
      }
    }
  }
}
