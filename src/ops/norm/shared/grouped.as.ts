// Norms whose statistics run over consecutive elements: layer, RMS, group and instance norm. x is
// read as [groups, length]; `span` consecutive elements share one scale and shift (1: each has its
// own), and the table of scales holds `period` groups before it repeats.
//
// What forward leaves for backward is a table of three rows, one value a group: center, low, rstd.

import { fma, sumLanesF64 } from "../../../backend/wasm/simd.as";
import { elementsBackward } from "./elements.as";
import { gradientRows, gradientSums, normalizeRows } from "./normalize.as";
import { rowStatistics, rowsTogether } from "./statistics.as";
import { gradientWide, WIDE } from "./wide-columns.as";

// @ts-ignore: decorator
@inline
function floats(n: i32): usize {
  return <usize>n << 2;
}

// @ts-ignore: decorator
@inline
function valueOr(table: usize, index: i32, otherwise: f32): f64 {
  return <f64>(table == 0 ? otherwise : load<f32>(table + floats(index)));
}

/** The mean of x² over consecutive elements, summed in float32 by blocks and in float64 over them. */
function meanSquare(x: usize, length: i32): f64 {
  let total: f64 = 0;
  let i = 0;
  while (i + 4 <= length) {
    let s0 = f32x4.splat(0), s1 = s0;
    for (const stop = min(i + 1024, length & ~3); i + 8 <= stop; i += 8) {
      const a = v128.load(x + floats(i)), b = v128.load(x + floats(i), 16);
      s0 = fma(a, a, s0);
      s1 = fma(b, b, s1);
    }
    if (i + 4 <= length && (length - i < 8)) {
      const a = v128.load(x + floats(i));
      s0 = fma(a, a, s0);
      i += 4;
    }
    total += sumLanesF64(s0) + sumLanesF64(s1);
  }
  for (; i < length; i++) {
    const v = <f64>load<f32>(x + floats(i));
    total += v * v;
  }
  return total / <f64>length;
}

/** y = ((x - center) rstd - low rstd) w + b, with a w and b for each element. */
function scaleElements(x: usize, y: usize, w: usize, b: usize, length: i32, center: f32, rstd: f64, low: f64): void {
  const c = f32x4.splat(center);
  const r = f32x4.splat(<f32>rstd);
  const offset = f32x4.splat(<f32>(-low * rstd));
  let i = 0;
  for (; i + 8 <= length; i += 8) {
    const at = floats(i);
    const x0 = fma(f32x4.sub(v128.load(x + at), c), r, offset);
    const x1 = fma(f32x4.sub(v128.load(x + at, 16), c), r, offset);
    v128.store(y + at, fma(x0, v128.load(w + at), v128.load(b + at)));
    v128.store(y + at, fma(x1, v128.load(w + at, 16), v128.load(b + at, 16)), 16);
  }
  for (; i + 4 <= length; i += 4) {
    const at = floats(i);
    const xhat = fma(f32x4.sub(v128.load(x + at), c), r, offset);
    v128.store(y + at, fma(xhat, v128.load(w + at), v128.load(b + at)));
  }
  for (; i < length; i++) {
    const at = floats(i);
    const xhat = (load<f32>(x + at) - center) * <f32>rstd - <f32>(low * rstd);
    store<f32>(y + at, xhat * load<f32>(w + at) + load<f32>(b + at));
  }
}

/**
 * Statistics and y, group by group. `centered` 0: no mean is taken out (RMS norm). With a scale or shift for each
 * element (span 1) there must be both, or neither.
 */
export function norm_grouped_forward(
  x: usize, y: usize, weight: usize, bias: usize, stats: usize,
  groups: i32, length: i32, span: i32, period: i32, centered: i32, eps: f64, begin: i32, end: i32, scratch: usize,
): void {
  for (let group = begin; group < end; group++) {
    const offset = floats(group) * <usize>length;
    let mean: f64 = 0;
    let variance: f64;
    if (centered) {
      rowStatistics(x + offset, 1, length, length, scratch);
      mean = load<f64>(scratch);
      variance = load<f64>(scratch, 8) / <f64>length;
    } else variance = meanSquare(x + offset, length);
    const center = <f32>mean;
    const low = mean - <f64>center;
    const rstd = 1 / sqrt(variance + eps);
    const at = stats + floats(group);
    store<f32>(at, center);
    store<f32>(at + floats(groups), <f32>low);
    store<f32>(at + floats(2 * groups), <f32>rstd);
    if (weight == 0 && bias == 0) {
      normalizeRows(x + offset, y + offset, 1, length, length, center, <f32>rstd, <f32>(-low * rstd));
      continue;
    }
    const spans = length / span;
    const first = (group % period) * spans;
    if (span == 1) {
      scaleElements(x + offset, y + offset, weight + floats(first), bias + floats(first), length, center, rstd, low);
      continue;
    }
    for (let k = 0; k < spans; k++) {
      const scale = rstd * valueOr(weight, first + k, 1);
      const shift = valueOr(bias, first + k, 0) - low * scale;
      const from = offset + floats(k * span);
      normalizeRows(x + from, y + from, 1, span, span, center, <f32>scale, <f32>shift);
    }
  }
}

