// Backward of the norms whose scale and shift differ from element to element (layer and RMS norm): the
// rows are normalized apart, the gradients of scale and shift run down them.

import { fma, sumLanesF64 } from "../../../backend/wasm/simd.as";

// @ts-ignore: decorator
@inline
function floats(n: i32): usize {
  return <usize>n << 2;
}

/** Elements summed in float32 before they are added up in float64. */
const BLOCK: i32 = 1024;

/**
 * dx of rows begin to end where `dx` is not 0, and where `sums` is not 0 the sums over those rows of
 * dy x̂, and `half` bytes further on of dy. Scales and sums are of `period` rows. While a row's gradients are
 * written, the next row's sums are taken: the reads from memory then go on beside the writes.
 */
export function elementsBackward(
  x: usize, dy: usize, dx: usize, w: usize, stats: usize, sums: usize, half: usize,
  rows: i32, length: i32, period: i32, centered: i32, begin: i32, end: i32, scratch: usize,
): void {
  if (sums != 0) {
    memory.fill(sums, 0, floats(length * period));
    memory.fill(sums + half, 0, floats(length * period));
  }
  const step = floats(length);
  const constants = scratch + 16;
  let known = false;
  for (let row = begin; row < end; row++) {
    const from = <usize>row * step;
    const first = floats((row % period) * length);
    const at = stats + floats(row);
    if (!known) rowSums(x + from, dy + from, w + first, length, load<f32>(at), scratch);
    rowConstants(at, rows, length, centered, scratch, constants);
    known = dx != 0 && sums != 0 && period == 1 && row + 1 < end;
    if (known) {
      gradientsAndNextSums(x + from, dy + from, dx + from, w, sums, half, length, constants, load<f32>(at, 4), scratch);
      continue;
    }
    if (dx != 0) elementGradients(x + from, dy + from, dx + from, w + first, length, constants);
    if (sums != 0) addElements(x + from, dy + from, sums + first, half, length, constants);
  }
}

/**
 * Five floats at `to`: center, rstd, offset, b, shift, with x̂ = (x - center) rstd + offset and
 * dx = rstd w dy + b (x - center) + shift, from the two sums of {@link rowSums}.
 */
function rowConstants(at: usize, rows: i32, length: i32, centered: i32, sums: usize, to: usize): void {
  const low = <f64>load<f32>(at + floats(rows));
  const rstd = <f64>load<f32>(at + floats(2 * rows));
  const sum = load<f64>(sums);
  const dot = load<f64>(sums, 8) - low * sum;
  const share = -rstd / <f64>length;
  const b = rstd * rstd * dot * share;
  store<f32>(to, load<f32>(at));
  store<f32>(to, <f32>rstd, 4);
  store<f32>(to, <f32>(-low * rstd), 8);
  store<f32>(to, <f32>b, 12);
  store<f32>(to, <f32>((centered ? sum * share : 0) - b * low), 16);
}

/** sum g and sum g (x - center) with g = dy w, as float64 at `out`. */
function rowSums(x: usize, dy: usize, w: usize, length: i32, center: f32, out: usize): void {
  const c = f32x4.splat(center);
  let sum: f64 = 0;
  let dot: f64 = 0;
  let i = 0;
  while (i + 4 <= length) {
    let s0 = f32x4.splat(0), s1 = s0, p0 = s0, p1 = s0;
    const stop = min(i + BLOCK, length & ~3);
    for (; i + 8 <= stop; i += 8) {
      const at = floats(i);
      const g0 = f32x4.mul(v128.load(dy + at), v128.load(w + at));
      const g1 = f32x4.mul(v128.load(dy + at, 16), v128.load(w + at, 16));
      s0 = f32x4.add(s0, g0);
      s1 = f32x4.add(s1, g1);
      p0 = fma(g0, f32x4.sub(v128.load(x + at), c), p0);
      p1 = fma(g1, f32x4.sub(v128.load(x + at, 16), c), p1);
    }
    if (i < stop) {
      const at = floats(i);
      const g = f32x4.mul(v128.load(dy + at), v128.load(w + at));
      s0 = f32x4.add(s0, g);
      p0 = fma(g, f32x4.sub(v128.load(x + at), c), p0);
      i += 4;
    }
    sum += sumLanesF64(s0) + sumLanesF64(s1);
    dot += sumLanesF64(p0) + sumLanesF64(p1);
  }
  store<f64>(out, sum);
  store<f64>(out, dot, 8);
  addTail(x, dy, w, i, length, center, out);
}

/** Adds to the sums at `out` the elements from `i` on, which fill no vector. */
function addTail(x: usize, dy: usize, w: usize, i: i32, length: i32, center: f32, out: usize): void {
  let sum = load<f64>(out), dot = load<f64>(out, 8);
  for (; i < length; i++) {
    const at = floats(i);
    const g = load<f32>(dy + at) * load<f32>(w + at);
    sum += g;
    dot += <f64>g * <f64>(load<f32>(x + at) - center);
  }
  store<f64>(out, sum);
  store<f64>(out, dot, 8);
}

/**
 * dx of a row and what it adds to the sums over rows, as elementGradients and addElements; and the
 * {@link rowSums} of the row behind it, the center of which is `center`, in the same order.
 */
