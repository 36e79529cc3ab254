// Statistics over the positions that a mask leaves in. What is masked out may hold anything, NaN
// included: it is cleared bit by bit, not multiplied by zero. The mask is [rows, length] of 0 and 1.

import { fma, sumLanesF64 } from "../../../backend/wasm/simd.as";
import { laneMask } from "./statistics.as";

/** Vectors summed in float32 before they are merged in float64. */
const BLOCK: i32 = 256;

// @ts-ignore: decorator
@inline
function keepMasked(v: v128, mask: usize): v128 {
  return v128.and(v, f32x4.ne(v128.load(mask), f32x4.splat(0)));
}

/**
 * Two sums over all positions, as float64 at `out`. Of x alone: sum (x - center) and sum (x - center)² over what the mask at `by`
 * leaves in. With a gradient g at `by`, which lies as x does: sum g and sum g (x - center); where g is 0 it does not matter what
 * x holds.
 */
// @ts-ignore: decorator
@inline
function sumsBy(
  gradient: bool, x: usize, by: usize, rows: i32, length: i32, stride: i32, center: f32, out: usize,
): void {
  const c = f32x4.splat(center);
  const zero = f32x4.splat(0);
  const tail = laneMask(length & 3);
  const step = <usize>stride << 2;
  const byStep = gradient ? step : <usize>length << 2;
  let first: f64 = 0;
  let second: f64 = 0;
  let s = zero, q = zero;
  let pending = 0;
  for (let row = 0; row < rows; row++, x += step, by += byStep) {
    for (let i = 0; i < length; i += 4) {
      const at = <usize>i << 2;
      const offset = f32x4.sub(v128.load(x + at), c);
      let d = gradient ? v128.load(by + at) : keepMasked(offset, by + at);
      if (i + 4 > length) d = v128.and(d, tail);
      s = f32x4.add(s, d);
      q = fma(d, gradient ? v128.and(offset, f32x4.ne(d, zero)) : d, q);
      if (++pending == BLOCK) {
        first += sumLanesF64(s);
        second += sumLanesF64(q);
        s = q = zero;
        pending = 0;
      }
    }
  }
  store<f64>(out, first + sumLanesF64(s));
  store<f64>(out, second + sumLanesF64(q), 8);
}

/** Mean and M2 of the `count` elements that the mask leaves in, as float64 at `out`. */
export function maskedStatistics(
  x: usize, mask: usize, rows: i32, length: i32, stride: i32, count: f64, out: usize,
): void {
  sumsBy(false, x, mask, rows, length, stride, 0, out);
  const center = <f32>(load<f64>(out) / count);
  sumsBy(false, x, mask, rows, length, stride, center, out);
  const sum = load<f64>(out);
  store<f64>(out, <f64>center + sum / count);
  store<f64>(out, max<f64>(load<f64>(out, 8) - (sum * sum) / count, 0), 8);
}

/** sum g and sum g (x - center) of a gradient g over all positions, as float64 at `out`. */
export function maskedGradientSums(
  x: usize, g: usize, rows: i32, length: i32, stride: i32, center: f32, out: usize,
): void {
  sumsBy(true, x, g, rows, length, stride, center, out);
}

/** dx = a dy + mask (b (x - center) + shift): the statistics do not depend on what is masked out. */
export function maskedGradientRows(
  x: usize, dy: usize, dx: usize, mask: usize, rows: i32, length: i32, stride: i32, center: f32, a: f32, b: f32, shift: f32,
): void {
  const c4 = f32x4.splat(center), a4 = f32x4.splat(a), b4 = f32x4.splat(b), s4 = f32x4.splat(shift);
  for (let row = 0; row < rows; row++) {
    const offset = (<usize>row * <usize>stride) << 2;
    const keep = mask + ((<usize>row * <usize>length) << 2);
    let i = 0;
    for (; i + 4 <= length; i += 4) {
      const at = <usize>i << 2;
      const through = keepMasked(fma(f32x4.sub(v128.load(x + offset + at), c4), b4, s4), keep + at);
      v128.store(dx + offset + at, fma(v128.load(dy + offset + at), a4, through));
    }
    for (; i < length; i++) {
      const at = <usize>i << 2;
      let g = load<f32>(dy + offset + at) * a;
      if (load<f32>(keep + at) != 0) g += (load<f32>(x + offset + at) - center) * b + shift;
      store<f32>(dx + offset + at, g);
    }
  }
}
