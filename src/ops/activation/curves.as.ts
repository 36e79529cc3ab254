// Sigmoid, tanh and the normal distribution function in four lanes.

import { expClamped4, exp4, fma, logistic4 } from "../../backend/wasm/simd.as";

/** The factor of SiLU and GELU: 1 / (1 + e^-x), 0 below -88, so that x times it is 0 however far down. */
// @ts-ignore: decorator
@inline
export function gate4(x: v128): v128 {
  return v128.andnot(logistic4(x), f32x4.lt(x, f32x4.splat(-88)));
}

/**
 * tanh x, within 2 ulp: an odd polynomial up to 0.625 (Cephes, tanhf), 1 - 2 / (e^2|x| + 1) with the sign of x
 * beyond.
 */
// @ts-ignore: decorator
@inline
export function tanh4(x: v128): v128 {
  const one = f32x4.splat(1);
  const z = f32x4.mul(x, x);
  let p = f32x4.splat(-5.70498872745e-3);
  p = fma(p, z, f32x4.splat(2.06390887954e-2));
  p = fma(p, z, f32x4.splat(-5.37397155531e-2));
  p = fma(p, z, f32x4.splat(1.33314422036e-1));
  p = fma(p, z, f32x4.splat(-3.33332819422e-1));
  const near = fma(f32x4.mul(p, z), x, x);
  const magnitude = f32x4.abs(x);
  const e = expClamped4(f32x4.add(magnitude, magnitude));
  const far = f32x4.sub(one, f32x4.div(f32x4.splat(2), f32x4.add(e, one)));
  const signed = v128.bitselect(x, far, i32x4.splat(0x80000000));
  return v128.bitselect(near, signed, f32x4.lt(magnitude, f32x4.splat(0.625)));
}

/**
 * The normal distribution function at -|x|, given e = e^(-x^2 / 2), to 2e-7 relative where e is exact: e times a
 * polynomial in 1 / (1 + 0.35 |x|). Never 1 minus something, so the tail keeps its digits. Made by
 * fit-normal-tail.py.
 */
// @ts-ignore: decorator
@inline
function normalTail4(x: v128, e: v128): v128 {
  const t = f32x4.div(f32x4.splat(1), fma(f32x4.abs(x), f32x4.splat(0.35), f32x4.splat(1)));
  let p = f32x4.splat(-0.02915803);
  p = fma(p, t, f32x4.splat(0.144031609));
  p = fma(p, t, f32x4.splat(-0.255840399));
  p = fma(p, t, f32x4.splat(0.159321250));
  p = fma(p, t, f32x4.splat(-0.0232133914));
  p = fma(p, t, f32x4.splat(0.105552926));
  p = fma(p, t, f32x4.splat(0.119821185));
  p = fma(p, t, f32x4.splat(0.139863529));
  p = fma(p, t, f32x4.splat(0.139621306));
  return f32x4.mul(e, f32x4.mul(p, t));
}

/** e^(-x^2 / 2) */
// @ts-ignore: decorator
@inline
export function bell4(x: v128): v128 {
  return exp4(f32x4.mul(f32x4.mul(x, x), f32x4.splat(-0.5)));
}

/** The normal distribution function at x, given e = {@link bell4}(x). */
// @ts-ignore: decorator
@inline
export function normal4(x: v128, e: v128): v128 {
  const tail = normalTail4(x, e);
  return v128.bitselect(tail, f32x4.sub(f32x4.splat(1), tail), f32x4.lt(x, f32x4.splat(0)));
}
