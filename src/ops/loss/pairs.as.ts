// Losses between two tensors of one shape: squared error, and binary cross-entropy on logits.

import { exp4 } from "../../backend/wasm/simd.as";
import { log1pF64 } from "./log.as";

/** The sum over [begin, end) of (x - target)^2, in doubles, to partials[begin / grain]. */
export function loss_mse(x: usize, target: usize, partials: usize, grain: i32, begin: i32, end: i32): void {
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  let i = begin;
  for (; i + 4 <= end; i += 4) {
    const at = <usize>i << 2;
    const d = f32x4.sub(v128.load(x + at), v128.load(target + at));
    const a = f64x2.promote_low_f32x4(d);
    const b = f64x2.promote_low_f32x4(i8x16.shuffle(d, d, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
    low = f64x2.add(low, f64x2.mul(a, a));
    high = f64x2.add(high, f64x2.mul(b, b));
  }
  const both = f64x2.add(low, high);
  let sum = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
  for (; i < end; i++) {
    const at = <usize>i << 2;
    const d = <f64>(load<f32>(x + at) - load<f32>(target + at));
    sum += d * d;
  }
  store<f64>(partials + (<usize>(begin / grain) << 3), sum);
}

/** (x - target)^2, one by one. */
export function loss_mse_each(x: usize, target: usize, out: usize, begin: i32, end: i32): void {
  for (let i = begin; i < end; i++) {
    const at = <usize>i << 2;
    const d = load<f32>(x + at) - load<f32>(target + at);
    store<f32>(out + at, d * d);
  }
}

/** dx = factor (x - target) dy, dy being 1 throughout where its address is 0. */
export function loss_mse_backward(
  x: usize, target: usize, dy: usize, dx: usize, factor: f32, begin: i32, end: i32,
): void {
  const factors = f32x4.splat(factor);
  let i = begin;
  for (; i + 4 <= end; i += 4) {
    const at = <usize>i << 2;
    const d = f32x4.mul(factors, f32x4.sub(v128.load(x + at), v128.load(target + at)));
    v128.store(dx + at, dy ? f32x4.mul(d, v128.load(dy + at)) : d);
  }
  for (; i < end; i++) {
    const at = <usize>i << 2;
    const d = factor * (load<f32>(x + at) - load<f32>(target + at));
    store<f32>(dx + at, dy ? d * load<f32>(dy + at) : d);
  }
}

/** The weight of the positive case of element i: from a table of `classes`, or one for all. */
// @ts-ignore: decorator
@inline
function positiveWeight(weights: usize, classes: i32, i: i32): f32 {
  return load<f32>(weights + (<usize>(i % classes) << 2));
}

/** e^-|x| */
// @ts-ignore: decorator
@inline
function expOfMinusAbs(x: f32): f32 {
  return f32x4.extract_lane(exp4(f32x4.splat(-abs(x))), 0);
}

/**
 * (1 - t) softplus(x) + w t softplus(-x) with softplus(x) = max(x, 0) + ln(1 + e^-|x|): one by one
 * to `out` unless that is 0, their sum to partials[begin / grain].
 */
export function loss_bce(
  x: usize, target: usize, weights: usize, out: usize, partials: usize,
  classes: i32, grain: i32, begin: i32, end: i32,
): void {
  let sum: f64 = 0;
  for (let i = begin; i < end; i++) {
    const at = <usize>i << 2;
    const v = load<f32>(x + at);
    const t = <f64>load<f32>(target + at);
    const w = <f64>positiveWeight(weights, classes, i);
    const tail = log1pF64(expOfMinusAbs(v));
    const loss = (1 - t) * (<f64>max<f32>(v, 0) + tail) + w * t * (<f64>max<f32>(-v, 0) + tail);
    if (out) store<f32>(out + at, <f32>loss);
    sum += loss;
  }
  store<f64>(partials + (<usize>(begin / grain) << 3), sum);
}

/** dx = ((1 - t) sigmoid(x) - w t sigmoid(-x)) dy scale, neither sigmoid by a difference from 1. */
export function loss_bce_backward(
  x: usize, target: usize, weights: usize, dy: usize, dx: usize,
  classes: i32, scale: f32, begin: i32, end: i32,
): void {
  for (let i = begin; i < end; i++) {
    const at = <usize>i << 2;
    const v = load<f32>(x + at);
    const t = load<f32>(target + at);
    const e = expOfMinusAbs(v);
    const near: f32 = 1 / (<f32>1 + e);
    const far = e * near;
    const up = v >= 0 ? near : far;
    const down = v >= 0 ? far : near;
    const d = ((<f32>1 - t) * up - positiveWeight(weights, classes, i) * t * down) * scale;
    store<f32>(dx + at, dy ? d * load<f32>(dy + at) : d);
  }
}
