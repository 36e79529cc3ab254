// Activations: forward, and backward from dy and what forward saved, each in one pass.

import { fma, storeFirst } from "../../backend/wasm/simd.as";
import { bell4, normal4, sigmoid4, tanh4 } from "./curves.as";

export * from "./softmax.as";

// Kinds of activation, as in op.ts.
const RELU: i32 = 0;
const LEAKY_RELU: i32 = 1;
const SIGMOID: i32 = 2;
const TANH: i32 = 3;
const GELU: i32 = 4;
const GELU_TANH: i32 = 5;
const SILU: i32 = 6;

// 2 sqrt(2 / pi), 0.044715 times that, and three times that.
const GELU_LINEAR: f32 = 1.5957691216;
const GELU_CUBIC: f32 = 0.0713548162726;
const GELU_SLOPE: f32 = 0.2140644488178;
/** 1 / sqrt(2 pi) */
const BELL_HEIGHT: f32 = 0.3989422804014327;

/** 2 sqrt(2 / pi) (x + 0.044715 x^3), whose sigmoid stands in for the normal distribution function. */
// @ts-ignore: decorator
@inline
function geluArgument4(x: v128): v128 {
  return f32x4.mul(x, fma(f32x4.mul(x, x), f32x4.splat(GELU_CUBIC), f32x4.splat(GELU_LINEAR)));
}

// @ts-ignore: decorator
@inline
function forward4(kind: i32, x: v128, p: f32): v128 {
  // pmax keeps a NaN in its first operand.
  if (kind == RELU) return f32x4.pmax(x, f32x4.splat(0));
  if (kind == LEAKY_RELU) return v128.bitselect(x, f32x4.mul(x, f32x4.splat(p)), f32x4.gt(x, f32x4.splat(0)));
  if (kind == SIGMOID) return sigmoid4(x);
  if (kind == TANH) return tanh4(x);
  if (kind == GELU) return f32x4.mul(x, normal4(x, bell4(x)));
  if (kind == GELU_TANH) return f32x4.mul(x, sigmoid4(geluArgument4(x)));
  return f32x4.mul(x, sigmoid4(x));
}

/** dx, from dy and y (relu, leaky relu, sigmoid, tanh) or x (gelu, silu). */
// @ts-ignore: decorator
@inline
function backward4(kind: i32, dy: v128, saved: v128, p: f32): v128 {
  const one = f32x4.splat(1);
  if (kind == RELU) return v128.and(dy, f32x4.gt(saved, f32x4.splat(0)));
  if (kind == LEAKY_RELU) return v128.bitselect(dy, f32x4.mul(dy, f32x4.splat(p)), f32x4.gt(saved, f32x4.splat(0)));
  if (kind == SIGMOID) return f32x4.mul(dy, f32x4.mul(saved, f32x4.sub(one, saved)));
  if (kind == TANH) return f32x4.mul(dy, f32x4.mul(f32x4.sub(one, saved), f32x4.add(one, saved)));
  if (kind == GELU) {
    const e = bell4(saved);
    return f32x4.mul(dy, fma(f32x4.mul(saved, e), f32x4.splat(BELL_HEIGHT), normal4(saved, e)));
  }
  const s = sigmoid4(kind == GELU_TANH ? geluArgument4(saved) : saved);
  let slope = saved;
  if (kind == GELU_TANH) {
    slope = f32x4.mul(saved, fma(f32x4.mul(saved, saved), f32x4.splat(GELU_SLOPE), f32x4.splat(GELU_LINEAR)));
  }
  return f32x4.mul(dy, f32x4.mul(s, fma(slope, f32x4.sub(one, s), one)));
}

// @ts-ignore: decorator
@inline
function forwardRun(kind: i32, x: usize, y: usize, p: f32, n: i32): void {
  const bytes = <usize>n << 2;
  let at: usize = 0;
  // Two at a time: neither waits for the other.
  for (; at + 32 <= bytes; at += 32) {
    const first = forward4(kind, v128.load(x + at), p);
    const second = forward4(kind, v128.load(x + at, 16), p);
    v128.store(y + at, first);
    v128.store(y + at, second, 16);
  }
  for (; at + 16 <= bytes; at += 16) v128.store(y + at, forward4(kind, v128.load(x + at), p));
  if (n & 3) storeFirst(y + at, forward4(kind, v128.load(x + at), p), n & 3);
}

// @ts-ignore: decorator
@inline
function backwardRun(kind: i32, dy: usize, saved: usize, dx: usize, p: f32, n: i32): void {
  const bytes = <usize>n << 2;
  let at: usize = 0;
  for (; at + 32 <= bytes; at += 32) {
    const first = backward4(kind, v128.load(dy + at), v128.load(saved + at), p);
    const second = backward4(kind, v128.load(dy + at, 16), v128.load(saved + at, 16), p);
    v128.store(dx + at, first);
    v128.store(dx + at, second, 16);
  }
  for (; at + 16 <= bytes; at += 16) {
    v128.store(dx + at, backward4(kind, v128.load(dy + at), v128.load(saved + at), p));
  }
  if (n & 3) storeFirst(dx + at, backward4(kind, v128.load(dy + at), v128.load(saved + at), p), n & 3);
}

/** y = f(x; p) */
export function activation_forward(kind: i32, x: usize, y: usize, p: f32, q: f32, begin: i32, end: i32): void {
  const at = <usize>begin << 2;
  const n = end - begin;
  switch (kind) {
    case RELU: return forwardRun(RELU, x + at, y + at, p, n);
    case LEAKY_RELU: return forwardRun(LEAKY_RELU, x + at, y + at, p, n);
    case SIGMOID: return forwardRun(SIGMOID, x + at, y + at, p, n);
    case TANH: return forwardRun(TANH, x + at, y + at, p, n);
    case GELU: return forwardRun(GELU, x + at, y + at, p, n);
    case GELU_TANH: return forwardRun(GELU_TANH, x + at, y + at, p, n);
    default: return forwardRun(SILU, x + at, y + at, p, n);
  }
}

/** dx = dy f'(x; p) */
export function activation_backward(
  kind: i32, dy: usize, saved: usize, dx: usize, p: f32, q: f32, begin: i32, end: i32,
): void {
  const at = <usize>begin << 2;
  const n = end - begin;
  switch (kind) {
    case RELU: return backwardRun(RELU, dy + at, saved + at, dx + at, p, n);
    case LEAKY_RELU: return backwardRun(LEAKY_RELU, dy + at, saved + at, dx + at, p, n);
    case SIGMOID: return backwardRun(SIGMOID, dy + at, saved + at, dx + at, p, n);
    case TANH: return backwardRun(TANH, dy + at, saved + at, dx + at, p, n);
    case GELU: return backwardRun(GELU, dy + at, saved + at, dx + at, p, n);
    case GELU_TANH: return backwardRun(GELU_TANH, dy + at, saved + at, dx + at, p, n);
    default: return backwardRun(SILU, dy + at, saved + at, dx + at, p, n);
  }
}