function gradientsAndNextSums(
  x: usize, dy: usize, dx: usize, w: usize, sums: usize, half: usize, length: i32, row: usize, center: f32, out: usize,
): void {
  const step = floats(length);
  const c = v128.load32_splat(row), r = v128.load32_splat(row, 4), o = v128.load32_splat(row, 8);
  const b = v128.load32_splat(row, 12), shift = v128.load32_splat(row, 16);
  const next = f32x4.splat(center);
  const nextX = x + step, nextDy = dy + step, toHalf = sums + half;
  let sum: f64 = 0;
  let dot: f64 = 0;
  let i = 0;
  while (i + 4 <= length) {
    let s0 = f32x4.splat(0), s1 = s0, p0 = s0, p1 = s0;
    const stop = min(i + BLOCK, length & ~3);
    let at = floats(i);
    const end = floats(i + ((stop - i) & ~7));
    for (; at < end; at += 32) {
      // One vector after the other: together they need more registers than there are.
      const w0 = v128.load(w + at), u0 = v128.load(dy + at);
      const d0 = f32x4.sub(v128.load(x + at), c);
      v128.store(dx + at, fma(f32x4.mul(u0, w0), r, fma(d0, b, shift)));
      v128.store(sums + at, fma(u0, fma(d0, r, o), v128.load(sums + at)));
      v128.store(toHalf + at, f32x4.add(u0, v128.load(toHalf + at)));
      const g0 = f32x4.mul(v128.load(nextDy + at), w0);
      s0 = f32x4.add(s0, g0);
      p0 = fma(g0, f32x4.sub(v128.load(nextX + at), next), p0);
      const w1 = v128.load(w + at, 16), u1 = v128.load(dy + at, 16);
      const d1 = f32x4.sub(v128.load(x + at, 16), c);
      v128.store(dx + at, fma(f32x4.mul(u1, w1), r, fma(d1, b, shift)), 16);
      v128.store(sums + at, fma(u1, fma(d1, r, o), v128.load(sums + at, 16)), 16);
      v128.store(toHalf + at, f32x4.add(u1, v128.load(toHalf + at, 16)), 16);
      const g1 = f32x4.mul(v128.load(nextDy + at, 16), w1);
      s1 = f32x4.add(s1, g1);
      p1 = fma(g1, f32x4.sub(v128.load(nextX + at, 16), next), p1);
    }
    i = <i32>(at >> 2);
    if (i < stop) {
      const at = floats(i);
      const g = f32x4.mul(v128.load(nextDy + at), v128.load(w + at));
      s0 = f32x4.add(s0, g);
      p0 = fma(g, f32x4.sub(v128.load(nextX + at), next), p0);
      elementGradients(x + at, dy + at, dx + at, w + at, 4, row);
      addElements(x + at, dy + at, sums + at, half, 4, row);
      i += 4;
    }
    sum += sumLanesF64(s0) + sumLanesF64(s1);
    dot += sumLanesF64(p0) + sumLanesF64(p1);
  }
  store<f64>(out, sum);
  store<f64>(out, dot, 8);
  if (i == length) return;
  addTail(nextX, nextDy, w, i, length, center, out);
  const at = floats(i);
  elementGradients(x + at, dy + at, dx + at, w + at, length - i, row);
  addElements(x + at, dy + at, sums + at, half, length - i, row);
}

/** dx = rstd w dy + b (x - center) + shift, with a w for each element. */
function elementGradients(x: usize, dy: usize, dx: usize, w: usize, length: i32, row: usize): void {
  const center = load<f32>(row), rstd = load<f32>(row, 4), b = load<f32>(row, 12), shift = load<f32>(row, 16);
  const c4 = f32x4.splat(center), r4 = f32x4.splat(rstd), b4 = f32x4.splat(b), s4 = f32x4.splat(shift);
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    const at = floats(i);
    const g = f32x4.mul(v128.load(dy + at), v128.load(w + at));
    v128.store(dx + at, fma(g, r4, fma(f32x4.sub(v128.load(x + at), c4), b4, s4)));
  }
  for (; i < length; i++) {
    const at = floats(i);
    const g = load<f32>(dy + at) * load<f32>(w + at);
    store<f32>(dx + at, g * rstd + ((load<f32>(x + at) - center) * b + shift));
  }
}

/** Adds dy x̂ and dy of a row to `sums` and `sums + half`. */
function addElements(x: usize, dy: usize, sums: usize, half: usize, length: i32, row: usize): void {
  const center = load<f32>(row), rstd = load<f32>(row, 4), offset = load<f32>(row, 8);
  const c4 = f32x4.splat(center), r4 = f32x4.splat(rstd), o4 = f32x4.splat(offset);
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    const to = sums + floats(i);
    const up = v128.load(dy + floats(i));
    const xhat = fma(f32x4.sub(v128.load(x + floats(i)), c4), r4, o4);
    v128.store(to, fma(up, xhat, v128.load(to)));
    v128.store(to + half, f32x4.add(up, v128.load(to + half)));
  }
  for (; i < length; i++) {
    const to = sums + floats(i);
    const up = load<f32>(dy + floats(i));
    store<f32>(to, load<f32>(to) + up * ((load<f32>(x + floats(i)) - center) * rstd + offset));
    store<f32>(to + half, load<f32>(to + half) + up);
  }
}
