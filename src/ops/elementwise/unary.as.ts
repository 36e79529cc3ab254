// Elementwise functions of one operand, and what backward multiplies dy by.

import { exp4, log4, storeFirst } from "../../backend/wasm/simd.as";
import { power } from "./power.as";

// Kinds of function, as in unary.ts.
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
  if (kind == SQRT) return f32x4.div(f32x4.mul(dy, f32x4.splat(0.5)), saved);
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
function forwardRun(kind: i32, x: usize, out: usize, p: f32, q: f32, n: i32): void {
  const bytes = <usize>n << 2;
  let at: usize = 0;
  for (; at + 32 <= bytes; at += 32) {
    const first = forward4(kind, v128.load(x + at), p, q);
    const second = forward4(kind, v128.load(x + at, 16), p, q);
    v128.store(out + at, first);
    v128.store(out + at, second, 16);
  }
  for (; at + 16 <= bytes; at += 16) v128.store(out + at, forward4(kind, v128.load(x + at), p, q));
  if (n & 3) storeFirst(out + at, forward4(kind, v128.load(x + at), p, q), n & 3);
}

// @ts-ignore: decorator
@inline
function backwardRun(kind: i32, dy: usize, saved: usize, dx: usize, p: f32, q: f32, n: i32): void {
  const bytes = <usize>n << 2;
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    v128.store(dx + at, backward4(kind, v128.load(dy + at), v128.load(saved + at), p, q));
  }
  if (n & 3) storeFirst(dx + at, backward4(kind, v128.load(dy + at), v128.load(saved + at), p, q), n & 3);
}

/** out = f(x; p, q) */
export function elementwise_forward(kind: i32, x: usize, out: usize, p: f32, q: f32, begin: i32, end: i32): void {
  const at = <usize>begin << 2;
  const n = end - begin;
  switch (kind) {
    case NEGATE: return forwardRun(NEGATE, x + at, out + at, p, q, n);
    case EXP: return forwardRun(EXP, x + at, out + at, p, q, n);
    case LOG: return forwardRun(LOG, x + at, out + at, p, q, n);
    case SQRT: return forwardRun(SQRT, x + at, out + at, p, q, n);
    case ABS: return forwardRun(ABS, x + at, out + at, p, q, n);
    case SQUARE: return forwardRun(SQUARE, x + at, out + at, p, q, n);
    case POW: return forwardRun(POW, x + at, out + at, p, q, n);
    default: return forwardRun(CLAMP, x + at, out + at, p, q, n);
  }
}

/** dx = dy f'(x; p, q) */
export function elementwise_backward(
  kind: i32, dy: usize, saved: usize, dx: usize, p: f32, q: f32, begin: i32, end: i32,
): void {
  const at = <usize>begin << 2;
  const n = end - begin;
  switch (kind) {
    case NEGATE: return backwardRun(NEGATE, dy + at, saved + at, dx + at, p, q, n);
    case EXP: return backwardRun(EXP, dy + at, saved + at, dx + at, p, q, n);
    case LOG: return backwardRun(LOG, dy + at, saved + at, dx + at, p, q, n);
    case SQRT: return backwardRun(SQRT, dy + at, saved + at, dx + at, p, q, n);
    case ABS: return backwardRun(ABS, dy + at, saved + at, dx + at, p, q, n);
    case SQUARE: return backwardRun(SQUARE, dy + at, saved + at, dx + at, p, q, n);
    case POW: return backwardRun(POW, dy + at, saved + at, dx + at, p, q, n);
    default: return backwardRun(CLAMP, dy + at, saved + at, dx + at, p, q, n);
  }
}
