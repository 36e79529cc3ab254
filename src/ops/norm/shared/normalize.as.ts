// What is done with statistics once they are known, over rows of x that lie apart: y going forward; the sums
// that the gradients need and dx going back. An activation may follow in the same pass. Four rows are taken side
// by side, as in quadStatistics.

import { fma, logistic4, one4, storeFirst } from "../../../backend/wasm/simd.as";
import { sumOfFour } from "./lanes.as";
import { BLOCK, laneMask } from "./statistics.as";

// What may follow a norm in the same pass. Each kernel is compiled for one of them.
export const NOTHING: i32 = 0;
export const RELU: i32 = 1;
export const SIGMOID: i32 = 2;

/** Rows after which sums of gradients are merged in any case. */
export const GROUP: i32 = 16;

/** What follows, of four normalized values: the arithmetic of src/ops/activation. */
// @ts-ignore: decorator
@inline
export function activated4(then: i32, v: v128): v128 {
  if (then == RELU) return f32x4.pmax(v, f32x4.splat(0));
  if (then == SIGMOID) return logistic4(v);
  return v;
}

/** The gradient of the normalized values, from that of what followed and its result y. */
// @ts-ignore: decorator
@inline
export function through4(then: i32, dy: v128, y: usize): v128 {
  if (then == RELU) return v128.and(dy, f32x4.gt(v128.load(y), f32x4.splat(0)));
  if (then == SIGMOID) {
    const s = v128.load(y);
    return f32x4.mul(dy, f32x4.mul(s, f32x4.sub(one4(), s)));
  }
  return dy;
}

/**
 * Reads what is about to be written: the line is on its way then, and the write does not wait for it. Behind the last line that
 * is 16 bytes past the end.
 */
// @ts-ignore: decorator
@inline
function touch(at: usize): void {
  v128.load(at);
}

/**
 * A cache line of them, and a look at the next unless an activation has more to work out than to wait for. All four are there
 * before the first is stored: V8 puts their steps side by side then, and none waits for another.
 */
// @ts-ignore: decorator
@inline
function normalizeLine(then: i32, x: usize, y: usize, c: v128, a: v128, b: v128): void {
  if (then == NOTHING) touch(y + 64);
  const v0 = activated4(then, fma(f32x4.sub(v128.load(x), c), a, b));
  const v1 = activated4(then, fma(f32x4.sub(v128.load(x, 16), c), a, b));
  const v2 = activated4(then, fma(f32x4.sub(v128.load(x, 32), c), a, b));
  const v3 = activated4(then, fma(f32x4.sub(v128.load(x, 48), c), a, b));
  v128.store(y, v0);
  v128.store(y, v1, 16);
  v128.store(y, v2, 32);
  v128.store(y, v3, 48);
}

