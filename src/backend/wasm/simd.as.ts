// What all kernels share: fused multiply-add where the build has it, sums across lanes, and the
// exponential. Inlined everywhere; no state, no allocation.
//
// A constant of four lanes is three instructions to V8 13 and 14 (Node 24 and 26) each time it is used, however often in a loop: a
// sigmoid took 24 cycles for four values, of which 15 went into making its twelve constants. Read from a table they take one each, so
// that constants in loops stand in tables. The tables are the only static data of the kernels; see layout.mjs.

/** a * b + c: one rounding in the relaxed build, two in the other. */
// @ts-ignore: decorator
@inline
export function fma(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** Entry i of a table of float32 or int32, in all four lanes. */
// @ts-ignore: decorator
@inline
export function entry(table: usize, i: usize): v128 {
  return v128.load32_splat(table + (i << 2));
}

/** 1, 0.5, 0.25 and 2: see {@link one4}. */
const NUMBERS: usize = memory.data<f32>([1, 0.5, 0.25, 2]);

/** 1 in all lanes. */
// @ts-ignore: decorator
@inline
export function one4(): v128 {
  return entry(NUMBERS, 0);
}

/** 0.5 in all lanes. */
// @ts-ignore: decorator
@inline
export function half4(): v128 {
  return entry(NUMBERS, 1);
}

/** 0.25 in all lanes. */
// @ts-ignore: decorator
@inline
export function quarter4(): v128 {
  return entry(NUMBERS, 2);
}

/** 2 in all lanes. */
// @ts-ignore: decorator
@inline
export function two4(): v128 {
  return entry(NUMBERS, 3);
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

/** Lanes 0 and 1 plus lanes 2 and 3, as doubles. */
// @ts-ignore: decorator
@inline
export function twoF64(v: v128): v128 {
  return f64x2.add(f64x2.promote_low_f32x4(v), f64x2.promote_low_f32x4(v128.shuffle<f64>(v, v, 1, 0)));
}

/** What e^x is made of: how x is split, the ends of its range, and a polynomial made by fit-exponential.py. */
const EXP: usize = memory.data<f32>([
  1.44269504088896341, 12582912, -0.693359375, 2.12194440e-4,
  -104, 89, -87, 88,
  1.3814539415261828e-3, 8.36874544620514e-3, 4.166838899254799e-2, 1.666652113199234e-1, 4.999999403953552e-1,
]);

/** 1 / ln 2. */
// @ts-ignore: decorator
@inline
function log2e4(): v128 {
  return entry(EXP, 0);
}

/**
 * Adding and taking away 1.5 * 2^23 rounds to a whole number, and leaves that number in the low bits of the
 * sum: cheaper than f32x4.nearest and a conversion.
 */
// @ts-ignore: decorator
@inline
function rounder4(): v128 {
  return entry(EXP, 1);
}

/** t - n ln 2, ln 2 in two parts. */
// @ts-ignore: decorator
@inline
function lessLogs(t: v128, n: v128): v128 {
  return fma(n, entry(EXP, 3), fma(n, entry(EXP, 2), t));
}

/** e^r for |r| <= ln 2 / 2, within 3e-9: 1 + r + r² times a polynomial. */
// @ts-ignore: decorator
@inline
function expNearZero4(r: v128): v128 {
  let p = entry(EXP, 8);
  p = fma(p, r, entry(EXP, 9));
  p = fma(p, r, entry(EXP, 10));
  p = fma(p, r, entry(EXP, 11));
  p = fma(p, r, entry(EXP, 12));
  return fma(f32x4.mul(r, r), p, f32x4.add(r, one4()));
}

/** 127, the exponent of 1. */
const EXPONENTS: usize = memory.data<i32>([127]);

/**
 * e^x in four lanes, within 2 ulp, subnormal results included; 0 and infinity where float32 ends; NaN stays
 * NaN. x is split as n ln 2 + r with |r| <= ln 2 / 2, and e^r is scaled by 2^n.
 */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  // e^-104 rounds to 0 and e^89 to infinity. pmin and pmax keep a NaN in their first operand.
  const t = f32x4.pmin(f32x4.pmax(x, entry(EXP, 4)), entry(EXP, 5));
  const shifted = fma(t, log2e4(), rounder4());
  const n = f32x4.sub(shifted, rounder4());
  const r = lessLogs(t, n);
  // n reaches from -150 to 128, which no exponent holds: scale in two steps.
  const whole = i32x4.sub(shifted, rounder4());
  const half = i32x4.shr_s(whole, 1);
  const rest = i32x4.sub(whole, half);
  const first = i32x4.shl(i32x4.add(half, entry(EXPONENTS, 0)), 23);
  const second = i32x4.shl(i32x4.add(rest, entry(EXPONENTS, 0)), 23);
  return f32x4.mul(f32x4.mul(expNearZero4(r), first), second);
}

/** e^x like {@link exp4} at two thirds of the cost, for x held to [-87, 88]: e^-87 below, e^88 above; NaN stays NaN. */
// @ts-ignore: decorator
@inline
export function expClamped4(x: v128): v128 {
  const t = f32x4.pmin(f32x4.pmax(x, entry(EXP, 6)), entry(EXP, 7));
  const shifted = fma(t, log2e4(), rounder4());
  const n = f32x4.sub(shifted, rounder4());
  return f32x4.mul(expNearZero4(lessLogs(t, n)), i32x4.add(i32x4.shl(shifted, 23), one4()));
}

/** The ends of the logistic function's range, -1 / ln 2, ln 2, and a polynomial made by fit-exponential.py. */
const LOGISTIC: usize = memory.data<f32>([
  -88, 87, -1.44269504088896341, 0.693147180559945,
  0.0013843607157468796, -0.008374195545911789, 0.04166800528764725, -0.16666430234909058, 0.4999999403953552, -1,
]);

/**
 * 1 / (1 + e^-x), for x held to [-88, 87]: 6e-39 below, 1 above; NaN stays NaN. Within 3.2 ulp for |x| up to 20 and 5.5
 * beyond, without fused multiply-add within 2.6. With s = x + n ln 2, |s| <= ln 2 / 2, e^-x is 2^n e^-s.
 */
// @ts-ignore: decorator
@inline
export function logistic4(x: v128): v128 {
  const t = f32x4.pmin(f32x4.pmax(x, entry(LOGISTIC, 0)), entry(LOGISTIC, 1));
  const shifted = fma(t, entry(LOGISTIC, 2), rounder4());
  const n = f32x4.sub(shifted, rounder4());
  // Fused, n ln 2 is not rounded before it is added: ln 2 need not be cut in two.
  const s = ASC_FEATURE_RELAXED_SIMD ? fma(n, entry(LOGISTIC, 3), t) : lessLogs(t, f32x4.neg(n));
  let p = entry(LOGISTIC, 4);
  p = fma(p, s, entry(LOGISTIC, 5));
  p = fma(p, s, entry(LOGISTIC, 6));
  p = fma(p, s, entry(LOGISTIC, 7));
  p = fma(p, s, entry(LOGISTIC, 8));
  p = fma(p, s, entry(LOGISTIC, 9));
  const one = one4();
  const e = fma(p, s, one);
  const scale = i32x4.add(i32x4.shl(shifted, 23), one);
  return f32x4.div(one, fma(e, scale, one));
}

/** A polynomial for the logarithm around 1 (Cephes, logf), ln 2 in two parts, and where float32 ceases to be normal. */
const LOG: usize = memory.data<f32>([
  7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
  2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
  -2.12194440e-4, 0.693359375, 1.17549435e-38, 8388608, -0.5, Infinity, -Infinity, NaN,
]);
/** The bits of sqrt(1/2), the exponent of 2^23, and the bits of a mantissa. */
const LOG_BITS: usize = memory.data<i32>([0x3f3504f3, 23, 0x007fffff]);

/**
 * The natural logarithm in four lanes, within 2 ulp, of subnormal numbers too; -infinity at 0, NaN below.
 * x = 2^e m with m in [sqrt(1/2), sqrt(2)), then a polynomial in m - 1.
 */
// @ts-ignore: decorator
@inline
export function log4(x: v128): v128 {
  const subnormal = f32x4.lt(x, entry(LOG, 11));
  const scaled = v128.bitselect(f32x4.mul(x, entry(LOG, 12)), x, subnormal);
  // Counting the exponent from sqrt(1/2) instead of 1 puts m around 1.
  const offset = i32x4.sub(scaled, entry(LOG_BITS, 0));
  const exponent = i32x4.sub(i32x4.shr_s(offset, 23), v128.and(subnormal, entry(LOG_BITS, 1)));
  const m = i32x4.add(v128.and(offset, entry(LOG_BITS, 2)), entry(LOG_BITS, 0));
  const e = f32x4.convert_i32x4_s(exponent);
  const f = f32x4.sub(m, one4());
  const z = f32x4.mul(f, f);
  let p = entry(LOG, 0);
  p = fma(p, f, entry(LOG, 1));
  p = fma(p, f, entry(LOG, 2));
  p = fma(p, f, entry(LOG, 3));
  p = fma(p, f, entry(LOG, 4));
  p = fma(p, f, entry(LOG, 5));
  p = fma(p, f, entry(LOG, 6));
  p = fma(p, f, entry(LOG, 7));
  p = fma(p, f, entry(LOG, 8));
  let y = f32x4.mul(f32x4.mul(p, f), z);
  y = fma(e, entry(LOG, 9), y);
  y = fma(z, entry(LOG, 13), y);
  y = fma(e, entry(LOG, 10), f32x4.add(f, y));
  y = v128.bitselect(x, y, f32x4.eq(x, entry(LOG, 14)));
  y = v128.bitselect(entry(LOG, 15), y, f32x4.eq(x, f32x4.splat(0)));
  return v128.bitselect(y, entry(LOG, 16), f32x4.ge(x, f32x4.splat(0)));
}

/** The sums of the lanes of four vectors that follow each other, each in the order of sumLanes. */
// @ts-ignore: decorator
@inline
export function sumLanesOf4(at: usize): v128 {
  const a = v128.load(at), b = v128.load(at, 16), c = v128.load(at, 32), d = v128.load(at, 48);
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 1, 4, 5), v128.shuffle<f32>(a, b, 2, 3, 6, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 1, 4, 5), v128.shuffle<f32>(c, d, 2, 3, 6, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 2, 4, 6), v128.shuffle<f32>(ab, cd, 1, 3, 5, 7));
}

