// Elementwise arithmetic on two operands. Broadcasting leaves rows of three kinds: both operands
// run along, or one of them stands still.

import { storeFirst } from "../../backend/wasm/simd.as";
import { offsetOf } from "../strides.as";

export * from "./compare.as";
export * from "./unary.as";

// Kinds of operation, as in binary.ts.
const ADD: i32 = 0;
const SUB: i32 = 1;
const MUL: i32 = 2;
const DIV: i32 = 3;
const MAXIMUM: i32 = 4;
const MINIMUM: i32 = 5;
const SHARE: i32 = 6;
const TIE: i32 = 7;
const FIRST: i32 = 8;

// Kinds of row, as in broadcast.ts.
const BOTH_RUN: i32 = 0;
const FIRST_RUNS: i32 = 1;

// @ts-ignore: decorator
@inline
function combine4(kind: i32, a: v128, b: v128): v128 {
  if (kind == ADD) return f32x4.add(a, b);
  if (kind == SUB) return f32x4.sub(a, b);
  if (kind == MUL) return f32x4.mul(a, b);
  if (kind == DIV) return f32x4.div(a, b);
  if (kind == MAXIMUM) return f32x4.max(a, b);
  if (kind == MINIMUM) return f32x4.min(a, b);
  if (kind == SHARE) {
    const half = v128.and(f32x4.eq(a, b), f32x4.splat(0.5));
    return v128.bitselect(half, f32x4.splat(1), v128.or(f32x4.lt(a, b), f32x4.eq(a, b)));
  }
  if (kind == TIE) {
    const bothNaN = v128.and(f32x4.ne(a, a), f32x4.ne(b, b));
    return v128.and(v128.or(f32x4.eq(a, b), bothNaN), f32x4.splat(1));
  }
  return a;
}

// @ts-ignore: decorator
@inline
function bothRun(kind: i32, a: usize, b: usize, out: usize, n: i32): void {
  const bytes = <usize>n << 2;
  let at: usize = 0;
  for (; at + 32 <= bytes; at += 32) {
    const first = combine4(kind, v128.load(a + at), v128.load(b + at));
    const second = combine4(kind, v128.load(a + at, 16), v128.load(b + at, 16));
    v128.store(out + at, first);
    v128.store(out + at, second, 16);
  }
  for (; at + 16 <= bytes; at += 16) v128.store(out + at, combine4(kind, v128.load(a + at), v128.load(b + at)));
  storeFirst(out + at, combine4(kind, v128.load(a + at), v128.load(b + at)), n & 3);
}

// @ts-ignore: decorator
@inline
function firstRuns(kind: i32, a: usize, b: usize, out: usize, n: i32): void {
  const fixed = v128.load32_splat(b);
  const bytes = <usize>n << 2;
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) v128.store(out + at, combine4(kind, v128.load(a + at), fixed));
  storeFirst(out + at, combine4(kind, v128.load(a + at), fixed), n & 3);
}

// @ts-ignore: decorator
@inline
function secondRuns(kind: i32, a: usize, b: usize, out: usize, n: i32): void {
  const fixed = v128.load32_splat(a);
  const bytes = <usize>n << 2;
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) v128.store(out + at, combine4(kind, fixed, v128.load(b + at)));
  storeFirst(out + at, combine4(kind, fixed, v128.load(b + at)), n & 3);
}

// @ts-ignore: decorator
@inline
function row(kind: i32, mode: i32, a: usize, b: usize, out: usize, n: i32): void {
  if (mode == BOTH_RUN) bothRun(kind, a, b, out, n);
  else if (mode == FIRST_RUNS) firstRuns(kind, a, b, out, n);
  else secondRuns(kind, a, b, out, n);
}

function anyRow(kind: i32, mode: i32, a: usize, b: usize, out: usize, n: i32): void {
  switch (kind) {
    case ADD: return row(ADD, mode, a, b, out, n);
    case SUB: return row(SUB, mode, a, b, out, n);
    case MUL: return row(MUL, mode, a, b, out, n);
    case DIV: return row(DIV, mode, a, b, out, n);
    case MAXIMUM: return row(MAXIMUM, mode, a, b, out, n);
    case MINIMUM: return row(MINIMUM, mode, a, b, out, n);
    case SHARE: return row(SHARE, mode, a, b, out, n);
    case TIE: return row(TIE, mode, a, b, out, n);
    default: return row(FIRST, mode, a, b, out, n);
  }
}

/** out[i] = a[i] (kind) b[i] for one row; an operand that stands still is read at its start. */
export function elementwise_binary_flat(
  kind: i32, mode: i32, a: usize, b: usize, out: usize, begin: i32, end: i32,
): void {
  const at = <usize>begin << 2;
  const aStep = mode <= FIRST_RUNS ? at : 0;
  const bStep = mode != FIRST_RUNS ? at : 0;
  anyRow(kind, mode, a + aStep, b + bStep, out + at, end - begin);
}

/**
 * The same for rows [begin, end) of `inner` elements. `table` holds `ndim` entries, outermost first: the length
 * of an axis and the strides, in elements, of a and b along it.
 */
export function elementwise_binary_rows(
  kind: i32, mode: i32, a: usize, b: usize, out: usize, inner: i32, table: usize, ndim: i32, begin: i32, end: i32,
): void {
  for (let r = begin; r < end; r++) {
    const first = a + (offsetOf(r, table, ndim, 4) << 2);
    const second = b + (offsetOf(r, table, ndim, 8) << 2);
    anyRow(kind, mode, first, second, out + ((<usize>r * inner) << 2), inner);
  }
}

/** out += b */
export function elementwise_accumulate(out: usize, b: usize, begin: i32, end: i32): void {
  const at = <usize>begin << 2;
  bothRun(ADD, out + at, b + at, out + at, end - begin);
}

/** int32 to float32. */
export function elementwise_from_int32(x: usize, out: usize, begin: i32, end: i32): void {
  let i = begin;
  for (; i + 4 <= end; i += 4) {
    const at = <usize>i << 2;
    v128.store(out + at, f32x4.convert_i32x4_s(v128.load(x + at)));
  }
  const at = <usize>i << 2;
  storeFirst(out + at, f32x4.convert_i32x4_s(v128.load(x + at)), end - i);
}

/** uint8 to float32. */
export function elementwise_from_uint8(x: usize, out: usize, begin: i32, end: i32): void {
  let i = begin;
  for (; i + 8 <= end; i += 8) {
    const words = v128.load8x8_u(x + i);
    const to = out + (<usize>i << 2);
    v128.store(to, f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(words)));
    v128.store(to, f32x4.convert_i32x4_u(i32x4.extend_high_i16x8_u(words)), 16);
  }
  for (; i < end; i++) store<f32>(out + (<usize>i << 2), <f32>load<u8>(x + i));
}
