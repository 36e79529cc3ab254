// Batch normalization, the activation after it and, where `pooled` is not 0, the means of windows of 2 x 2 after that, in
// one visit to each channel, or to some. The arithmetic, and so every bit of the result, is that of the ops one after the
// other; what is saved is a pass over memory each way, and the tensors between them.

import { batch_norm_statistics, channelsTogether } from "./kernel.as";
import { SUMS } from "./pieces.as";
import { pool_average_halving, pool_average_halving_backward } from "../../pool/kernel.as";
import {
  addGradientSumsThrough, gradientRows, gradientSumsThrough, GROUP, normalizeRows, normalizeRowsThen, RELU, SIGMOID,
} from "../shared/normalize.as";
import { rowStatistics } from "../shared/statistics.as";
import { mergeStatistics, storeGradient, valueOr } from "../shared/table.as";

/** Where in scratch the planes are between means and what comes before them. */
const PLANES: usize = 64;

/** Examples that are pooled while the first-level cache holds them. */
const POOLED_TOGETHER: i32 = 4;

/** How many of so many channels a visit takes: one where means are taken, since its rows have to stay in the first-level cache. */
// @ts-ignore: decorator
@inline
function together(n: i32, s: i32, pooled: usize, channels: i32): i32 {
  return pooled != 0 ? 1 : channelsTogether(n, s, 1, channels);
}

/** Channels [begin, end), which are few enough to be taken together. */
// @ts-ignore: decorator
@inline
function normalize(
  then: i32, x: usize, y: usize, weight: usize, bias: usize, stats: usize, n: i32, c: i32, s: i32,
  pooled: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, begin: i32, end: i32,
): void {
  const row = <usize>c << 2;
  const most = pooled != 0 ? POOLED_TOGETHER : end - begin > 1 ? GROUP : n;
  // The last examples first, as in normalizeRowsThen.
  for (let example = ((n - 1) / most) * most; example >= 0; example -= most) {
    const rows = min(most, n - example);
    for (let channel = begin; channel < end; channel++) {
      const at = stats + (<usize>channel << 2);
      const scale = <f64>load<f32>(at + 2 * row) * valueOr(weight, channel, 1);
      const shift = valueOr(bias, channel, 0) - <f64>load<f32>(at + row) * scale;
      const from = (<usize>(example * c + channel) * <usize>s) << 2;
      normalizeRowsThen(then, x + from, y + from, rows, s, c * s, load<f32>(at), <f32>scale, <f32>shift);
      if (pooled == 0) continue;
      for (let plane = example * c + channel, i = 0; i < rows; i++, plane += c) {
        pool_average_halving(y, pooled, height, width, outHeight, outWidth, plane, plane + 1);
      }
    }
  }
}

/**
 * The statistics of channels [begin, end). Channels that batch normalization by itself takes in pieces (pieces.as.ts), of `rows`
 * examples, are summed in these here too, so that every bit is the same.
 */
function statistics(
  x: usize, stats: usize, n: i32, c: i32, s: i32, eps: f64, rows: i32, begin: i32, end: i32, scratch: usize,
): void {
  if (rows >= n) return batch_norm_statistics(x, stats, n, c, s, eps, begin, end, scratch);
  for (let channel = begin; channel < end; channel++) {
    for (let first = 0, at = scratch; first < n; first += rows, at += SUMS) {
      rowStatistics(x + ((<usize>(first * c + channel) * <usize>s) << 2), min(rows, n - first), s, c * s, at);
    }
    mergeStatistics(stats, channel, c, scratch, 8, SUMS, n, rows, s, eps);
  }
}

/** The sums of gradients of examples [from, to) of a channel, at `scratch`; what arrives at the norm goes to dx. */
// @ts-ignore: decorator
@inline
function sums(
  then: i32, x: usize, dy: usize, y: usize, dx: usize, center: f32, c: i32, s: i32,
  pooled: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, channel: i32, from: i32, to: i32, scratch: usize,
): void {
  if (pooled == 0) {
    const at = (<usize>(from * c + channel) * <usize>s) << 2;
    return gradientSumsThrough(then, x + at, dy + at, y + at, dx + at, to - from, s, c * s, center, scratch);
  }
  const planes = scratch + PLANES;
  const size = <usize>s << 2;
  store<f64>(scratch, 0);
  store<f64>(scratch, 0, 8);
  for (let first = from; first < to; first += GROUP) {
    const rows = min(GROUP, to - first);
    for (let plane = first * c + channel, at = planes, i = 0; i < rows; i++, plane += c, at += size) {
      // The address that puts plane number `plane` at `at`.
      const address = at - <usize>plane * size;
      pool_average_halving_backward(dy, address, height, width, outHeight, outWidth, plane, plane + 1);
    }
    const at = (<usize>(first * c + channel) * <usize>s) << 2;
    addGradientSumsThrough(then, x + at, planes, s, y + at, dx + at, rows, s, c * s, center, scratch);
  }
}