/** Lanes 0 2 4 6 of eight. */
// @ts-ignore: decorator
@inline
export function evens(low: v128, high: v128): v128 {
  return i8x16.shuffle(low, high, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
}

/** Lanes 1 3 5 7 of eight. */
// @ts-ignore: decorator
@inline
export function odds(low: v128, high: v128): v128 {
  return i8x16.shuffle(low, high, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
}

/** a0 b0 a1 b1 */
// @ts-ignore: decorator
@inline
export function zipLow(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
}

/** a2 b2 a3 b3 */
// @ts-ignore: decorator
@inline
export function zipHigh(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
}

/** Stores the transpose of four vectors, `step` bytes apart: first their first lanes. */
// @ts-ignore: decorator
@inline
export function storeTransposed(r0: v128, r1: v128, r2: v128, r3: v128, to: usize, step: usize): void {
  const low01 = i32x4.shuffle(r0, r1, 0, 4, 1, 5);
  const low23 = i32x4.shuffle(r2, r3, 0, 4, 1, 5);
  const high01 = i32x4.shuffle(r0, r1, 2, 6, 3, 7);
  const high23 = i32x4.shuffle(r2, r3, 2, 6, 3, 7);
  v128.store(to, i64x2.shuffle(low01, low23, 0, 2));
  v128.store(to + step, i64x2.shuffle(low01, low23, 1, 3));
  v128.store(to + 2 * step, i64x2.shuffle(high01, high23, 0, 2));
  v128.store(to + 3 * step, i64x2.shuffle(high01, high23, 1, 3));
}

/** Stores the first `count` lanes of `v`, 0 to 3 of them: the end of a run that is no multiple of four. */
// @ts-ignore: decorator
@inline
export function storeFirst(at: usize, v: v128, count: i32): void {
  if (count > 0) v128.store32_lane(at, v, 0);
  if (count > 1) v128.store32_lane(at, v, 1, 4);
  if (count > 2) v128.store32_lane(at, v, 2, 8);
}

/** Stores `count` lanes of `v`, at most all four. */
// @ts-ignore: decorator
@inline
export function storeUpTo(at: usize, v: v128, count: i32): void {
  if (count >= 4) v128.store(at, v);
  else storeFirst(at, v, count);
}