/** then((x - center) scale + shift) over `rows` rows of `length` elements, `stride` elements apart. */
// @ts-ignore: decorator
@inline
export function normalizeRowsThen(
  then: i32, x: usize, y: usize, rows: i32, length: i32, stride: i32, center: f32, scale: f32, shift: f32,
): void {
  const c = f32x4.splat(center);
  const a = f32x4.splat(scale);
  const b = f32x4.splat(shift);
  const step = <usize>stride << 2;
  const whole = <usize>(length & ~3) << 2;
  x += <usize>rows * step;
  y += <usize>rows * step;
  // The last rows first: they are what the cache still holds of the pass before. Before a sigmoid rows go one by one: it has
  // more to work out than to wait for, and four lines side by side are a long loop.
  const single = then == SIGMOID ? rows : rows & 3;
  for (let rest = single; rest > 0; rest--) {
    x -= step;
    y -= step;
    let at: usize = 0;
    for (; at + 64 <= whole; at += 64) normalizeLine(then, x + at, y + at, c, a, b);
    for (; at < whole; at += 16) {
      v128.store(y + at, activated4(then, fma(f32x4.sub(v128.load(x + at), c), a, b)));
    }
    if (length & 3) {
      storeFirst(y + at, activated4(then, fma(f32x4.sub(v128.load(x + at), c), a, b)), length & 3);
    }
  }
  if (then == SIGMOID) return;
  for (let quads = rows >> 2; quads > 0; quads--) {
    x -= 4 * step;
    y -= 4 * step;
    const x1 = x + step, x2 = x1 + step, x3 = x2 + step;
    const y1 = y + step, y2 = y1 + step, y3 = y2 + step;
    let at: usize = 0;
    for (; at + 64 <= whole; at += 64) {
      normalizeLine(then, x + at, y + at, c, a, b);
      normalizeLine(then, x1 + at, y1 + at, c, a, b);
      normalizeLine(then, x2 + at, y2 + at, c, a, b);
      normalizeLine(then, x3 + at, y3 + at, c, a, b);
    }
    for (; at < whole; at += 16) {
      const v0 = activated4(then, fma(f32x4.sub(v128.load(x + at), c), a, b));
      const v1 = activated4(then, fma(f32x4.sub(v128.load(x1 + at), c), a, b));
      const v2 = activated4(then, fma(f32x4.sub(v128.load(x2 + at), c), a, b));
      const v3 = activated4(then, fma(f32x4.sub(v128.load(x3 + at), c), a, b));
      v128.store(y + at, v0);
      v128.store(y1 + at, v1);
      v128.store(y2 + at, v2);
      v128.store(y3 + at, v3);
    }
    if ((length & 3) == 0) continue;
    for (let k = 0, at = whole; k < 4; k++, at += step) {
      const last = activated4(then, fma(f32x4.sub(v128.load(x + at), c), a, b));
      storeFirst(y + at, last, length & 3);
    }
  }
}

/** y = (x - center) scale + shift over `rows` rows of `length` elements, `stride` elements apart. */
export function normalizeRows(
  x: usize, y: usize, rows: i32, length: i32, stride: i32, center: f32, scale: f32, shift: f32,
): void {
  normalizeRowsThen(NOTHING, x, y, rows, length, stride, center, scale, shift);
}

/**
 * Adds sum g and sum g (x - center) over the rows to the two float64 at `out`; g is the gradient of the normalized values:
 * dy itself, or what an activation with result `y` makes of it, which is then written to `to`. GROUP rows at a time, and
 * what is left over last, give the bits of all at once. Rows of dy are `dyStride` elements apart.
 */
// @ts-ignore: decorator
@inline
export function addGradientSumsThrough(
  then: i32, x: usize, dy: usize, dyStride: i32, y: usize, to: usize, rows: i32, length: i32, stride: i32, center: f32,
  out: usize,
): void {
  const step = <usize>stride << 2;
  const dyStep = <usize>dyStride << 2;
  const quads = rows & ~3;
  if (quads > 0) quadGradientSums(then, x, dy, dyStep, y, to, quads, length, step, center, out);
  if (rows == quads) return;
  const skip = <usize>quads * step;
  const rest = dy + <usize>quads * dyStep;
  singleGradientSums(then, x + skip, rest, dyStep, y + skip, to + skip, rows - quads, length, step, center, out);
}

/** Adds two sums, of two lanes each, to the two float64 at `out`. */
export function addSums(out: usize, sum: v128, dot: v128): void {
  store<f64>(out, load<f64>(out) + (f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1)));
  store<f64>(out, load<f64>(out, 8) + (f64x2.extract_lane(dot, 0) + f64x2.extract_lane(dot, 1)), 8);
}

/** g of the first `count` of four values, the others 0; written to `to` where it is not what arrived. */
// @ts-ignore: decorator
@inline
function arrivedFirst(then: i32, dy: usize, y: usize, to: usize, count: i32): v128 {
  const g = v128.and(through4(then, v128.load(dy), y), laneMask(count));
  if (then != NOTHING) storeFirst(to, g, count);
  return g;
}

/** The same of all four. */
// @ts-ignore: decorator
@inline
function arrived4(then: i32, dy: usize, y: usize, to: usize): v128 {
  const g = through4(then, v128.load(dy), y);
  if (then != NOTHING) v128.store(to, g);
  return g;
}

