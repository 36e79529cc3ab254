// Batch normalization, the activation after it and, where `pooled` is not 0, the means of windows of 2 x 2 after that. The
// arithmetic, and so every bit of the result, is that of the ops one after the other; what is saved is a pass over memory each
// way, and the tensors between them.
//
// Each way is sums of each channel, or of its pieces (pieces.ts), then what is made of them. Either an item is a channel, and
// its second visit finds it in the cache; or, where threads have few channels each, both are launched one after the other, and cut
// more finely.

import { batch_norm_statistics, channelsTogether } from "./kernel.as";
import { SUMS } from "./pieces.as";
import {
  batch_norm_pieces_merge, batch_norm_pieces_statistics, batch_norm_sums_merge, gradientBlock,
} from "./apart.as";
import { addHalvedSums, isHalved, halve } from "./halved.as";
import { pool_average_halving, pool_average_halving_backward } from "../../pool/kernel.as";
import {
  addGradientSumsThrough, GROUP, normalizeRowsThen, NOTHING, RELU, SIGMOID,
} from "../shared/normalize.as";
import { rowsTogether } from "../shared/statistics.as";
import { valueOr } from "../shared/table.as";

/** y and, where asked for, the means, of examples [example, example + rows) of a channel, from `stats`. */
// @ts-ignore: decorator
@inline
function normalizeBlock(
  then: i32, x: usize, y: usize, weight: usize, bias: usize, stats: usize, c: i32, s: i32, pooled: usize, height: i32,
  width: i32, outHeight: i32, outWidth: i32, channel: i32, example: i32, rows: i32,
): void {
  const row = <usize>c << 2;
  const at = stats + (<usize>channel << 2);
  const scale = <f64>load<f32>(at + 2 * row) * valueOr(weight, channel, 1);
  const shift = valueOr(bias, channel, 0) - <f64>load<f32>(at + row) * scale;
  const from = (<usize>(example * c + channel) * <usize>s) << 2;
  normalizeRowsThen(then, x + from, y + from, rows, s, c * s, load<f32>(at), <f32>scale, <f32>shift);
  if (pooled == 0) return;
  if (isHalved(height, width, outHeight, outWidth)) {
    for (let i = 0, plane = from; i < rows; i++, plane += row * <usize>s) {
      halve(y + plane, pooled + (plane >> 2), height, width);
    }
    return;
  }
  for (let plane = example * c + channel, i = 0; i < rows; i++, plane += c) {
    pool_average_halving(y, pooled, height, width, outHeight, outWidth, plane, plane + 1);
  }
}

function reluBlock(
  x: usize, y: usize, weight: usize, bias: usize, stats: usize, c: i32, s: i32, pooled: usize, height: i32,
  width: i32, outHeight: i32, outWidth: i32, channel: i32, example: i32, rows: i32,
): void {
  normalizeBlock(RELU, x, y, weight, bias, stats, c, s, pooled, height, width, outHeight, outWidth, channel, example, rows);
}

function sigmoidBlock(
  x: usize, y: usize, weight: usize, bias: usize, stats: usize, c: i32, s: i32, pooled: usize, height: i32,
  width: i32, outHeight: i32, outWidth: i32, channel: i32, example: i32, rows: i32,
): void {
  normalizeBlock(
    SIGMOID, x, y, weight, bias, stats, c, s, pooled, height, width, outHeight, outWidth, channel, example, rows,
  );
}

/** One copy of the loops for each activation. */
// @ts-ignore: decorator
@inline
function blockThen(
  then: i32, x: usize, y: usize, weight: usize, bias: usize, stats: usize, c: i32, s: i32, pooled: usize, height: i32,
  width: i32, outHeight: i32, outWidth: i32, channel: i32, example: i32, rows: i32,
): void {
  if (then == RELU) {
    reluBlock(x, y, weight, bias, stats, c, s, pooled, height, width, outHeight, outWidth, channel, example, rows);
  } else sigmoidBlock(x, y, weight, bias, stats, c, s, pooled, height, width, outHeight, outWidth, channel, example, rows);
}

/** An item is a block of examples of a channel; blocks in the order of memory. */
// @ts-ignore: decorator
@inline
function normalize(
  then: i32, x: usize, y: usize, weight: usize, bias: usize, stats: usize, n: i32, c: i32, s: i32,
  pooled: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, begin: i32, end: i32,
): void {
  const most = rowsTogether(s);
  for (let item = begin; item < end; item++) {
    const block = item / c;
    const example = block * most;
    blockThen(
      then, x, y, weight, bias, stats, c, s, pooled, height, width, outHeight, outWidth, item - block * c, example,
      min(most, n - example),
    );
  }
}

