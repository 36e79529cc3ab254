// The statistics that all norms share: mean and sum of squared deviations of a set of rows, in one
// read. Elements are taken relative to a center close to the mean, so that squares do not cancel;
// blocks of about a thousand are summed in float32 lanes, and those of some blocks in float64. Once these are as many elements as
// came before, they are merged by Chan's rule, and the center moves to the mean of all:
//
//   delta = mean_b - mean,  mean += delta n_b / (n + n_b),  M2 += M2_b + delta² n n_b / (n + n_b)
//
// However far the center is from the mean of n_b elements, delta² n n_b / (n + n_b) is then at least half of what their squares
// are too large by, so that what they lack in digits is not missing in M2.

import { fma, sumLanesF64 } from "../../../backend/wasm/simd.as";
import { LANES, storeLanes, sumOfFour, sumOfLanes } from "./lanes.as";

/** Elements summed in float32 before they are merged in float64. */
export const BLOCK: i32 = 1024;

/** All bits set in the first `count` lanes, 0 to 4. */
// @ts-ignore: decorator
@inline
export function laneMask(count: i32): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count));
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
 * Bytes of the state that statistics are made in: mean, M2 and count of what is merged, count of what is not, and two lanes
 * each, all float64, of its sum d and sum d²; then LANES of a block.
 */
export const STATE: usize = 64 + LANES;

/** Begins with the center for rows like the one at x. */
export function beginStatistics(x: usize, length: i32, out: usize): void {
  const none = f64x2.splat(0);
  v128.store(out, none);
  v128.store(out, none, 16);
  v128.store(out, none, 32);
  v128.store(out, none, 48);
  store<f64>(out, <f64>roughMean(x, length));
}

/** Puts a block's sums to what is not merged yet, and merges it once it has as many elements as came before. */
function addBlock(out: usize, sum: v128, squares: v128, count: i32): void {
  v128.store(out, f64x2.add(v128.load(out, 32), sum), 32);
  v128.store(out, f64x2.add(v128.load(out, 48), squares), 48);
  store<f64>(out, load<f64>(out, 24) + <f64>count, 24);
  if (load<f64>(out, 24) >= load<f64>(out, 16)) endStatistics(out);
}

/** Merges what is not merged yet: mean and M2 then stand at `out`. */
export function endStatistics(out: usize): void {
  const count = load<f64>(out, 24);
  if (count == 0) return;
  const sum = load<f64>(out, 32) + load<f64>(out, 40);
  const share = sum / count;
  const m2 = max<f64>(load<f64>(out, 48) + load<f64>(out, 56) - sum * share, 0);
  store<f64>(out, 0, 24);
  v128.store(out, f64x2.splat(0), 32);
  v128.store(out, f64x2.splat(0), 48);
  const n = load<f64>(out, 16);
  const mean = load<f64>(out);
  if (n == 0) {
    store<f64>(out, mean + share);
    store<f64>(out, m2, 8);
    store<f64>(out, count, 16);
    return;
  }
  const delta = <f64><f32>mean + share - mean;
  const part = (delta * count) / (n + count);
  store<f64>(out, mean + part);
  store<f64>(out, load<f64>(out, 8) + m2 + delta * part * n, 8);
  store<f64>(out, n + count, 16);
}

/**
 * Mean and M2 = sum (x - mean)² of `rows` rows of `length` elements, the starts of which are
 * `stride` elements apart. Stores mean and M2 as float64 at `out`, which has STATE bytes.
 */
export function rowStatistics(x: usize, rows: i32, length: i32, stride: i32, out: usize): void {
  beginStatistics(x, length, out);
  addRowStatistics(x, rows, length, stride, out);
  endStatistics(out);
}

/** Rows up to so long are taken {@link rowsTogether} at a time. */
export const SHORT: i32 = BLOCK / 4;

/** So many short rows at a time, and what is left over last, give the bits of all at once: each time a block is full. */
// @ts-ignore: decorator
@inline
export function rowsTogether(length: i32): i32 {
  return 4 * ((SHORT + length - 1) / length);
}