/**
 * `pooled`, where it is not 0, says that dy is the gradient of the means. dx may be y: what arrives at the norm then takes
 * its place. `rows` as in `statistics`. Scratch holds 64 bytes and, for the means, GROUP planes.
 */
// @ts-ignore: decorator
@inline
function backward(
  then: i32, x: usize, dy: usize, y: usize, dx: usize, weight: usize, dweight: usize, dbias: usize, stats: usize,
  n: i32, c: i32, s: i32, pooled: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, training: i32, rows: i32,
  begin: i32, end: i32, scratch: usize,
): void {
  const count = <f64>n * <f64>s;
  const out = scratch + 16;
  for (let channel = begin; channel < end; channel++) {
    const center = load<f32>(stats + (<usize>channel << 2));
    let sum: f64 = 0;
    let dot: f64 = 0;
    for (let from = 0; from < n; from += rows) {
      const to = min(from + rows, n);
      sums(
        then, x, dy, y, dx, center, c, s, pooled, height, width, outHeight, outWidth, channel, from, to, scratch,
      );
      sum += load<f64>(scratch);
      dot += load<f64>(scratch, 8);
    }
    storeGradient(stats, channel, c, weight, dweight, dbias, sum, dot, count, training, out, 4);
    const a = load<f32>(out), b = load<f32>(out, 4), shift = load<f32>(out, 8);
    // What arrived at the norm stands in dx now, and what leaves it takes its place.
    const offset = (<usize>channel * <usize>s) << 2;
    const to = dx + offset;
    if (training) gradientRows(x + offset, to, to, n, s, c * s, center, a, b, shift);
    else normalizeRows(to, to, n, s, c * s, 0, a, 0);
  }
}

export function batch_norm_relu_normalize(
  x: usize, y: usize, weight: usize, bias: usize, stats: usize, n: i32, c: i32, s: i32,
  pooled: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, begin: i32, end: i32,
): void {
  for (let first = begin; first < end; first += together(n, s, pooled, end - begin)) {
    const last = min(first + together(n, s, pooled, end - begin), end);
    normalize(RELU, x, y, weight, bias, stats, n, c, s, pooled, height, width, outHeight, outWidth, first, last);
  }
}

export function batch_norm_sigmoid_normalize(
  x: usize, y: usize, weight: usize, bias: usize, stats: usize, n: i32, c: i32, s: i32,
  pooled: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, begin: i32, end: i32,
): void {
  for (let first = begin; first < end; first += together(n, s, pooled, end - begin)) {
    const last = min(first + together(n, s, pooled, end - begin), end);
    normalize(SIGMOID, x, y, weight, bias, stats, n, c, s, pooled, height, width, outHeight, outWidth, first, last);
  }
}

export function batch_norm_relu_forward(
  x: usize, y: usize, weight: usize, bias: usize, stats: usize, n: i32, c: i32, s: i32,
  pooled: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, eps: f64,
  rows: i32, begin: i32, end: i32, scratch: usize,
): void {
  for (let first = begin; first < end; first += together(n, s, pooled, end - begin)) {
    const last = min(first + together(n, s, pooled, end - begin), end);
    statistics(x, stats, n, c, s, eps, rows, first, last, scratch);
    batch_norm_relu_normalize(
      x, y, weight, bias, stats, n, c, s, pooled, height, width, outHeight, outWidth, first, last,
    );
  }
}

export function batch_norm_sigmoid_forward(
  x: usize, y: usize, weight: usize, bias: usize, stats: usize, n: i32, c: i32, s: i32,
  pooled: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, eps: f64,
  rows: i32, begin: i32, end: i32, scratch: usize,
): void {
  for (let first = begin; first < end; first += together(n, s, pooled, end - begin)) {
    const last = min(first + together(n, s, pooled, end - begin), end);
    statistics(x, stats, n, c, s, eps, rows, first, last, scratch);
    batch_norm_sigmoid_normalize(
      x, y, weight, bias, stats, n, c, s, pooled, height, width, outHeight, outWidth, first, last,
    );
  }
}

export function batch_norm_relu_backward(
  x: usize, dy: usize, y: usize, dx: usize, weight: usize, dweight: usize, dbias: usize, stats: usize,
  n: i32, c: i32, s: i32, pooled: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, training: i32,
  rows: i32, begin: i32, end: i32, scratch: usize,
): void {
  backward(
    RELU, x, dy, y, dx, weight, dweight, dbias, stats, n, c, s, pooled, height, width, outHeight, outWidth, training,
    rows, begin, end, scratch,
  );
}

export function batch_norm_sigmoid_backward(
  x: usize, dy: usize, y: usize, dx: usize, weight: usize, dweight: usize, dbias: usize, stats: usize,
  n: i32, c: i32, s: i32, pooled: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, training: i32,
  rows: i32, begin: i32, end: i32, scratch: usize,
): void {
  backward(
    SIGMOID, x, dy, y, dx, weight, dweight, dbias, stats, n, c, s, pooled, height, width, outHeight, outWidth, training,
    rows, begin, end, scratch,
  );
}