/** Items are channels: their statistics, then all of y while the second-level cache holds them. */
// @ts-ignore: decorator
@inline
function forward(
  then: i32, x: usize, y: usize, weight: usize, bias: usize, stats: usize, sums: usize, n: i32, c: i32, s: i32,
  pooled: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, eps: f64, pieces: i32, rows: i32,
  begin: i32, end: i32, scratch: usize,
): void {
  const most = rowsTogether(s);
  const together = channelsTogether(n, s, 1, end - begin);
  for (let first = begin; first < end; first += together) {
    const last = min(first + together, end);
    if (pieces == 1) batch_norm_statistics(x, stats, n, c, s, eps, first, last, scratch);
    else {
      batch_norm_pieces_statistics(x, sums, n, c, s, pieces, rows, first * pieces, last * pieces, scratch);
      batch_norm_pieces_merge(sums, stats, n, c, s, eps, pieces, rows, first, last);
    }
    // The last examples first, as in normalizeRowsThen.
    for (let example = ((n - 1) / most) * most; example >= 0; example -= most) {
      for (let channel = first; channel < last; channel++) {
        blockThen(
          then, x, y, weight, bias, stats, c, s, pooled, height, width, outHeight, outWidth, channel, example,
          min(most, n - example),
        );
      }
    }
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
  const step = size * <usize>c;
  let at = <usize>(from * c + channel) * size;
  if (pooled != 0 && isHalved(height, width, outHeight, outWidth) && to - from >= 4) {
    const quads = (to - from) & ~3;
    addHalvedSums(then, x + at, dy + (at >> 2), step >> 2, y + at, dx + at, quads, height, width, step, center, out);
    from += quads;
    if (from == to) return;
    at += <usize>quads * step;
  }
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
 * What arrives at the norm, which goes to dx (that may be y), and its sums. An item is a piece of a channel. `pooled`, where it
 * is not 0, says that dy is the gradient of the means. Scratch then holds GROUP planes.
 */
// @ts-ignore: decorator
@inline
function sumsThrough(
  then: i32, x: usize, dy: usize, y: usize, dx: usize, stats: usize, sums: usize, n: i32, c: i32, s: i32,
  pooled: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, pieces: i32, rows: i32,
  begin: i32, end: i32, scratch: usize,
): void {
  for (let item = begin; item < end; ) {
    const channel = item / pieces;
    const first = (item - channel * pieces) * rows;
    const stop = min(first + rows, n);
    const together = pieces > 1 ? 1 : channelsTogether(n, s, 2, end - item);
    const some = together > 1 || pooled != 0 ? GROUP : rows;
    const table = sums + <usize>item * SUMS;
    memory.fill(table, 0, <usize>together * SUMS);
    for (let from = first; from < stop; from += some) {
      for (let i = 0; i < together; i++) {
        const center = load<f32>(stats + (<usize>(channel + i) << 2));
        addSums(
          then, x, dy, y, dx, center, c, s, pooled, height, width, outHeight, outWidth, channel + i, from,
          min(from + some, stop), table + <usize>i * SUMS, scratch,
        );
      }
    }
    item += together;
  }
}

/** The same with no activation, of which apart.as.ts makes dx. */
export function batch_norm_sums(
  x: usize, dy: usize, stats: usize, sums: usize, n: i32, c: i32, s: i32, pieces: i32, rows: i32, begin: i32, end: i32,
): void {
  sumsThrough(NOTHING, x, dy, 0, 0, stats, sums, n, c, s, 0, 0, 0, 0, 0, pieces, rows, begin, end, 0);
}

/** Items are channels: their sums, then all of dx. */
// @ts-ignore: decorator
@inline
function backward(
  then: i32, x: usize, dy: usize, y: usize, dx: usize, weight: usize, dweight: usize, dbias: usize, stats: usize,
  sums: usize, n: i32, c: i32, s: i32, pooled: usize, height: i32, width: i32, outHeight: i32, outWidth: i32,
  training: i32, pieces: i32, rows: i32, begin: i32, end: i32, scratch: usize,
): void {
  const most = rowsTogether(s);
  const together = channelsTogether(n, s, 2, end - begin);
  for (let first = begin; first < end; first += together) {
    const last = min(first + together, end);
    const from = first * pieces, to = last * pieces;
    if (then == RELU) {
      batch_norm_relu_sums(
        x, dy, y, dx, stats, sums, n, c, s, pooled, height, width, outHeight, outWidth, pieces, rows, from, to, scratch,
      );
    } else {
      batch_norm_sigmoid_sums(
        x, dy, y, dx, stats, sums, n, c, s, pooled, height, width, outHeight, outWidth, pieces, rows, from, to, scratch,
      );
    }
    batch_norm_sums_merge(sums, weight, dweight, dbias, stats, n, c, s, training, pieces, first, last);
    for (let example = ((n - 1) / most) * most; example >= 0; example -= most) {
      for (let channel = first; channel < last; channel++) {
        gradientBlock(x, dx, dx, stats, sums, c, s, training, pieces, channel, example, min(most, n - example));
      }
    }
  }
}

export function batch_norm_relu_normalize(
  x: usize, y: usize, weight: usize, bias: usize, stats: usize, n: i32, c: i32, s: i32,
  pooled: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, begin: i32, end: i32,
): void {
  normalize(
    RELU, x, y, weight, bias, stats, n, c, s, pooled, height, width, outHeight, outWidth, begin, end,
  );
}

export function batch_norm_relu_sums(
  x: usize, dy: usize, y: usize, dx: usize, stats: usize, sums: usize, n: i32, c: i32, s: i32,
  pooled: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, pieces: i32, rows: i32,
  begin: i32, end: i32, scratch: usize,
): void {
  sumsThrough(
    RELU, x, dy, y, dx, stats, sums, n, c, s, pooled, height, width, outHeight, outWidth, pieces, rows, begin, end, scratch,
  );
}

export function batch_norm_sigmoid_normalize(
  x: usize, y: usize, weight: usize, bias: usize, stats: usize, n: i32, c: i32, s: i32,
  pooled: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, begin: i32, end: i32,
): void {
  normalize(
    SIGMOID, x, y, weight, bias, stats, n, c, s, pooled, height, width, outHeight, outWidth, begin, end,
  );
}

export function batch_norm_sigmoid_sums(
  x: usize, dy: usize, y: usize, dx: usize, stats: usize, sums: usize, n: i32, c: i32, s: i32,
  pooled: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, pieces: i32, rows: i32,
  begin: i32, end: i32, scratch: usize,
): void {
  sumsThrough(
    SIGMOID, x, dy, y, dx, stats, sums, n, c, s, pooled, height, width, outHeight, outWidth, pieces, rows, begin, end, scratch,
  );
}

export function batch_norm_relu_forward(
  x: usize, y: usize, weight: usize, bias: usize, stats: usize, sums: usize, n: i32, c: i32, s: i32,
  pooled: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, eps: f64, pieces: i32, rows: i32,
  begin: i32, end: i32, scratch: usize,
): void {
  forward(
    RELU, x, y, weight, bias, stats, sums, n, c, s, pooled, height, width, outHeight, outWidth, eps, pieces, rows,
    begin, end, scratch,
  );
}

export function batch_norm_relu_backward(
  x: usize, dy: usize, y: usize, dx: usize, weight: usize, dweight: usize, dbias: usize, stats: usize,
  sums: usize, n: i32, c: i32, s: i32, pooled: usize, height: i32, width: i32, outHeight: i32, outWidth: i32,
  training: i32, pieces: i32, rows: i32, begin: i32, end: i32, scratch: usize,
): void {
  backward(
    RELU, x, dy, y, dx, weight, dweight, dbias, stats, sums, n, c, s, pooled, height, width, outHeight, outWidth,
    training, pieces, rows, begin, end, scratch,
  );
}

export function batch_norm_sigmoid_forward(
  x: usize, y: usize, weight: usize, bias: usize, stats: usize, sums: usize, n: i32, c: i32, s: i32,
  pooled: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, eps: f64, pieces: i32, rows: i32,
  begin: i32, end: i32, scratch: usize,
): void {
  forward(
    SIGMOID, x, y, weight, bias, stats, sums, n, c, s, pooled, height, width, outHeight, outWidth, eps, pieces, rows,
    begin, end, scratch,
  );
}

export function batch_norm_sigmoid_backward(
  x: usize, dy: usize, y: usize, dx: usize, weight: usize, dweight: usize, dbias: usize, stats: usize,
  sums: usize, n: i32, c: i32, s: i32, pooled: usize, height: i32, width: i32, outHeight: i32, outWidth: i32,
  training: i32, pieces: i32, rows: i32, begin: i32, end: i32, scratch: usize,
): void {
  backward(
    SIGMOID, x, dy, y, dx, weight, dweight, dbias, stats, sums, n, c, s, pooled, height, width, outHeight, outWidth,
    training, pieces, rows, begin, end, scratch,
  );
}