/** Adds rows to a state that was begun. */
export function addRowStatistics(x: usize, rows: i32, length: i32, stride: i32, out: usize): void {
  const quads = rows & ~3;
  if (quads > 0) quadStatistics(x, quads, length, <usize>stride << 2, out);
  if (rows == quads) return;
  const rest = x + ((<usize>quads * <usize>stride) << 2);
  singleStatistics(rest, rows - quads, length, <usize>stride << 2, out);
}

/**
 * Four rows side by side, a cache line of each at a time. Where rows lie far apart, the first reads of each wait for memory and for
 * the page's translation; four waits at a time take as long as one. Values that lie beside one another have lanes of their own
 * from beginning to end, so that V8 can merge two vectors into one; what is left of a row has others.
 */
function quadStatistics(x: usize, rows: i32, length: i32, step: usize, out: usize): void {
  const tail = length & 3;
  const mask = laneMask(tail);
  let c = f32x4.splat(<f32>load<f64>(out));
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, rest0 = s0, rest1 = s0;
  let q0 = s0, q1 = s0, q2 = s0, q3 = s0, squares0 = s0, squares1 = s0;
  let pending = 0;
  for (let row = 0; row < rows; row += 4, x += 4 * step) {
    for (let done = 0; done < length; ) {
      const take = min(length - done, BLOCK / 4);
      let at = x + (<usize>done << 2);
      const end = at + (<usize>(take & ~3) << 2);
      done += take;
      pending += 4 * take;
      for (; at + 64 <= end; at += 64) {
        let from = at;
        for (let k = 0; k < 4; k++, from += step) {
          const d0 = f32x4.sub(v128.load(from), c);
          const d1 = f32x4.sub(v128.load(from, 16), c);
          const d2 = f32x4.sub(v128.load(from, 32), c);
          const d3 = f32x4.sub(v128.load(from, 48), c);
          s0 = f32x4.add(s0, d0);
          s1 = f32x4.add(s1, d1);
          s2 = f32x4.add(s2, d2);
          s3 = f32x4.add(s3, d3);
          q0 = fma(d0, d0, q0);
          q1 = fma(d1, d1, q1);
          q2 = fma(d2, d2, q2);
          q3 = fma(d3, d3, q3);
        }
      }
      for (; at < end; at += 16) {
        let from = at;
        for (let k = 0; k < 2; k++, from += 2 * step) {
          const d0 = f32x4.sub(v128.load(from), c);
          const d1 = f32x4.sub(v128.load(from + step), c);
          rest0 = f32x4.add(rest0, d0);
          rest1 = f32x4.add(rest1, d1);
          squares0 = fma(d0, d0, squares0);
          squares1 = fma(d1, d1, squares1);
        }
      }
      if (tail > 0 && done == length) {
        let from = at;
        for (let k = 0; k < 2; k++, from += 2 * step) {
          const d0 = v128.and(f32x4.sub(v128.load(from), c), mask);
          const d1 = v128.and(f32x4.sub(v128.load(from + step), c), mask);
          rest0 = f32x4.add(rest0, d0);
          rest1 = f32x4.add(rest1, d1);
          squares0 = fma(d0, d0, squares0);
          squares1 = fma(d1, d1, squares1);
        }
      }
      if (pending >= BLOCK || (done == length && row + 4 == rows)) {
        storeLanes(out + 64, s0, s1, s2, s3, rest0, rest1);
        storeLanes(out + 64 + LANES / 2, q0, q1, q2, q3, squares0, squares1);
        addBlock(out, sumOfLanes(out + 64), sumOfLanes(out + 64 + LANES / 2), pending);
        c = f32x4.splat(<f32>load<f64>(out));
        s0 = s1 = s2 = s3 = rest0 = rest1 = f32x4.splat(0);
        q0 = q1 = q2 = q3 = squares0 = squares1 = f32x4.splat(0);
        pending = 0;
      }
    }
  }
}

/** One row after the other. */
function singleStatistics(x: usize, rows: i32, length: i32, step: usize, out: usize): void {
  const tail = length & 3;
  const mask = laneMask(tail);
  let c = f32x4.splat(<f32>load<f64>(out));
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
        addBlock(out, sumOfFour(s0, s1, s2, s3), sumOfFour(q0, q1, q2, q3), pending);
        c = f32x4.splat(<f32>load<f64>(out));
        s0 = s1 = s2 = s3 = q0 = q1 = q2 = q3 = f32x4.splat(0);
        pending = 0;
      }
    }
  }
}
