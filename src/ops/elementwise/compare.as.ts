// Comparisons of float32 or int32 operands: 1 where they hold, 0 elsewhere, a byte each. With NaN
// nothing holds but "not equal".

import { offsetOf } from "../strides.as";

// Kinds of comparison, as in comparison.ts; for int32 WHOLE is added.
const EQUAL: i32 = 0;
const NOT_EQUAL: i32 = 1;
const GREATER: i32 = 2;
const GREATER_EQUAL: i32 = 3;
const LESS: i32 = 4;
const LESS_EQUAL: i32 = 5;
const WHOLE: i32 = 6;

// Kinds of row, as in broadcast.ts.
const BOTH_RUN: i32 = 0;
const FIRST_RUNS: i32 = 1;

// @ts-ignore: decorator
@inline
function compare4(kind: i32, a: v128, b: v128): v128 {
  if (kind == EQUAL) return f32x4.eq(a, b);
  if (kind == NOT_EQUAL) return f32x4.ne(a, b);
  if (kind == GREATER) return f32x4.gt(a, b);
  if (kind == GREATER_EQUAL) return f32x4.ge(a, b);
  if (kind == LESS) return f32x4.lt(a, b);
  if (kind == LESS_EQUAL) return f32x4.le(a, b);
  if (kind == WHOLE + EQUAL) return i32x4.eq(a, b);
  if (kind == WHOLE + NOT_EQUAL) return i32x4.ne(a, b);
  if (kind == WHOLE + GREATER) return i32x4.gt_s(a, b);
  if (kind == WHOLE + GREATER_EQUAL) return i32x4.ge_s(a, b);
  if (kind == WHOLE + LESS) return i32x4.lt_s(a, b);
  return i32x4.le_s(a, b);
}

/** Four lanes of all or no bits as four bytes of 1 or 0, in the low lane. */
// @ts-ignore: decorator
@inline
function toBytes(mask: v128): v128 {
  const words = i16x8.narrow_i32x4_s(mask, mask);
  return v128.and(i8x16.narrow_i16x8_s(words, words), i8x16.splat(1));
}

// @ts-ignore: decorator
@inline
function row(kind: i32, mode: i32, a: usize, b: usize, out: usize, n: i32): void {
  const aStep: usize = mode <= FIRST_RUNS ? 16 : 0;
  const bStep: usize = mode != FIRST_RUNS ? 16 : 0;
  let i = 0;
  for (; i < n; i += 4) {
    const first = aStep ? v128.load(a) : v128.load32_splat(a);
    const second = bStep ? v128.load(b) : v128.load32_splat(b);
    const bytes = toBytes(compare4(kind, first, second));
    if (i + 4 <= n) v128.store32_lane(out + i, bytes, 0);
    else storeBytes(out + i, bytes, n - i);
    a += aStep;
    b += bStep;
  }
}

// @ts-ignore: decorator
@inline
function storeBytes(at: usize, bytes: v128, count: i32): void {
  v128.store8_lane(at, bytes, 0);
  if (count > 1) v128.store8_lane(at, bytes, 1, 1);
  if (count > 2) v128.store8_lane(at, bytes, 2, 2);
}

function anyRow(kind: i32, mode: i32, a: usize, b: usize, out: usize, n: i32): void {
  switch (kind) {
    case EQUAL: return row(EQUAL, mode, a, b, out, n);
    case NOT_EQUAL: return row(NOT_EQUAL, mode, a, b, out, n);
    case GREATER: return row(GREATER, mode, a, b, out, n);
    case GREATER_EQUAL: return row(GREATER_EQUAL, mode, a, b, out, n);
    case LESS: return row(LESS, mode, a, b, out, n);
    case LESS_EQUAL: return row(LESS_EQUAL, mode, a, b, out, n);
    case WHOLE + EQUAL: return row(WHOLE + EQUAL, mode, a, b, out, n);
    case WHOLE + NOT_EQUAL: return row(WHOLE + NOT_EQUAL, mode, a, b, out, n);
    case WHOLE + GREATER: return row(WHOLE + GREATER, mode, a, b, out, n);
    case WHOLE + GREATER_EQUAL: return row(WHOLE + GREATER_EQUAL, mode, a, b, out, n);
    case WHOLE + LESS: return row(WHOLE + LESS, mode, a, b, out, n);
    default: return row(WHOLE + LESS_EQUAL, mode, a, b, out, n);
  }
}

/** As elementwise_binary_flat, with bytes out. */
export function elementwise_compare_flat(
  kind: i32, mode: i32, a: usize, b: usize, out: usize, begin: i32, end: i32,
): void {
  const at = <usize>begin << 2;
  const aStep = mode <= FIRST_RUNS ? at : 0;
  const bStep = mode != FIRST_RUNS ? at : 0;
  anyRow(kind, mode, a + aStep, b + bStep, out + begin, end - begin);
}

/** As elementwise_binary_rows, with bytes out. */
export function elementwise_compare_rows(
  kind: i32, mode: i32, a: usize, b: usize, out: usize, inner: i32, table: usize, ndim: i32, begin: i32, end: i32,
): void {
  for (let r = begin; r < end; r++) {
    const first = a + (offsetOf(r, table, ndim, 4) << 2);
    const second = b + (offsetOf(r, table, ndim, 8) << 2);
    anyRow(kind, mode, first, second, out + <usize>r * inner, inner);
  }
}
