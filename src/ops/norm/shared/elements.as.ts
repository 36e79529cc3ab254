// Backward of the norms whose scale and shift differ from element to element (layer and RMS norm): the
// rows are normalized apart, the gradients of scale and shift run down them.

import { fma, sumLanesF64 } from "../../../backend/wasm/simd.as";

// @ts-ignore: decorator
@inline
function floats(n: i32): usize {
  return <usize>n << 2;
}

/**
 * dx of rows begin to end where `dx` is not 0, and where `sums` is not 0 the sums over those rows of
 * dy x̂, and `half` bytes further on of dy. Scales and sums are of `period` rows. Two rows are taken together: the sums, as many numbers as a
 * row has, are then read and written half as often.
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
  for (let row = begin; row < end; ) {
    const pair = period == 1 && row + 1 < end && dx != 0 && sums != 0 && w != 0;
    const from = <usize>row * step;
    const first = floats((row % period) * length);
    const scales = w == 0 ? <usize>0 : w + first;
    rowConstants(x + from, dy + from, scales, stats + floats(row), rows, length, centered, scratch, scratch + 16);
    if (pair) {
      const next = from + step;
      rowConstants(x + next, dy + next, w, stats + floats(row + 1), rows, length, centered, scratch, scratch + 36);
      pairGradients(x + from, dy + from, dx + from, w, sums, half, length, scratch + 16, scratch + 36);
      row += 2;
      continue;
    }
    if (dx != 0) elementGradients(x + from, dy + from, dx + from, scales, length, scratch + 16);
    if (sums != 0) addElements(x + from, dy + from, sums + first, half, length, scratch + 16);
    row++;
  }
}

/**
 * Five floats at `to`: center, rstd, offset, b, shift, with x̂ = (x - center) rstd + offset and
 * dx = rstd w dy + b (x - center) + shift.
 */
function rowConstants(
  x: usize, dy: usize, w: usize, at: usize, rows: i32, length: i32, centered: i32, scratch: usize, to: usize,
): void {
  const center = load<f32>(at);
  const low = <f64>load<f32>(at + floats(rows));
  const rstd = <f64>load<f32>(at + floats(2 * rows));
  elementSums(x, dy, w, length, center, scratch);
  const sum = load<f64>(scratch);
  const dot = load<f64>(scratch, 8) - low * sum;
  const b = (-rstd * rstd * rstd * dot) / <f64>length;
  store<f32>(to, center);
  store<f32>(to, <f32>rstd, 4);
  store<f32>(to, <f32>(-low * rstd), 8);
  store<f32>(to, <f32>b, 12);
  store<f32>(to, <f32>((centered ? (-rstd * sum) / <f64>length : 0) - b * low), 16);
}

/** sum g and sum g (x - center) with g = dy w, as float64 at `out`; w 0: all ones. */
function elementSums(x: usize, dy: usize, w: usize, length: i32, center: f32, out: usize): void {
  const c = f32x4.splat(center);
  let sum: f64 = 0;
  let dot: f64 = 0;
  let i = 0;
  while (i + 4 <= length) {
    let s0 = f32x4.splat(0), s1 = s0, p0 = s0, p1 = s0;
    const stop = min(i + 1024, length & ~3);
    for (; i + 8 <= stop; i += 8) {
      const at = floats(i);
      let g0 = v128.load(dy + at), g1 = v128.load(dy + at, 16);
      if (w != 0) {
        g0 = f32x4.mul(g0, v128.load(w + at));
        g1 = f32x4.mul(g1, v128.load(w + at, 16));
      }
      s0 = f32x4.add(s0, g0);
      s1 = f32x4.add(s1, g1);
      p0 = fma(g0, f32x4.sub(v128.load(x + at), c), p0);
      p1 = fma(g1, f32x4.sub(v128.load(x + at, 16), c), p1);
    }
    if (i < stop) {
      const at = floats(i);
      const g = w == 0 ? v128.load(dy + at) : f32x4.mul(v128.load(dy + at), v128.load(w + at));
      s0 = f32x4.add(s0, g);
      p0 = fma(g, f32x4.sub(v128.load(x + at), c), p0);
      i += 4;
    }
    sum += sumLanesF64(s0) + sumLanesF64(s1);
    dot += sumLanesF64(p0) + sumLanesF64(p1);
  }
  for (; i < length; i++) {
    const at = floats(i);
    const d = load<f32>(x + at) - center;
    const up = load<f32>(dy + at);
    const g = w == 0 ? up : up * load<f32>(w + at);
    sum += g;
    dot += <f64>g * <f64>d;
  }
  store<f64>(out, sum);
  store<f64>(out, dot, 8);
}

