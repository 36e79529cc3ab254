// Sigmoid, tanh and the normal distribution function in four lanes.

import { entry, expClamped4, exp4, fma, half4, logistic4, one4, two4 } from "../../backend/wasm/simd.as";

/** Where the factor of SiLU ends. */
const GATE: usize = memory.data<f32>([-88]);

/** The factor of SiLU and GELU: 1 / (1 + e^-x), 0 below -88, so that x times it is 0 however far down. */
// @ts-ignore: decorator
@inline
export function gate4(x: v128): v128 {
  return v128.andnot(logistic4(x), f32x4.lt(x, entry(GATE, 0)));
}

/** An odd polynomial for tanh (Cephes, tanhf), and where it ends. */
const TANH: usize = memory.data<f32>([
  -5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1, 0.625,
]);
const SIGN: usize = memory.data<i32>([0x80000000]);

/**
 * tanh x, within 2 ulp: an odd polynomial up to 0.625, 1 - 2 / (e^2|x| + 1) with the sign of x
 * beyond.
 */
// @ts-ignore: decorator
@inline
export function tanh4(x: v128): v128 {
  const one = one4();
  const z = f32x4.mul(x, x);
  let p = entry(TANH, 0);
  p = fma(p, z, entry(TANH, 1));
  p = fma(p, z, entry(TANH, 2));
  p = fma(p, z, entry(TANH, 3));
  p = fma(p, z, entry(TANH, 4));
  const near = fma(f32x4.mul(p, z), x, x);
  const magnitude = f32x4.abs(x);
  const e = expClamped4(f32x4.add(magnitude, magnitude));
  const far = f32x4.sub(one, f32x4.div(two4(), f32x4.add(e, one)));
  const signed = v128.bitselect(x, far, entry(SIGN, 0));
  return v128.bitselect(near, signed, f32x4.lt(magnitude, entry(TANH, 5)));
}

/** A polynomial made by fit-normal-tail.py, and what its argument is made with. */
const NORMAL_TAIL: usize = memory.data<f32>([
  -0.02915803, 0.144031609, -0.255840399, 0.159321250, -0.0232133914, 0.105552926, 0.119821185, 0.139863529, 0.139621306,
  0.35,
]);

/**
 * The normal distribution function at -|x|, given e = e^(-x^2 / 2), to 2e-7 relative where e is exact: e times a
 * polynomial in 1 / (1 + 0.35 |x|). Never 1 minus something, so the tail keeps its digits.
 */
// @ts-ignore: decorator
@inline
function normalTail4(x: v128, e: v128): v128 {
  const t = f32x4.div(one4(), fma(f32x4.abs(x), entry(NORMAL_TAIL, 9), one4()));
  let p = entry(NORMAL_TAIL, 0);
  p = fma(p, t, entry(NORMAL_TAIL, 1));
  p = fma(p, t, entry(NORMAL_TAIL, 2));
  p = fma(p, t, entry(NORMAL_TAIL, 3));
  p = fma(p, t, entry(NORMAL_TAIL, 4));
  p = fma(p, t, entry(NORMAL_TAIL, 5));
  p = fma(p, t, entry(NORMAL_TAIL, 6));
  p = fma(p, t, entry(NORMAL_TAIL, 7));
  p = fma(p, t, entry(NORMAL_TAIL, 8));
  return f32x4.mul(e, f32x4.mul(p, t));
}

/** e^(-x^2 / 2) */
// @ts-ignore: decorator
@inline
export function bell4(x: v128): v128 {
  return exp4(f32x4.neg(f32x4.mul(f32x4.mul(x, x), half4())));
}

/** The normal distribution function at x, given e = {@link bell4}(x). */
// @ts-ignore: decorator
@inline
export function normal4(x: v128, e: v128): v128 {
  const tail = normalTail4(x, e);
  return v128.bitselect(tail, f32x4.sub(one4(), tail), f32x4.lt(x, f32x4.splat(0)));
}