/** Four rows side by side, half a cache line of each at a time: with a whole one V8 runs out of registers. */
// @ts-ignore: decorator
@inline
function quadGradientSums(
  then: i32, x: usize, dy: usize, dyStep: usize, y: usize, to: usize, rows: i32, length: i32, step: usize, center: f32,
  out: usize,
): void {
  const c = f32x4.splat(center);
  const tail = length & 3;
  const mask = laneMask(tail);
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
  let p0 = s0, p1 = s0, p2 = s0, p3 = s0;
  let pending = 0;
  for (let row = 0; row < rows; row += 4) {
    for (let done = 0; done < length; ) {
      const take = min(length - done, BLOCK / 4);
      let at = <usize>done << 2;
      const end = at + (<usize>(take & ~3) << 2);
      done += take;
      pending += 4 * take;
      for (; at + 64 <= end; at += 64) {
        for (let k = 0, xAt = x + at + 0, gAt = dy + at + 0, yAt = y + at + 0, toAt = to + at + 0; k < 4; k++) {
          const g0 = arrived4(then, gAt, yAt, toAt), g1 = arrived4(then, gAt + 16, yAt + 16, toAt + 16);
          s0 = f32x4.add(s0, g0);
          s1 = f32x4.add(s1, g1);
          p0 = fma(g0, f32x4.sub(v128.load(xAt), c), p0);
          p1 = fma(g1, f32x4.sub(v128.load(xAt, 16), c), p1);
          xAt += step;
          gAt += dyStep;
          yAt += step;
          toAt += step;
        }
        for (let k = 0, xAt = x + at + 32, gAt = dy + at + 32, yAt = y + at + 32, toAt = to + at + 32; k < 4; k++) {
          const g0 = arrived4(then, gAt, yAt, toAt), g1 = arrived4(then, gAt + 16, yAt + 16, toAt + 16);
          s2 = f32x4.add(s2, g0);
          s3 = f32x4.add(s3, g1);
          p2 = fma(g0, f32x4.sub(v128.load(xAt), c), p2);
          p3 = fma(g1, f32x4.sub(v128.load(xAt, 16), c), p3);
          xAt += step;
          gAt += dyStep;
          yAt += step;
          toAt += step;
        }
      }
      for (; at < end; at += 16) {
        const xAt = x + at, gAt = dy + at, yAt = y + at, toAt = to + at;
        const g0 = arrived4(then, gAt, yAt, toAt);
        s0 = f32x4.add(s0, g0);
        p0 = fma(g0, f32x4.sub(v128.load(xAt), c), p0);
        const g1 = arrived4(then, gAt + dyStep, yAt + step, toAt + step);
        s1 = f32x4.add(s1, g1);
        p1 = fma(g1, f32x4.sub(v128.load(xAt + step), c), p1);
        const g2 = arrived4(then, gAt + 2 * dyStep, yAt + 2 * step, toAt + 2 * step);
        s2 = f32x4.add(s2, g2);
        p2 = fma(g2, f32x4.sub(v128.load(xAt + 2 * step), c), p2);
        const g3 = arrived4(then, gAt + 3 * dyStep, yAt + 3 * step, toAt + 3 * step);
        s3 = f32x4.add(s3, g3);
        p3 = fma(g3, f32x4.sub(v128.load(xAt + 3 * step), c), p3);
      }
      if (tail > 0 && done == length) {
        for (let k = 0, dyAt = at; k < 4; k++, at += step, dyAt += dyStep) {
          const g = arrivedFirst(then, dy + dyAt, y + at, to + at, tail);
          s0 = f32x4.add(s0, g);
          p0 = fma(g, v128.and(f32x4.sub(v128.load(x + at), c), mask), p0);
        }
      }
      if (pending >= BLOCK || (done == length && ((row + 4) % GROUP == 0 || row + 4 == rows))) {
        addSums(out, sumOfFour(s0, s1, s2, s3), sumOfFour(p0, p1, p2, p3));
        s0 = s1 = s2 = s3 = p0 = p1 = p2 = p3 = f32x4.splat(0);
        pending = 0;
      }
    }
    x += 4 * step;
    dy += 4 * dyStep;
    y += 4 * step;
    to += 4 * step;
  }
}