/** dx = rstd w dy + b (x - center) + shift, with a w for each element; w 0: all ones. */
function elementGradients(x: usize, dy: usize, dx: usize, w: usize, length: i32, row: usize): void {
  const center = load<f32>(row), rstd = load<f32>(row, 4), b = load<f32>(row, 12), shift = load<f32>(row, 16);
  const c4 = f32x4.splat(center), r4 = f32x4.splat(rstd), b4 = f32x4.splat(b), s4 = f32x4.splat(shift);
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    const at = floats(i);
    const g = w == 0 ? v128.load(dy + at) : f32x4.mul(v128.load(dy + at), v128.load(w + at));
    v128.store(dx + at, fma(g, r4, fma(f32x4.sub(v128.load(x + at), c4), b4, s4)));
  }
  for (; i < length; i++) {
    const at = floats(i);
    const g = w == 0 ? load<f32>(dy + at) : load<f32>(dy + at) * load<f32>(w + at);
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

/** dx of two consecutive rows, and what they add to the sums, in one visit. */
function pairGradients(
  x: usize, dy: usize, dx: usize, w: usize, sums: usize, half: usize, length: i32, rowA: usize, rowB: usize,
): void {
  const step = floats(length);
  const ca = v128.load32_splat(rowA), ra = v128.load32_splat(rowA, 4), oa = v128.load32_splat(rowA, 8);
  const ba = v128.load32_splat(rowA, 12), sa = v128.load32_splat(rowA, 16);
  const cb = v128.load32_splat(rowB), rb = v128.load32_splat(rowB, 4), ob = v128.load32_splat(rowB, 8);
  const bb = v128.load32_splat(rowB, 12), sb = v128.load32_splat(rowB, 16);
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    const at = floats(i);
    const to = sums + at;
    const scale = v128.load(w + at);
    const da = f32x4.sub(v128.load(x + at), ca), ua = v128.load(dy + at);
    v128.store(dx + at, fma(f32x4.mul(ua, scale), ra, fma(da, ba, sa)));
    let p = fma(ua, fma(da, ra, oa), v128.load(to));
    let q = f32x4.add(ua, v128.load(to + half));
    const db = f32x4.sub(v128.load(x + at + step), cb), ub = v128.load(dy + at + step);
    v128.store(dx + at + step, fma(f32x4.mul(ub, scale), rb, fma(db, bb, sb)));
    p = fma(ub, fma(db, rb, ob), p);
    q = f32x4.add(ub, q);
    v128.store(to, p);
    v128.store(to + half, q);
  }
  if (i == length) return;
  const at = floats(i);
  const rest = length - i;
  tailOf(x + at, dy + at, dx + at, w + at, sums + at, half, rest, rowA);
  tailOf(x + at + step, dy + at + step, dx + at + step, w + at, sums + at, half, rest, rowB);
}

/** The elements of one row that fill no vector. */
function tailOf(x: usize, dy: usize, dx: usize, w: usize, sums: usize, half: usize, length: i32, row: usize): void {
  elementGradients(x, dy, dx, w, length, row);
  addElements(x, dy, sums, half, length, row);
}
