// One launch updates all parameters of an optimizer. Items are the elements of all of them laid end
// to end; `table` has a row of 16 words for each parameter, in that order:
//
//   0 parameter, 1 gradient, 2 3 4 state (addresses, 0 where there is none), 5 first item,
//   6 elements, 7 and on: coefficients as float32.
//
// A step is bound by memory, and results must not depend on where chunks begin: the last elements
// of a range are computed in lanes like all others, and only stored one by one.

import { fma } from "../../backend/wasm/simd.as";

// @ts-ignore: decorator
@inline
const ROW: usize = 64;

/** The row in whose range `item` lies. */
// @ts-ignore: decorator
@inline
function rowOf(table: usize, count: i32, item: i32): usize {
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (load<i32>(table + <usize>middle * ROW, 20) <= item) low = middle;
    else high = middle - 1;
  }
  return table + <usize>low * ROW;
}

/** Coefficient k of a row in all lanes. */
// @ts-ignore: decorator
@inline
function coefficient(row: usize, k: usize): v128 {
  return v128.load32_splat(row + 28 + (k << 2));
}

/** Writes the first n lanes. */
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

/**
 * d = grad + weightDecay p; with momentum: buffer = keep buffer + add d, d = buffer (or d + momentum
 * buffer, Nesterov's); p -= lr d. Coefficients: lr, weightDecay, keep, add, momentum, nesterov (0 or 1).
 */
export function optimizer_sgd(table: usize, count: i32, begin: i32, end: i32): void {
  let row = rowOf(table, count, begin);
  for (let item = begin; item < end; row += ROW) {
    const start = load<i32>(row, 20);
    const last = min(end, start + load<i32>(row, 24));
    sgdRange(row, item - start, last - start);
    item = last;
  }
}

function sgdRange(row: usize, begin: i32, end: i32): void {
  const param = load<usize>(row);
  const grad = load<usize>(row, 4);
  const buffer = load<usize>(row, 8);
  const step = f32x4.neg(coefficient(row, 0));
  const decay = coefficient(row, 1);
  if (!buffer) {
    for (let i = begin; i < end; i += 4) {
      const at = <usize>i << 2;
      const p = v128.load(param + at);
      storeLanes(param + at, fma(step, fma(decay, p, v128.load(grad + at)), p), end - i);
    }
    return;
  }
  const keep = coefficient(row, 2);
  const add = coefficient(row, 3);
  const momentum = coefficient(row, 4);
  const nesterov = load<f32>(row, 48) != 0;
  for (let i = begin; i < end; i += 4) {
    const at = <usize>i << 2;
    const p = v128.load(param + at);
    const d = fma(decay, p, v128.load(grad + at));
    const b = fma(keep, v128.load(buffer + at), f32x4.mul(add, d));
    storeLanes(buffer + at, b, end - i);
    storeLanes(param + at, fma(step, nesterov ? fma(momentum, b, d) : b, p), end - i);
  }
}

/**
 * keep old + (1 - keep) fresh, from the nearer end: exact at keep = 0, and with keep near 1 free of
 * the rounding of keep itself, which would put the average's limit off.
 */
// @ts-ignore: decorator
@inline
function average4(old: v128, fresh: v128, keep: v128, share: v128, mostlyFresh: bool): v128 {
  if (mostlyFresh) return fma(keep, f32x4.sub(old, fresh), fresh);
  return fma(share, f32x4.sub(fresh, old), old);
}

/**
 * g = grad + weightDecay p; m += (1 - beta1)(g - m); v += (1 - beta2)(g^2 - v); with AMSGrad the
 * largest v so far in v's place; p = shrink p - stepSize m / (sqrt(v) correction + eps).
 * Coefficients: stepSize, 1 - beta1, 1 - beta2, eps, correction, weightDecay, shrink, beta1, beta2.
 */
export function optimizer_adam(table: usize, count: i32, begin: i32, end: i32): void {
  let row = rowOf(table, count, begin);
  for (let item = begin; item < end; row += ROW) {
    const start = load<i32>(row, 20);
    const last = min(end, start + load<i32>(row, 24));
    adamRange(row, item - start, last - start);
    item = last;
  }
}

function adamRange(row: usize, begin: i32, end: i32): void {
  const param = load<usize>(row);
  const grad = load<usize>(row, 4);
  const mean = load<usize>(row, 8);
  const square = load<usize>(row, 12);
  const largest = load<usize>(row, 16);
  const step = f32x4.neg(coefficient(row, 0));
  const newMean = coefficient(row, 1);
  const newSquare = coefficient(row, 2);
  const eps = coefficient(row, 3);
  const correction = coefficient(row, 4);
  const decay = coefficient(row, 5);
  const shrink = coefficient(row, 6);
  const oldMean = coefficient(row, 7);
  const oldSquare = coefficient(row, 8);
  const meanIsFresh = f32x4.extract_lane(oldMean, 0) < 0.5;
  const squareIsFresh = f32x4.extract_lane(oldSquare, 0) < 0.5;
  for (let i = begin; i < end; i += 4) {
    const at = <usize>i << 2;
    const p = v128.load(param + at);
    const g = fma(decay, p, v128.load(grad + at));
    const m = average4(v128.load(mean + at), g, oldMean, newMean, meanIsFresh);
    storeLanes(mean + at, m, end - i);
    let v = average4(v128.load(square + at), f32x4.mul(g, g), oldSquare, newSquare, squareIsFresh);
    storeLanes(square + at, v, end - i);
    if (largest) {
      v = f32x4.max(v, v128.load(largest + at));
      storeLanes(largest + at, v, end - i);
    }
    const denominator = fma(f32x4.sqrt(v), correction, eps);
    storeLanes(param + at, fma(step, f32x4.div(m, denominator), f32x4.mul(shrink, p)), end - i);
  }
}

/** The sum over the items of their squares, in doubles, to partials[begin / grain]. */
export function optimizer_square_sum(
  table: usize, count: i32, partials: usize, grain: i32, begin: i32, end: i32,
): void {
  let row = rowOf(table, count, begin);
  let sum: f64 = 0;
  for (let item = begin; item < end; row += ROW) {
    const start = load<i32>(row, 20);
    const last = min(end, start + load<i32>(row, 24));
    const from = load<usize>(row);
    let low = f64x2.splat(0);
    let high = f64x2.splat(0);
    let i = item - start;
    for (; i + 4 <= last - start; i += 4) {
      const v = v128.load(from + (<usize>i << 2));
      const a = f64x2.promote_low_f32x4(v);
      const b = f64x2.promote_low_f32x4(i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
      low = f64x2.add(low, f64x2.mul(a, a));
      high = f64x2.add(high, f64x2.mul(b, b));
    }
    const both = f64x2.add(low, high);
    sum += f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
    for (; i < last - start; i++) {
      const v = <f64>load<f32>(from + (<usize>i << 2));
      sum += v * v;
    }
    item = last;
  }
  store<f64>(partials + (<usize>(begin / grain) << 3), sum);
}

/** Multiplies by coefficient 0. */
export function optimizer_scale(table: usize, count: i32, begin: i32, end: i32): void {
  let row = rowOf(table, count, begin);
  for (let item = begin; item < end; row += ROW) {
    const start = load<i32>(row, 20);
    const last = min(end, start + load<i32>(row, 24));
    const to = load<usize>(row);
    const factor = coefficient(row, 0);
    for (let i = item - start; i < last - start; i += 4) {
      const at = to + (<usize>i << 2);
      storeLanes(at, f32x4.mul(factor, v128.load(at)), last - start - i);
    }
    item = last;
  }
}