/** One row after the other. */
// @ts-ignore: decorator
@inline
function singleGradientSums(
  then: i32, x: usize, dy: usize, dyStep: usize, y: usize, to: usize, rows: i32, length: i32, step: usize, center: f32,
  out: usize,
): void {
  const c = f32x4.splat(center);
  const tail = length & 3;
  const mask = laneMask(tail);
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
  let p0 = s0, p1 = s0, p2 = s0, p3 = s0;
  let pending = 0;
  for (let row = 0; row < rows; row++) {
    for (let done = 0; done < length; ) {
      const take = min(length - done, BLOCK);
      let at = <usize>done << 2;
      const end = at + (<usize>(take & ~3) << 2);
      done += take;
      pending += take;
      for (; at + 64 <= end; at += 64) {
        const xAt = x + at, gAt = dy + at, yAt = y + at, toAt = to + at;
        const g0 = arrived4(then, gAt, yAt, toAt), g1 = arrived4(then, gAt + 16, yAt + 16, toAt + 16);
        s0 = f32x4.add(s0, g0);
        s1 = f32x4.add(s1, g1);
        p0 = fma(g0, f32x4.sub(v128.load(xAt), c), p0);
        p1 = fma(g1, f32x4.sub(v128.load(xAt, 16), c), p1);
        const g2 = arrived4(then, gAt + 32, yAt + 32, toAt + 32), g3 = arrived4(then, gAt + 48, yAt + 48, toAt + 48);
        s2 = f32x4.add(s2, g2);
        s3 = f32x4.add(s3, g3);
        p2 = fma(g2, f32x4.sub(v128.load(xAt, 32), c), p2);
        p3 = fma(g3, f32x4.sub(v128.load(xAt, 48), c), p3);
      }
      for (; at < end; at += 16) {
        const g = arrived4(then, dy + at, y + at, to + at);
        s0 = f32x4.add(s0, g);
        p0 = fma(g, f32x4.sub(v128.load(x + at), c), p0);
      }
      if (tail > 0 && done == length) {
        const g = arrivedFirst(then, dy + at, y + at, to + at, tail);
        s1 = f32x4.add(s1, g);
        p1 = fma(g, v128.and(f32x4.sub(v128.load(x + at), c), mask), p1);
      }
      if (pending >= BLOCK || (done == length && row == rows - 1)) {
        addSums(out, sumOfFour(s0, s1, s2, s3), sumOfFour(p0, p1, p2, p3));
        s0 = s1 = s2 = s3 = p0 = p1 = p2 = p3 = f32x4.splat(0);
        pending = 0;
      }
    }
    x += step;
    dy += dyStep;
    y += step;
    to += step;
  }
}

/** sum dy and sum dy (x - center) over the rows, as float64 at `out`. */
export function gradientSums(
  x: usize, dy: usize, rows: i32, length: i32, stride: i32, center: f32, out: usize,
): void {
  store<f64>(out, 0);
  store<f64>(out, 0, 8);
  addGradientSums(x, dy, rows, length, stride, center, out);
}

/** The same, added to what stands at `out`, as {@link addGradientSumsThrough}. */
export function addGradientSums(
  x: usize, dy: usize, rows: i32, length: i32, stride: i32, center: f32, out: usize,
): void {
  addGradientSumsThrough(NOTHING, x, dy, stride, 0, 0, rows, length, stride, center, out);
}

/** dx of four values. */
// @ts-ignore: decorator
@inline
export function gradient4(x: usize, dy: usize, center: v128, a: v128, b: v128, shift: v128): v128 {
  return fma(v128.load(dy), a, fma(f32x4.sub(v128.load(x), center), b, shift));
}

