// Batch normalization, the activation after it and, where `pooled` is not 0, the means of windows of 2 x 2 after that, in
// one visit to each channel, or to some. The arithmetic, and so every bit of the result, is that of the ops one after the
// other; what is saved is a pass over memory each way, and the tensors between them.

import { batch_norm_statistics, channelsTogether } from "./kernel.as";
import { SUMS } from "./pieces.as";
import { pool_average_halving, pool_average_halving_backward } from "../../pool/kernel.as";
import {
  addGradientSumsThrough, gradientRows, GROUP, normalizeRows, normalizeRowsThen, RELU, SIGMOID,
} from "../shared/normalize.as";
import { rowStatistics } from "../shared/statistics.as";
import { mergeStatistics, storeGradient, valueOr } from "../shared/table.as";

/** Scratch of each channel: its sums of a piece, those of the pieces before, and what the gradient is made of. */
const EACH: usize = 48;

/** Where in scratch the planes are between means and what comes before them. */
const PLANES: usize = 8 * EACH;

/** Examples that are pooled while the first-level cache holds them. */
const POOLED_TOGETHER: i32 = 4;

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

/** Adds examples [from, to) of a channel to the sums of gradients at `out`; what arrives at the norm goes to dx. */
// @ts-ignore: decorator
@inline
function addSums(
  then: i32, x: usize, dy: usize, y: usize, dx: usize, center: f32, c: i32, s: i32, pooled: usize, height: i32, width: i32,
  outHeight: i32, outWidth: i32, channel: i32, from: i32, to: i32, out: usize, planes: usize,
): void {
  const size = <usize>s << 2;
  const at = (<usize>(from * c + channel)) * size;
  let arriving = dy + at;
  let stride = c * s;
  if (pooled != 0) {
    for (let plane = from * c + channel, i = from, place = planes; i < to; i++, plane += c, place += size) {
      // The address that puts plane number `plane` at `place`.
      const address = place - <usize>plane * size;
      pool_average_halving_backward(dy, address, height, width, outHeight, outWidth, plane, plane + 1);
    }
    arriving = planes;
    stride = s;
  }
  addGradientSumsThrough(then, x + at, arriving, stride, y + at, dx + at, to - from, s, c * s, center, out);
}

/**
 * `pooled`, where it is not 0, says that dy is the gradient of the means. dx may be y: what arrives at the norm then takes
 * its place. `rows` as in `statistics`. Scratch holds 384 bytes and, for the means, GROUP planes.
 */
// @ts-ignore: decorator
@inline
function backward(
  then: i32, x: usize, dy: usize, y: usize, dx: usize, weight: usize, dweight: usize, dbias: usize, stats: usize,
  n: i32, c: i32, s: i32, pooled: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, training: i32, rows: i32,
  begin: i32, end: i32, scratch: usize,
): void {
  const count = <f64>n * <f64>s;
  const together = channelsTogether(n, s, 2, end - begin);
  const some = together > 1 || pooled != 0 ? GROUP : n;
  for (let first = begin; first < end; first += together) {
    const last = min(first + together, end);
    memory.fill(scratch, 0, PLANES);
    for (let piece = 0; piece < n; piece += rows) {
      const stop = min(piece + rows, n);
      for (let from = piece; from < stop; from += some) {
        const to = min(from + some, stop);
        for (let channel = first, state = scratch; channel < last; channel++, state += EACH) {
          const center = load<f32>(stats + (<usize>channel << 2));
          addSums(
            then, x, dy, y, dx, center, c, s, pooled, height, width, outHeight, outWidth, channel, from, to, state,
            scratch + PLANES,
          );
        }
      }
      for (let channel = first, state = scratch; channel < last; channel++, state += EACH) {
        v128.store(state, f64x2.add(v128.load(state, 16), v128.load(state)), 16);
        v128.store(state, f64x2.splat(0));
      }
    }
    for (let channel = first, state = scratch; channel < last; channel++, state += EACH) {
      const sum = load<f64>(state, 16), dot = load<f64>(state, 24);
      storeGradient(stats, channel, c, weight, dweight, dbias, sum, dot, count, training, state + 32, 4);
    }
    // What arrived at the norm stands in dx now, and what leaves it takes its place. The last examples first, as in normalizeRowsThen.
    const back = together > 1 ? GROUP : n;
    for (let from = ((n - 1) / back) * back; from >= 0; from -= back) {
      for (let channel = first, state = scratch + 32; channel < last; channel++, state += EACH) {
        const a = load<f32>(state), b = load<f32>(state, 4), shift = load<f32>(state, 8);
        const center = load<f32>(stats + (<usize>channel << 2));
        const at = (<usize>(from * c + channel) * <usize>s) << 2;
        const to = dx + at;
        if (training) gradientRows(x + at, to, to, min(back, n - from), s, c * s, center, a, b, shift);
        else normalizeRows(to, to, min(back, n - from), s, c * s, 0, a, 0);
      }
    }
  }
}

export function batch_norm_relu_normalize(
  x: usize, y: usize, weight: usize, bias: usize, stats: usize, n: i32, c: i32, s: i32,
  pooled: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, begin: i32, end: i32,
): void {
  const together = channelsTogether(n, s, 1, end - begin);
  for (let first = begin; first < end; first += together) {
    const last = min(first + together, end);
    normalize(RELU, x, y, weight, bias, stats, n, c, s, pooled, height, width, outHeight, outWidth, first, last);
  }
}

export function batch_norm_sigmoid_normalize(
  x: usize, y: usize, weight: usize, bias: usize, stats: usize, n: i32, c: i32, s: i32,
  pooled: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, begin: i32, end: i32,
): void {
  const together = channelsTogether(n, s, 1, end - begin);
  for (let first = begin; first < end; first += together) {
    const last = min(first + together, end);
    normalize(SIGMOID, x, y, weight, bias, stats, n, c, s, pooled, height, width, outHeight, outWidth, first, last);
  }
}

export function batch_norm_relu_forward(
  x: usize, y: usize, weight: usize, bias: usize, stats: usize, n: i32, c: i32, s: i32,
  pooled: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, eps: f64,
  rows: i32, begin: i32, end: i32, scratch: usize,
): void {
  const together = channelsTogether(n, s, 1, end - begin);
  for (let first = begin; first < end; first += together) {
    const last = min(first + together, end);
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
  const together = channelsTogether(n, s, 1, end - begin);
  for (let first = begin; first < end; first += together) {
    const last = min(first + together, end);
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
