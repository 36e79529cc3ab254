// Batch normalization, the activation after it and, where `pooled` is not 0, the means of windows of 2 x 2 after that, in
// one visit to each channel, or to some. The arithmetic, and so every bit of the result, is that of the ops one after the
// other; what is saved is a pass over memory each way, and the tensors between them.

import { batch_norm_statistics, channelsTogether } from "./kernel.as";
import { pool_average_halving, pool_average_halving_backward } from "../../pool/kernel.as";
import {
  addGradientSumsThrough, gradientRows, gradientSumsThrough, GROUP, normalizeRows, normalizeRowsThen, RELU, SIGMOID,
} from "../shared/normalize.as";
import { storeGradient, valueOr } from "../shared/table.as";

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

/** `pooled`, where it is not 0, says that dy is the gradient of the means. */
// @ts-ignore: decorator
@inline
function backward(
  then: i32, x: usize, dy: usize, y: usize, dx: usize, weight: usize, dweight: usize, dbias: usize, stats: usize,
  n: i32, c: i32, s: i32, pooled: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, training: i32,
  begin: i32, end: i32, scratch: usize,
): void {
  const count = <f64>n * <f64>s;
  const out = scratch + 16;
  const step = (<usize>c * <usize>s) << 2;
  for (let channel = begin; channel < end; channel++) {
    const center = load<f32>(stats + (<usize>channel << 2));
    const offset = (<usize>channel * <usize>s) << 2;
    const to = dx + offset;
    if (pooled == 0) gradientSumsThrough(then, x + offset, dy + offset, y + offset, to, n, s, c * s, center, scratch);
    else {
      store<f64>(scratch, 0);
      store<f64>(scratch, 0, 8);
      for (let first = 0; first < n; first += GROUP) {
        const rows = min(GROUP, n - first);
        for (let plane = first * c + channel, i = 0; i < rows; i++, plane += c) {
          pool_average_halving_backward(dy, dx, height, width, outHeight, outWidth, plane, plane + 1);
        }
        const from = offset + <usize>first * step;
        const arrived = dx + from;
        addGradientSumsThrough(then, x + from, arrived, y + from, arrived, rows, s, c * s, center, scratch);
      }
    }
    const sum = load<f64>(scratch), dot = load<f64>(scratch, 8);
    storeGradient(stats, channel, c, weight, dweight, dbias, sum, dot, count, training, out, 4);
    const a = load<f32>(out), b = load<f32>(out, 4), shift = load<f32>(out, 8);
    // What arrived at the norm stands in dx now, and what leaves it takes its place.
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
  begin: i32, end: i32, scratch: usize,
): void {
  for (let first = begin; first < end; first += together(n, s, pooled, end - begin)) {
    const last = min(first + together(n, s, pooled, end - begin), end);
    batch_norm_statistics(x, stats, n, c, s, eps, first, last, scratch);
    batch_norm_relu_normalize(
      x, y, weight, bias, stats, n, c, s, pooled, height, width, outHeight, outWidth, first, last,
    );
  }
}

export function batch_norm_sigmoid_forward(
  x: usize, y: usize, weight: usize, bias: usize, stats: usize, n: i32, c: i32, s: i32,
  pooled: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, eps: f64,
  begin: i32, end: i32, scratch: usize,
): void {
  for (let first = begin; first < end; first += together(n, s, pooled, end - begin)) {
    const last = min(first + together(n, s, pooled, end - begin), end);
    batch_norm_statistics(x, stats, n, c, s, eps, first, last, scratch);
    batch_norm_sigmoid_normalize(
      x, y, weight, bias, stats, n, c, s, pooled, height, width, outHeight, outWidth, first, last,
    );
  }
}

export function batch_norm_relu_backward(
  x: usize, dy: usize, y: usize, dx: usize, weight: usize, dweight: usize, dbias: usize, stats: usize,
  n: i32, c: i32, s: i32, pooled: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, training: i32,
  begin: i32, end: i32, scratch: usize,
): void {
  backward(
    RELU, x, dy, y, dx, weight, dweight, dbias, stats, n, c, s, pooled, height, width, outHeight, outWidth, training,
    begin, end, scratch,
  );
}

export function batch_norm_sigmoid_backward(
  x: usize, dy: usize, y: usize, dx: usize, weight: usize, dweight: usize, dbias: usize, stats: usize,
  n: i32, c: i32, s: i32, pooled: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, training: i32,
  begin: i32, end: i32, scratch: usize,
): void {
  backward(
    SIGMOID, x, dy, y, dx, weight, dweight, dbias, stats, n, c, s, pooled, height, width, outHeight, outWidth, training,
    begin, end, scratch,
  );
}
