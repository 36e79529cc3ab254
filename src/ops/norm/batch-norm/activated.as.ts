// Batch normalization and the activation after it in one visit to each channel. The arithmetic, and so
// every bit of the result, is that of the two ops one after the other; what is saved is a pass over
// memory each way, and the tensor between them.

import { batch_norm_statistics } from "./kernel.as";
import {
  gradientRows, gradientSumsThrough, normalizeRows, normalizeRowsThen, RELU, SIGMOID,
} from "../shared/statistics.as";
import { valueOr } from "../shared/table.as";

// @ts-ignore: decorator
@inline
function normalize(
  then: i32, x: usize, y: usize, weight: usize, bias: usize, stats: usize, n: i32, c: i32, s: i32, channel: i32,
): void {
  const at = stats + (<usize>channel << 2);
  const row = <usize>c << 2;
  const scale = <f64>load<f32>(at + 2 * row) * valueOr(weight, channel, 1);
  const shift = valueOr(bias, channel, 0) - <f64>load<f32>(at + row) * scale;
  const offset = (<usize>channel * <usize>s) << 2;
  normalizeRowsThen(then, x + offset, y + offset, n, s, c * s, load<f32>(at), <f32>scale, <f32>shift);
}

// @ts-ignore: decorator
@inline
function backward(
  then: i32, x: usize, dy: usize, y: usize, dx: usize, weight: usize, dweight: usize, dbias: usize, stats: usize,
  n: i32, c: i32, s: i32, training: i32, begin: i32, end: i32, scratch: usize,
): void {
  const count = <f64>n * <f64>s;
  const row = <usize>c << 2;
  for (let channel = begin; channel < end; channel++) {
    const at = stats + (<usize>channel << 2);
    const center = load<f32>(at);
    const low = <f64>load<f32>(at + row);
    const rstd = <f64>load<f32>(at + 2 * row);
    const offset = (<usize>channel * <usize>s) << 2;
    gradientSumsThrough(then, x + offset, dy + offset, y + offset, dx + offset, n, s, c * s, center, scratch);
    const sum = load<f64>(scratch);
    const dot = load<f64>(scratch, 8) - low * sum;
    if (dweight != 0) store<f32>(dweight + (<usize>channel << 2), <f32>(dot * rstd));
    if (dbias != 0) store<f32>(dbias + (<usize>channel << 2), <f32>sum);
    const a = valueOr(weight, channel, 1) * rstd;
    const to = dx + offset;
    // What arrived at the norm stands in dx now, and what leaves it takes its place.
    if (training) {
      const b = (-a * rstd * rstd * dot) / count;
      const shift = (-a * sum) / count - b * low;
      gradientRows(x + offset, to, to, n, s, c * s, center, <f32>a, <f32>b, <f32>shift);
    } else normalizeRows(to, to, n, s, c * s, 0, <f32>a, 0);
  }
}

export function batch_norm_relu_normalize(
  x: usize, y: usize, weight: usize, bias: usize, stats: usize, n: i32, c: i32, s: i32, begin: i32, end: i32,
): void {
  for (let channel = begin; channel < end; channel++) normalize(RELU, x, y, weight, bias, stats, n, c, s, channel);
}

export function batch_norm_sigmoid_normalize(
  x: usize, y: usize, weight: usize, bias: usize, stats: usize, n: i32, c: i32, s: i32, begin: i32, end: i32,
): void {
  for (let channel = begin; channel < end; channel++) normalize(SIGMOID, x, y, weight, bias, stats, n, c, s, channel);
}

export function batch_norm_relu_forward(
  x: usize, y: usize, weight: usize, bias: usize, stats: usize, n: i32, c: i32, s: i32, eps: f64,
  begin: i32, end: i32, scratch: usize,
): void {
  for (let channel = begin; channel < end; channel++) {
    batch_norm_statistics(x, stats, n, c, s, eps, channel, channel + 1, scratch);
    batch_norm_relu_normalize(x, y, weight, bias, stats, n, c, s, channel, channel + 1);
  }
}

export function batch_norm_sigmoid_forward(
  x: usize, y: usize, weight: usize, bias: usize, stats: usize, n: i32, c: i32, s: i32, eps: f64,
  begin: i32, end: i32, scratch: usize,
): void {
  for (let channel = begin; channel < end; channel++) {
    batch_norm_statistics(x, stats, n, c, s, eps, channel, channel + 1, scratch);
    batch_norm_sigmoid_normalize(x, y, weight, bias, stats, n, c, s, channel, channel + 1);
  }
}

export function batch_norm_relu_backward(
  x: usize, dy: usize, y: usize, dx: usize, weight: usize, dweight: usize, dbias: usize, stats: usize,
  n: i32, c: i32, s: i32, training: i32, begin: i32, end: i32, scratch: usize,
): void {
  backward(RELU, x, dy, y, dx, weight, dweight, dbias, stats, n, c, s, training, begin, end, scratch);
}

export function batch_norm_sigmoid_backward(
  x: usize, dy: usize, y: usize, dx: usize, weight: usize, dweight: usize, dbias: usize, stats: usize,
  n: i32, c: i32, s: i32, training: i32, begin: i32, end: i32, scratch: usize,
): void {
  backward(SIGMOID, x, dy, y, dx, weight, dweight, dbias, stats, n, c, s, training, begin, end, scratch);
}
