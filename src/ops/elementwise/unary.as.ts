// Elementwise functions of one operand, and what backward multiplies dy by.

import { exp4, half4, log4, storeUpTo } from "../../backend/wasm/simd.as";
import { power } from "./power.as";

// Kinds of function.
const NEGATE: i32 = 0;
const EXP: i32 = 1;
const LOG: i32 = 2;
const SQRT: i32 = 3;
const ABS: i32 = 4;
const SQUARE: i32 = 5;
const POW: i32 = 6;
const CLAMP: i32 = 7;

// @ts-ignore: decorator
@inline
function forward4(kind: i32, x: v128, p: f32, q: f32): v128 {
  if (kind == NEGATE) return f32x4.neg(x);
  if (kind == EXP) return exp4(x);
  if (kind == LOG) return log4(x);
  if (kind == SQRT) return f32x4.sqrt(x);
  if (kind == ABS) return f32x4.abs(x);
  if (kind == SQUARE) return f32x4.mul(x, x);
  if (kind == POW) return pow4(x, p);
  // pmin and pmax keep a NaN in their first operand.
  return f32x4.pmin(f32x4.pmax(x, f32x4.splat(p)), f32x4.splat(q));
}

/** dx, from dy and what forward saved: x, or y for exp and sqrt. */
// @ts-ignore: decorator
@inline
function backward4(kind: i32, dy: v128, saved: v128, p: f32, q: f32): v128 {
  if (kind == NEGATE) return f32x4.neg(dy);
  if (kind == EXP) return f32x4.mul(dy, saved);
  if (kind == LOG) return f32x4.div(dy, saved);
  if (kind == SQRT) return f32x4.div(f32x4.mul(dy, half4()), saved);
  if (kind == ABS) {
    const zero = f32x4.splat(0);
    const plus = v128.and(dy, f32x4.gt(saved, zero));
    return f32x4.sub(plus, v128.and(dy, f32x4.lt(saved, zero)));
  }
  if (kind == SQUARE) return f32x4.mul(dy, f32x4.add(saved, saved));
  if (kind == POW) return p == 0 ? f32x4.splat(0) : f32x4.mul(f32x4.mul(dy, f32x4.splat(p)), pow4(saved, p - 1));
  const inside = v128.and(f32x4.ge(saved, f32x4.splat(p)), f32x4.le(saved, f32x4.splat(q)));
  return v128.and(dy, inside);
}

/** x^p: exact or exactly rounded for the common exponents, lane by lane in double precision otherwise. */
function pow4(x: v128, p: f32): v128 {
  const one = f32x4.splat(1);
  if (p == 2) return f32x4.mul(x, x);
  if (p == 1) return x;
  if (p == 0) return one;
  if (p == 0.5) return f32x4.sqrt(x);
  if (p == -0.5) return f32x4.div(one, f32x4.sqrt(x));
  if (p == -1) return f32x4.div(one, x);
  if (p == -2) return f32x4.div(one, f32x4.mul(x, x));
  if (p == 3) return f32x4.mul(f32x4.mul(x, x), x);
  let y = f32x4.splat(power(f32x4.extract_lane(x, 0), p));
  y = f32x4.replace_lane(y, 1, power(f32x4.extract_lane(x, 1), p));
  y = f32x4.replace_lane(y, 2, power(f32x4.extract_lane(x, 2), p));
  return f32x4.replace_lane(y, 3, power(f32x4.extract_lane(x, 3), p));
}

// @ts-ignore: decorator
@inline
function forwardChunk(kind: i32, x: usize, y: usize, p: f32, q: f32, begin: i32, end: i32): void {
  const offset = <usize>begin << 2;
  const bytes = <usize>(end - begin) << 2;
  x += offset;
  y += offset;
  let at: usize = 0;
  // Four at a time: none waits for another, and V8 lays the constants out once for all of them.
  for (; at + 64 <= bytes; at += 64) {
    const a = forward4(kind, v128.load(x + at), p, q);
    const b = forward4(kind, v128.load(x + at, 16), p, q);
    const c = forward4(kind, v128.load(x + at, 32), p, q);
    const d = forward4(kind, v128.load(x + at, 48), p, q);
    v128.store(y + at, a);
    v128.store(y + at, b, 16);
    v128.store(y + at, c, 32);
    v128.store(y + at, d, 48);
  }
  for (; at < bytes; at += 16) storeUpTo(y + at, forward4(kind, v128.load(x + at), p, q), <i32>(bytes - at) >> 2);
}