/** A cache line of dx, all of it known before the first is stored; `ahead`: the next one is touched. */
// @ts-ignore: decorator
@inline
function gradientLine(
  ahead: bool, x: usize, dy: usize, dx: usize, center: v128, a: v128, b: v128, shift: v128,
): void {
  if (ahead) touch(dx + 64);
  const v0 = gradient4(x, dy, center, a, b, shift);
  const v1 = gradient4(x + 16, dy + 16, center, a, b, shift);
  const v2 = gradient4(x + 32, dy + 32, center, a, b, shift);
  const v3 = gradient4(x + 48, dy + 48, center, a, b, shift);
  v128.store(dx, v0);
  v128.store(dx, v1, 16);
  v128.store(dx, v2, 32);
  v128.store(dx, v3, 48);
}

/** dx = a dy + b (x - center) + shift over the rows. dx may be dy. */
export function gradientRows(
  x: usize, dy: usize, dx: usize, rows: i32, length: i32, stride: i32, center: f32, a: f32, b: f32, shift: f32,
): void {
  gradientRowsOf(false, x, dy, dx, rows, length, stride, center, a, b, shift);
}

/** The same for rows that are short, whose lines of dx the processor does not bring in by itself. */
export function gradientShortRows(
  x: usize, dy: usize, dx: usize, rows: i32, length: i32, stride: i32, center: f32, a: f32, b: f32, shift: f32,
): void {
  gradientRowsOf(true, x, dy, dx, rows, length, stride, center, a, b, shift);
}

// @ts-ignore: decorator
@inline
function gradientRowsOf(
  ahead: bool, x: usize, dy: usize, dx: usize, rows: i32, length: i32, stride: i32, center: f32, a: f32, b: f32, shift: f32,
): void {
  const c4 = f32x4.splat(center);
  const a4 = f32x4.splat(a);
  const b4 = f32x4.splat(b);
  const s4 = f32x4.splat(shift);
  const step = <usize>stride << 2;
  const whole = <usize>(length & ~3) << 2;
  const tail = length & 3;
  const skip = <usize>rows * step;
  x += skip;
  dy += skip;
  dx += skip;
  // The last rows first, as in normalizeRowsThen.
  for (let rest = rows & 3; rest > 0; rest--) {
    x -= step;
    dy -= step;
    dx -= step;
    let at: usize = 0;
    for (; at + 64 <= whole; at += 64) gradientLine(ahead, x + at, dy + at, dx + at, c4, a4, b4, s4);
    for (; at < whole; at += 16) v128.store(dx + at, gradient4(x + at, dy + at, c4, a4, b4, s4));
    if (tail > 0) storeFirst(dx + at, gradient4(x + at, dy + at, c4, a4, b4, s4), tail);
  }
  const step2 = 2 * step, step3 = 3 * step, step4 = 4 * step;
  for (let quads = rows >> 2; quads > 0; quads--) {
    x -= step4;
    dy -= step4;
    dx -= step4;
    let at: usize = 0;
    for (; at + 64 <= whole; at += 64) {
      const xAt = x + at, gAt = dy + at, to = dx + at;
      gradientLine(ahead, xAt, gAt, to, c4, a4, b4, s4);
      gradientLine(ahead, xAt + step, gAt + step, to + step, c4, a4, b4, s4);
      gradientLine(ahead, xAt + step2, gAt + step2, to + step2, c4, a4, b4, s4);
      gradientLine(ahead, xAt + step3, gAt + step3, to + step3, c4, a4, b4, s4);
    }
    for (; at < whole; at += 16) {
      const xAt = x + at, gAt = dy + at, to = dx + at;
      v128.store(to, gradient4(xAt, gAt, c4, a4, b4, s4));
      v128.store(to + step, gradient4(xAt + step, gAt + step, c4, a4, b4, s4));
      v128.store(to + step2, gradient4(xAt + step2, gAt + step2, c4, a4, b4, s4));
      v128.store(to + step3, gradient4(xAt + step3, gAt + step3, c4, a4, b4, s4));
    }
    if (tail == 0) continue;
    for (let k = 0, at = whole; k < 4; k++, at += step) {
      storeFirst(dx + at, gradient4(x + at, dy + at, c4, a4, b4, s4), tail);
    }
  }
}
