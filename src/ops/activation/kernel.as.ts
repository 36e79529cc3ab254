// Activations: forward, and backward from dy and what forward saved, each in one pass.

import { entry, fma, logistic4, one4, storeUpTo } from "../../backend/wasm/simd.as";
import { bell4, gate4, normal4, tanh4 } from "./curves.as";

export * from "./softmax.as";

// Kinds of activation.
const RELU: i32 = 0;
const LEAKY_RELU: i32 = 1;
const SIGMOID: i32 = 2;
const TANH: i32 = 3;
const GELU: i32 = 4;
const GELU_TANH: i32 = 5;
const SILU: i32 = 6;

/** 2 sqrt(2 / pi), 0.044715 times that, three times that, and 1 / sqrt(2 pi). */
const GELUS: usize = memory.data<f32>([1.5957691216, 0.0713548162726, 0.2140644488178, 0.3989422804014327]);

/** 2 sqrt(2 / pi) (x + 0.044715 x^3), whose sigmoid stands in for the normal distribution function. */
// @ts-ignore: decorator
@inline
function geluArgument4(x: v128): v128 {
  return f32x4.mul(x, fma(f32x4.mul(x, x), entry(GELUS, 1), entry(GELUS, 0)));
}

// @ts-ignore: decorator
@inline
function forward4(kind: i32, x: v128, p: f32, q: f32): v128 {
  // pmax keeps a NaN in its first operand.
  if (kind == RELU) return f32x4.pmax(x, f32x4.splat(0));
  if (kind == LEAKY_RELU) return v128.bitselect(x, f32x4.mul(x, f32x4.splat(p)), f32x4.gt(x, f32x4.splat(0)));
  if (kind == SIGMOID) return logistic4(x);
  if (kind == TANH) return tanh4(x);
  if (kind == GELU) return f32x4.mul(x, normal4(x, bell4(x)));
  if (kind == GELU_TANH) return f32x4.mul(x, gate4(geluArgument4(x)));
  return f32x4.mul(x, gate4(x));
}

/** dx, from dy and y (relu, leaky relu, sigmoid, tanh) or x (gelu, silu). */
// @ts-ignore: decorator
@inline
function backward4(kind: i32, dy: v128, saved: v128, p: f32, q: f32): v128 {
  const one = one4();
  if (kind == RELU) return v128.and(dy, f32x4.gt(saved, f32x4.splat(0)));
  if (kind == LEAKY_RELU) return v128.bitselect(dy, f32x4.mul(dy, f32x4.splat(p)), f32x4.gt(saved, f32x4.splat(0)));
  if (kind == SIGMOID) return f32x4.mul(dy, f32x4.mul(saved, f32x4.sub(one, saved)));
  if (kind == TANH) return f32x4.mul(dy, f32x4.mul(f32x4.sub(one, saved), f32x4.add(one, saved)));
  if (kind == GELU) {
    const e = bell4(saved);
    return f32x4.mul(dy, fma(f32x4.mul(saved, e), entry(GELUS, 3), normal4(saved, e)));
  }
  const s = gate4(kind == GELU_TANH ? geluArgument4(saved) : saved);
  let slope = saved;
  if (kind == GELU_TANH) {
    slope = f32x4.mul(saved, fma(f32x4.mul(saved, saved), entry(GELUS, 2), entry(GELUS, 0)));
  }
  return f32x4.mul(dy, f32x4.mul(s, fma(slope, f32x4.sub(one, s), one)));
}

// @ts-ignore: decorator
@inline
function forwardChunk(kind: i32, x: usize, y: usize, p: f32, q: f32, begin: i32, end: i32): void {
  const offset = <usize>begin << 2;
  const bytes = <usize>(end - begin) << 2;
  x += offset;
  y += offset;
  let at: usize = 0;
  // Four at a time: none waits for another.
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

export function activation_relu(x: usize, y: usize, p: f32, q: f32, begin: i32, end: i32): void {
  forwardChunk(RELU, x, y, p, q, begin, end);
}
export function activation_relu_backward(
  dy: usize, saved: usize, dx: usize, p: f32, q: f32, begin: i32, end: i32,
): void {
  backwardChunk(RELU, dy, saved, dx, p, q, begin, end);
}

export function activation_leakyRelu(x: usize, y: usize, p: f32, q: f32, begin: i32, end: i32): void {
  forwardChunk(LEAKY_RELU, x, y, p, q, begin, end);
}
export function activation_leakyRelu_backward(
  dy: usize, saved: usize, dx: usize, p: f32, q: f32, begin: i32, end: i32,
): void {
  backwardChunk(LEAKY_RELU, dy, saved, dx, p, q, begin, end);
}

export function activation_sigmoid(x: usize, y: usize, p: f32, q: f32, begin: i32, end: i32): void {
  forwardChunk(SIGMOID, x, y, p, q, begin, end);
}
export function activation_sigmoid_backward(
  dy: usize, saved: usize, dx: usize, p: f32, q: f32, begin: i32, end: i32,
): void {
  backwardChunk(SIGMOID, dy, saved, dx, p, q, begin, end);
}

export function activation_tanh(x: usize, y: usize, p: f32, q: f32, begin: i32, end: i32): void {
  forwardChunk(TANH, x, y, p, q, begin, end);
}
export function activation_tanh_backward(
  dy: usize, saved: usize, dx: usize, p: f32, q: f32, begin: i32, end: i32,
): void {
  backwardChunk(TANH, dy, saved, dx, p, q, begin, end);
}

export function activation_gelu(x: usize, y: usize, p: f32, q: f32, begin: i32, end: i32): void {
  forwardChunk(GELU, x, y, p, q, begin, end);
}
export function activation_gelu_backward(
  dy: usize, saved: usize, dx: usize, p: f32, q: f32, begin: i32, end: i32,
): void {
  backwardChunk(GELU, dy, saved, dx, p, q, begin, end);
}

export function activation_geluTanh(x: usize, y: usize, p: f32, q: f32, begin: i32, end: i32): void {
  forwardChunk(GELU_TANH, x, y, p, q, begin, end);
}
export function activation_geluTanh_backward(
  dy: usize, saved: usize, dx: usize, p: f32, q: f32, begin: i32, end: i32,
): void {
  backwardChunk(GELU_TANH, dy, saved, dx, p, q, begin, end);
}

export function activation_silu(x: usize, y: usize, p: f32, q: f32, begin: i32, end: i32): void {
  forwardChunk(SILU, x, y, p, q, begin, end);
}
export function activation_silu_backward(
  dy: usize, saved: usize, dx: usize, p: f32, q: f32, begin: i32, end: i32,
): void {
  backwardChunk(SILU, dy, saved, dx, p, q, begin, end);
}
