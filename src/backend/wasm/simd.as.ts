// What all kernels share: fused multiply-add where the build has it, sums across lanes, and the
// exponential. Inlined everywhere; no state, no allocation.

/** a * b + c: one rounding in the relaxed build, two in the other. */
// @ts-ignore: decorator
@inline
export function fma(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** The sum of four lanes, in the order (0 + 2) + (1 + 3). */
// @ts-ignore: decorator
@inline
export function sumLanes(v: v128): f32 {
  const pairs = f32x4.add(v, i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** The four lanes as doubles, summed. */
// @ts-ignore: decorator
@inline
export function sumLanesF64(v: v128): f64 {
  return (
    (<f64>f32x4.extract_lane(v, 0) + <f64>f32x4.extract_lane(v, 2)) +
    (<f64>f32x4.extract_lane(v, 1) + <f64>f32x4.extract_lane(v, 3))
  );
}

/**
 * e^x in four lanes, within 2 ulp. x is split as n ln 2 + r with |r| <= ln 2 / 2, e^r is a
 * polynomial of degree 6 (Cephes, expf), and 2^n is added to the exponent. Below -87.3 the result
 * is 0 to within the smallest normal number; above 88.7 it is infinity; NaN stays NaN.
 */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  const low = f32x4.splat(-87.33654);
  const high = f32x4.splat(88.72283);
  const t = f32x4.pmin(high, f32x4.pmax(low, x));
  const n = f32x4.nearest(f32x4.mul(t, f32x4.splat(1.44269504088896341)));
  let r = fma(n, f32x4.splat(-0.693359375), t);
  r = fma(n, f32x4.splat(2.12194440e-4), r);
  let p = f32x4.splat(1.9875691500e-4);
  p = fma(p, r, f32x4.splat(1.3981999507e-3));
  p = fma(p, r, f32x4.splat(8.3334519073e-3));
  p = fma(p, r, f32x4.splat(4.1665795894e-2));
  p = fma(p, r, f32x4.splat(1.6666665459e-1));
  p = fma(p, r, f32x4.splat(5.0000001201e-1));
  p = fma(f32x4.mul(r, r), p, f32x4.add(r, f32x4.splat(1)));
  // n reaches 128, which no exponent holds: scale in two steps.
  const half = i32x4.shr_s(i32x4.trunc_sat_f32x4_s(n), 1);
  const rest = i32x4.sub(i32x4.trunc_sat_f32x4_s(n), half);
  p = f32x4.mul(p, i32x4.shl(i32x4.add(half, i32x4.splat(127)), 23));
  p = f32x4.mul(p, i32x4.shl(i32x4.add(rest, i32x4.splat(127)), 23));
  p = v128.bitselect(f32x4.splat(<f32>Infinity), p, f32x4.gt(x, high));
  p = v128.andnot(p, f32x4.lt(x, low));
  return v128.bitselect(p, x, f32x4.eq(x, x));
}