// @ts-ignore: decorator
@inline
function backwardChunk(
  kind: i32, dy: usize, saved: usize, dx: usize, p: f32, q: f32, begin: i32, end: i32,
): void {
  const offset = <usize>begin << 2;
  const bytes = <usize>(end - begin) << 2;
  dy += offset;
  saved += offset;
  dx += offset;
  let at: usize = 0;
  for (; at + 32 <= bytes; at += 32) {
    const a = backward4(kind, v128.load(dy + at), v128.load(saved + at), p, q);
    const b = backward4(kind, v128.load(dy + at, 16), v128.load(saved + at, 16), p, q);
    v128.store(dx + at, a);
    v128.store(dx + at, b, 16);
  }
  for (; at < bytes; at += 16) {
    const last = backward4(kind, v128.load(dy + at), v128.load(saved + at), p, q);
    storeUpTo(dx + at, last, <i32>(bytes - at) >> 2);
  }
}

// y = f(x; p, q), and dx = dy f'(x; p, q).

export function elementwise_neg(x: usize, y: usize, p: f32, q: f32, begin: i32, end: i32): void {
  forwardChunk(NEGATE, x, y, p, q, begin, end);
}
export function elementwise_neg_backward(
  dy: usize, saved: usize, dx: usize, p: f32, q: f32, begin: i32, end: i32,
): void {
  backwardChunk(NEGATE, dy, saved, dx, p, q, begin, end);
}

export function elementwise_exp(x: usize, y: usize, p: f32, q: f32, begin: i32, end: i32): void {
  forwardChunk(EXP, x, y, p, q, begin, end);
}
export function elementwise_exp_backward(
  dy: usize, saved: usize, dx: usize, p: f32, q: f32, begin: i32, end: i32,
): void {
  backwardChunk(EXP, dy, saved, dx, p, q, begin, end);
}

export function elementwise_log(x: usize, y: usize, p: f32, q: f32, begin: i32, end: i32): void {
  forwardChunk(LOG, x, y, p, q, begin, end);
}
export function elementwise_log_backward(
  dy: usize, saved: usize, dx: usize, p: f32, q: f32, begin: i32, end: i32,
): void {
  backwardChunk(LOG, dy, saved, dx, p, q, begin, end);
}

export function elementwise_sqrt(x: usize, y: usize, p: f32, q: f32, begin: i32, end: i32): void {
  forwardChunk(SQRT, x, y, p, q, begin, end);
}
export function elementwise_sqrt_backward(
  dy: usize, saved: usize, dx: usize, p: f32, q: f32, begin: i32, end: i32,
): void {
  backwardChunk(SQRT, dy, saved, dx, p, q, begin, end);
}

export function elementwise_abs(x: usize, y: usize, p: f32, q: f32, begin: i32, end: i32): void {
  forwardChunk(ABS, x, y, p, q, begin, end);
}
export function elementwise_abs_backward(
  dy: usize, saved: usize, dx: usize, p: f32, q: f32, begin: i32, end: i32,
): void {
  backwardChunk(ABS, dy, saved, dx, p, q, begin, end);
}

export function elementwise_square(x: usize, y: usize, p: f32, q: f32, begin: i32, end: i32): void {
  forwardChunk(SQUARE, x, y, p, q, begin, end);
}
export function elementwise_square_backward(
  dy: usize, saved: usize, dx: usize, p: f32, q: f32, begin: i32, end: i32,
): void {
  backwardChunk(SQUARE, dy, saved, dx, p, q, begin, end);
}

export function elementwise_pow(x: usize, y: usize, p: f32, q: f32, begin: i32, end: i32): void {
  forwardChunk(POW, x, y, p, q, begin, end);
}
export function elementwise_pow_backward(
  dy: usize, saved: usize, dx: usize, p: f32, q: f32, begin: i32, end: i32,
): void {
  backwardChunk(POW, dy, saved, dx, p, q, begin, end);
}

export function elementwise_clamp(x: usize, y: usize, p: f32, q: f32, begin: i32, end: i32): void {
  forwardChunk(CLAMP, x, y, p, q, begin, end);
}
export function elementwise_clamp_backward(
  dy: usize, saved: usize, dx: usize, p: f32, q: f32, begin: i32, end: i32,
): void {
  backwardChunk(CLAMP, dy, saved, dx, p, q, begin, end);
}
