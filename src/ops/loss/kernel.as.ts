// Losses over classes: cross-entropy on logits, negative log-likelihood, and counting hits.
//
// A row is one prediction: C values, `inner` apart. With inner = 1 a row is contiguous and lanes
// run over classes; otherwise neighbouring rows are, and lanes run over four of them. Sums are taken in float64: where
// one class stands out, float32 loses what the others add to its 1.

import { exp4, fma, twoF64 } from "../../backend/wasm/simd.as";
import { logF64 } from "./log.as";

export * from "./pairs.as";

/** All ones in the first n lanes. */
// @ts-ignore: decorator
@inline
function firstLanes(n: i32): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(n));
}

/** Writes the first n of four lanes. */
// @ts-ignore: decorator
@inline
function storeLanes(to: usize, v: v128, n: i32): void {
  if (n >= 4) {
    v128.store(to, v);
    return;
  }
  v128.store_lane<f32>(to, v, 0);
  if (n > 1) v128.store_lane<f32>(to, v, 1, 4);
  if (n > 2) v128.store_lane<f32>(to, v, 2, 8);
}

// @ts-ignore: decorator
@inline
function maxOfLanes(v: v128): f32 {
  const pairs = f32x4.max(v, i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  return max(f32x4.extract_lane(pairs, 0), f32x4.extract_lane(pairs, 1));
}

/** Four classes from c on; beyond the last, `other`. */
// @ts-ignore: decorator
@inline
function classes4(row: usize, c: i32, classes: i32, other: v128): v128 {
  const v = v128.load(row + (<usize>c << 2));
  return c + 4 <= classes ? v : v128.bitselect(v, other, firstLanes(classes - c));
}

/**
 * The loss of one row from ln sum e^(x - max), x[label] - max and the sum of x - max:
 * (1 - smoothing) (ln sum - x[label]) + smoothing (ln sum - mean x).
 */
// @ts-ignore: decorator
@inline
function smoothed(logSum: f64, picked: f64, total: f64, classes: i32, smoothing: f64): f64 {
  const hit = logSum - picked;
  return smoothing == 0 ? hit : (1 - smoothing) * hit + smoothing * (logSum - total / <f64>classes);
}

/**
 * Cross-entropy of contiguous rows [begin, end). Writes the maximum and 1 / sum e^(x - max) of each
 * row to stats (rows maxima, then rows reciprocals) unless that is 0, the loss of each to `out`
 * unless that is 0, and the sum over the chunk to partials[begin / grain].
 */
export function loss_cross_entropy(
  x: usize, labels: usize, stats: usize, out: usize, partials: usize,
  rows: i32, classes: i32, smoothing: f64, ignore: i32, grain: i32, begin: i32, end: i32,
): void {
  const lowest = f32x4.splat(-<f32>Infinity);
  let partial: f64 = 0;
  for (let r = begin; r < end; r++) {
    const row = x + ((<usize>r * <usize>classes) << 2);
    let top = lowest;
    for (let c = 0; c < classes; c += 4) top = f32x4.max(top, classes4(row, c, classes, lowest));
    const highest = maxOfLanes(top);
    top = f32x4.splat(highest);
    let sums = f64x2.splat(0);
    let totals = f64x2.splat(0);
    for (let c = 0; c < classes; c += 4) {
      sums = f64x2.add(sums, twoF64(exp4(f32x4.sub(classes4(row, c, classes, lowest), top))));
      if (smoothing != 0) totals = f64x2.add(totals, twoF64(f32x4.sub(classes4(row, c, classes, top), top)));
    }
    const sum = ofBoth(sums);
    if (stats) {
      store<f32>(stats + (<usize>r << 2), highest);
      store<f32>(stats + (<usize>(rows + r) << 2), <f32>(1 / sum));
    }
    const label = load<i32>(labels + (<usize>r << 2));
    let loss: f64 = 0;
    if (label != ignore) {
      const picked = <f64>load<f32>(row + (<usize>label << 2)) - <f64>highest;
      loss = smoothed(logF64(sum), picked, ofBoth(totals), classes, smoothing);
    }
    if (out) store<f32>(out + (<usize>r << 2), <f32>loss);
    partial += loss;
  }
  store<f64>(partials + (<usize>(begin / grain) << 3), partial);
}

/** dx of contiguous rows: (softmax - (1 - smoothing) [c = label] - smoothing / C) dy scale. */
export function loss_cross_entropy_backward(
  x: usize, labels: usize, stats: usize, dy: usize, dx: usize,
  rows: i32, classes: i32, smoothing: f64, scale: f64, ignore: i32, begin: i32, end: i32,
): void {
  for (let r = begin; r < end; r++) {
    const at = (<usize>r * <usize>classes) << 2;
    const label = load<i32>(labels + (<usize>r << 2));
    if (label == ignore) {
      memory.fill(dx + at, 0, <usize>classes << 2);
      continue;
    }
    const incoming = dy ? <f64>load<f32>(dy + (<usize>r << 2)) * scale : scale;
    const top = f32x4.splat(load<f32>(stats + (<usize>r << 2)));
    const factor = f32x4.splat(<f32>(<f64>load<f32>(stats + (<usize>(rows + r) << 2)) * incoming));
    const uniform = f32x4.splat(<f32>((-smoothing * incoming) / <f64>classes));
    for (let c = 0; c < classes; c += 4) {
      const offset = at + (<usize>c << 2);
      const e = exp4(f32x4.sub(v128.load(x + offset), top));
      storeLanes(dx + offset, fma(e, factor, uniform), classes - c);
    }
    const picked = dx + at + (<usize>label << 2);
    store<f32>(picked, <f32>(<f64>load<f32>(picked) - (1 - smoothing) * incoming));
  }
}

/** Cross-entropy of rows whose classes lie `inner` apart: items are blocks of four rows of one image. */
export function loss_cross_entropy_strided(
  x: usize, labels: usize, stats: usize, out: usize, partials: usize,
  rows: i32, classes: i32, inner: i32, smoothing: f64, ignore: i32, grain: i32, begin: i32, end: i32,
): void {
  const blocks = (inner + 3) >> 2;
  const stride = <usize>inner << 2;
  let partial: f64 = 0;
  for (let item = begin; item < end; item++) {
    const n = item / blocks;
    const p = (item - n * blocks) << 2;
    const lanes = min(4, inner - p);
    const first = x + ((<usize>n * <usize>classes * <usize>inner + <usize>p) << 2);
    let top = f32x4.splat(-<f32>Infinity);
    for (let c = 0; c < classes; c++) top = f32x4.max(top, v128.load(first + <usize>c * stride));
    // Of rows 0 and 1, and of rows 2 and 3.
    let sums = f64x2.splat(0), sums2 = sums;
    let totals = f64x2.splat(0), totals2 = totals;
    for (let c = 0; c < classes; c++) {
      const shifted = f32x4.sub(v128.load(first + <usize>c * stride), top);
      const e = exp4(shifted);
      sums = f64x2.add(sums, f64x2.promote_low_f32x4(e));
      sums2 = f64x2.add(sums2, f64x2.promote_low_f32x4(nextTwo(e)));
      totals = f64x2.add(totals, f64x2.promote_low_f32x4(shifted));
      totals2 = f64x2.add(totals2, f64x2.promote_low_f32x4(nextTwo(shifted)));
    }
    const r = n * inner + p;
    if (stats) storeLanes(stats + (<usize>r << 2), top, lanes);
    for (let lane = 0; lane < lanes; lane++) {
      const label = load<i32>(labels + (<usize>(r + lane) << 2));
      const sum = f64x2.extract_lane(sums, 0);
      if (stats) store<f32>(stats + (<usize>(rows + r + lane) << 2), <f32>(1 / sum));
      let loss: f64 = 0;
      if (label != ignore) {
        const highest = <f64>f32x4.extract_lane(top, 0);
        const picked = <f64>load<f32>(first + <usize>label * stride + (<usize>lane << 2)) - highest;
        loss = smoothed(logF64(sum), picked, f64x2.extract_lane(totals, 0), classes, smoothing);
      }
      if (out) store<f32>(out + (<usize>(r + lane) << 2), <f32>loss);
      partial += loss;
      top = nextLane(top);
      sums = v128.shuffle<f64>(sums, sums2, 1, 2);
      totals = v128.shuffle<f64>(totals, totals2, 1, 2);
      sums2 = v128.shuffle<f64>(sums2, sums2, 1, 0);
      totals2 = v128.shuffle<f64>(totals2, totals2, 1, 0);
    }
  }
  store<f64>(partials + (<usize>(begin / grain) << 3), partial);
}

/** Both lanes together. */
// @ts-ignore: decorator
@inline
function ofBoth(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}

/** Lanes 2 and 3 become 0 and 1. */
// @ts-ignore: decorator
@inline
function nextTwo(v: v128): v128 {
  return v128.shuffle<f64>(v, v, 1, 0);
}

/** Lane 1 becomes lane 0, and so on round. */
// @ts-ignore: decorator
@inline
function nextLane(v: v128): v128 {
  return i8x16.shuffle(v, v, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3);
}

/** dx of rows whose classes lie `inner` apart, as {@link loss_cross_entropy_backward}. */
export function loss_cross_entropy_strided_backward(
  x: usize, labels: usize, stats: usize, dy: usize, dx: usize,
  rows: i32, classes: i32, inner: i32, smoothing: f64, scale: f64, ignore: i32, begin: i32, end: i32,
): void {
  const blocks = (inner + 3) >> 2;
  const stride = <usize>inner << 2;
  for (let item = begin; item < end; item++) {
    const n = item / blocks;
    const p = (item - n * blocks) << 2;
    const lanes = min(4, inner - p);
    const at = (<usize>n * <usize>classes * <usize>inner + <usize>p) << 2;
    const r = <usize>(n * inner + p) << 2;
    const label = v128.load(labels + r);
    const counted = v128.not(i32x4.eq(label, i32x4.splat(ignore)));
    let incoming = f32x4.splat(<f32>scale);
    if (dy) incoming = f32x4.mul(incoming, v128.load(dy + r));
    const top = v128.load(stats + r);
    const factor = f32x4.mul(v128.load(stats + (<usize>rows << 2) + r), incoming);
    const uniform = f32x4.mul(incoming, f32x4.splat(<f32>(-smoothing / <f64>classes)));
    const peak = f32x4.mul(incoming, f32x4.splat(<f32>(1 - smoothing)));
    for (let c = 0; c < classes; c++) {
      const offset = at + <usize>c * stride;
      const e = exp4(f32x4.sub(v128.load(x + offset), top));
      const here = v128.and(peak, i32x4.eq(label, i32x4.splat(c)));
      const v = f32x4.sub(fma(e, factor, uniform), here);
      storeLanes(dx + offset, v128.and(v, counted), lanes);
    }
  }
}

/** -x[label] of rows [begin, end): to `out` unless that is 0, their sum to partials[begin / grain]. */
export function loss_nll(
  x: usize, labels: usize, out: usize, partials: usize,
  classes: i32, inner: i32, ignore: i32, grain: i32, begin: i32, end: i32,
): void {
  let partial: f64 = 0;
  for (let r = begin; r < end; r++) {
    const n = r / inner;
    const label = load<i32>(labels + (<usize>r << 2));
    let loss: f64 = 0;
    if (label != ignore) {
      const at = (<usize>n * <usize>classes + <usize>label) * <usize>inner + <usize>(r - n * inner);
      loss = -(<f64>load<f32>(x + (at << 2)));
    }
    if (out) store<f32>(out + (<usize>r << 2), <f32>loss);
    partial += loss;
  }
  store<f64>(partials + (<usize>(begin / grain) << 3), partial);
}

/** dx of whole images [begin, end): zero but for -dy scale at the label of each row. */
export function loss_nll_backward(
  labels: usize, dy: usize, dx: usize,
  classes: i32, inner: i32, scale: f64, ignore: i32, begin: i32, end: i32,
): void {
  const image = <usize>classes * <usize>inner;
  memory.fill(dx + ((<usize>begin * image) << 2), 0, (<usize>(end - begin) * image) << 2);
  for (let r = begin * inner; r < end * inner; r++) {
    const n = r / inner;
    const label = load<i32>(labels + (<usize>r << 2));
    if (label == ignore) continue;
    const incoming = dy ? <f64>load<f32>(dy + (<usize>r << 2)) * scale : scale;
    const at = <usize>n * image + <usize>label * <usize>inner + <usize>(r - n * inner);
    store<f32>(dx + (at << 2), <f32>-incoming);
  }
}

/** How many of the rows [begin, end) have their maximum first at the label: to partials[begin / grain]. */
export function loss_count_correct(
  x: usize, labels: usize, partials: usize,
  classes: i32, inner: i32, grain: i32, begin: i32, end: i32,
): void {
  let hits: f64 = 0;
  for (let r = begin; r < end; r++) {
    const n = r / inner;
    const row = x + (((<usize>n * <usize>classes) * <usize>inner + <usize>(r - n * inner)) << 2);
    const stride = <usize>inner << 2;
    const label = load<i32>(labels + (<usize>r << 2));
    const best = load<f32>(row + <usize>label * stride);
    // Comparisons with NaN are false, so that a row with one is never right.
    let right = best == best;
    for (let c = 0; c < label; c++) right = right && load<f32>(row + <usize>c * stride) < best;
    for (let c = label + 1; c < classes; c++) right = right && load<f32>(row + <usize>c * stride) <= best;
    if (right) hits += 1;
  }
  store<f64>(partials + (<usize>(begin / grain) << 3), hits);
}