/**
 * dx where it is not 0, and partial sums of dweight and dbias where `partial` is not 0: for each
 * chunk of `grain` groups (span 1) or for each group (else) a row of `period` groups' sums of dy x̂,
 * and `half` bytes further on the same of dy. With span 1 there must be a `weight`.
 */
export function norm_grouped_backward(
  x: usize, dy: usize, dx: usize, weight: usize, stats: usize, partial: usize, half: usize,
  groups: i32, length: i32, span: i32, period: i32, centered: i32, grain: i32, begin: i32, end: i32, scratch: usize,
): void {
  if (span == 1) {
    elementsBackward(
      x, dy, dx, weight, stats, partial == 0 ? 0 : partial + <usize>(begin / grain) * floats(period * length), half,
      groups, length, period, centered, begin, end, scratch,
    );
    return;
  }
  const spans = length / span;
  const count = <f64>length;
  for (let group = begin; group < end; group++) {
    const offset = floats(group) * <usize>length;
    const at = stats + floats(group);
    const center = load<f32>(at);
    const low = <f64>load<f32>(at + floats(groups));
    const rstd = <f64>load<f32>(at + floats(2 * groups));
    const first = (group % period) * spans;
    let sum: f64 = 0;
    let dot: f64 = 0;
    for (let k = 0; k < spans; k++) {
      const from = offset + floats(k * span);
      gradientSums(x + from, dy + from, 1, span, span, center, scratch);
      const spanSum = load<f64>(scratch);
      const spanDot = load<f64>(scratch, 8) - low * spanSum;
      const gamma = valueOr(weight, first + k, 1);
      sum += gamma * spanSum;
      dot += gamma * spanDot;
      if (partial != 0) {
        const to = partial + floats(group * spans + k);
        store<f32>(to, <f32>(spanDot * rstd));
        store<f32>(to + half, <f32>spanSum);
      }
    }
    if (dx == 0) continue;
    const b = (-rstd * rstd * rstd * dot) / count;
    const shift = (centered ? (-rstd * sum) / count : 0) - b * low;
    if (weight == 0) {
      gradientRows(x + offset, dy + offset, dx + offset, 1, length, length, center, <f32>rstd, <f32>b, <f32>shift);
      continue;
    }
    for (let k = 0; k < spans; k++) {
      const from = offset + floats(k * span);
      const a = <f32>(rstd * valueOr(weight, first + k, 1));
      gradientRows(x + from, dy + from, dx + from, 1, span, span, center, a, <f32>b, <f32>shift);
    }
  }
}

/** out[j] = sum over `rows` of partial[row, j], in order and in float64. */
function sumPartials(partial: usize, out: usize, rows: i32, width: i32, begin: i32, end: i32): void {
  let j = begin;
  for (; j + 4 <= end; j += 4) {
    let low = f64x2.splat(0), high = low;
    let at = partial + floats(j);
    for (let row = 0; row < rows; row++, at += floats(width)) {
      const v = v128.load(at);
      low = f64x2.add(low, f64x2.promote_low_f32x4(v));
      high = f64x2.add(high, f64x2.promote_low_f32x4(i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)));
    }
    const a = f32x4.demote_f64x2_zero(low), b = f32x4.demote_f64x2_zero(high);
    v128.store(out + floats(j), i8x16.shuffle(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23));
  }
  for (; j < end; j++) {
    let sum: f64 = 0;
    for (let row = 0; row < rows; row++) sum += <f64>load<f32>(partial + floats(row * width + j));
    store<f32>(out + floats(j), <f32>sum);
  }
}

/** dweight and dbias, each where it is not 0, from the partial sums that {@link norm_grouped_backward} left. */
export function norm_sum_partials(
  partial: usize, half: usize, dweight: usize, dbias: usize, rows: i32, width: i32, begin: i32, end: i32,
): void {
  if (dweight != 0) sumPartials(partial, dweight, rows, width, begin, end);
  if (dbias != 0) sumPartials(partial + half, dbias, rows, width, begin, end);
}

/**
 * dx = a dy + b (x - center) + shift, with a table of four rows of c floats: center, a, b, shift. An item is a block of examples of a
 * channel; blocks in the order of memory.
 */
export function norm_channel_gradient(
  x: usize, dy: usize, dx: usize, table: usize, n: i32, c: i32, s: i32, begin: i32, end: i32,
): void {
  const row = floats(c);
  const most = rowsTogether(s);
  for (let item = begin; item < end; item++) {
    const block = item / c;
    const channel = item - block * c, example = block * most;
    const at = table + floats(channel);
    const offset = floats(example * c + channel) * <usize>s;
    const center = load<f32>(at), a = load<f32>(at + row), b = load<f32>(at + 2 * row), shift = load<f32>(at + 3 * row);
    gradientRows(x + offset, dy + offset, dx + offset, min(most, n - example), s, c * s, center, a, b, shift);
  }
}

/** The same of [n, c], where channels are columns. */
export function norm_channel_gradient_columns(
  x: usize, dy: usize, dx: usize, table: usize, n: i32, c: i32, begin: i32, end: i32,
): void {
  const row = floats(c);
  for (let first = begin; first < end; first += WIDE) {
    const at = table + floats(first), offset = floats(first);
    const width = min(WIDE, end - first);
    gradientWide(x + offset, dy + offset, dx + offset, n, c, width, at, at + row, at + 2 * row, at + 3 * row);
  }
}
