// Both visits to x of batch normalization as kernels of their own: statistics of all channels, then all of y; sums of gradients, then
// all of dx. The first goes channel by channel, or by pieces of channels (pieces.as.ts), the second in the order of memory: lines
// that lie beside one another are written one after the other, however short the rows of a channel are.

import { SUMS } from "./pieces.as";
import { gradientRows, normalizeRows } from "../shared/normalize.as";
import { rowsTogether, rowStatistics } from "../shared/statistics.as";
import { mergeStatistics, storeGradient, valueOr } from "../shared/table.as";

/** Behind the two sums of a channel or piece: the three numbers that its gradient is made with. */
const NUMBERS: usize = 32;

/** An item is a piece of `rows` examples, of `pieces`, of a channel: its mean and M2 go to the table `sums`. */
export function batch_norm_pieces_statistics(
  x: usize, sums: usize, n: i32, c: i32, s: i32, pieces: i32, rows: i32, begin: i32, end: i32, scratch: usize,
): void {
  for (let item = begin; item < end; item++) {
    const channel = item / pieces;
    const first = (item - channel * pieces) * rows;
    const at = x + ((<usize>(first * c + channel) * <usize>s) << 2);
    rowStatistics(at, min(rows, n - first), s, c * s, scratch);
    v128.store(sums + <usize>item * SUMS, v128.load(scratch));
  }
}

/** `stats` of channels from those of their pieces. */
export function batch_norm_pieces_merge(
  sums: usize, stats: usize, n: i32, c: i32, s: i32, eps: f64, pieces: i32, rows: i32, begin: i32, end: i32,
): void {
  for (let channel = begin; channel < end; channel++) {
    mergeStatistics(stats, channel, c, sums + <usize>(channel * pieces) * SUMS, 8, SUMS, n, rows, s, eps);
  }
}

/** y from `stats`: (x - mean) rstd weight + bias. An item is a block of examples of a channel; blocks in the order of memory. */
export function batch_norm_normalize(
  x: usize, y: usize, weight: usize, bias: usize, stats: usize, n: i32, c: i32, s: i32, begin: i32, end: i32,
): void {
  const row = <usize>c << 2;
  const most = rowsTogether(s);
  for (let item = begin; item < end; item++) {
    const block = item / c;
    const channel = item - block * c, example = block * most;
    const at = stats + (<usize>channel << 2);
    const scale = <f64>load<f32>(at + 2 * row) * valueOr(weight, channel, 1);
    const shift = valueOr(bias, channel, 0) - <f64>load<f32>(at + row) * scale;
    const from = (<usize>(example * c + channel) * <usize>s) << 2;
    normalizeRows(x + from, y + from, min(most, n - example), s, c * s, load<f32>(at), <f32>scale, <f32>shift);
  }
}

/** dweight and dbias of channels, and the numbers that dx is made with, behind the sums of their first pieces. */
export function batch_norm_sums_merge(
  sums: usize, weight: usize, dweight: usize, dbias: usize, stats: usize, n: i32, c: i32, s: i32, training: i32, pieces: i32,
  begin: i32, end: i32,
): void {
  const count = <f64>n * <f64>s;
  for (let channel = begin; channel < end; channel++) {
    const first = sums + <usize>(channel * pieces) * SUMS;
    let sum: f64 = 0;
    let dot: f64 = 0;
    for (let i = 0, at = first; i < pieces; i++, at += SUMS) {
      sum += load<f64>(at);
      dot += load<f64>(at, 8);
    }
    storeGradient(stats, channel, c, weight, dweight, dbias, sum, dot, count, training, first + NUMBERS, 4);
  }
}

/** dx from what arrives at the norm, `dy`, which dx may be, in examples [example, example + rows) of a channel. */
// @ts-ignore: decorator
@inline
export function gradientBlock(
  x: usize, dy: usize, dx: usize, stats: usize, sums: usize, c: i32, s: i32, training: i32, pieces: i32, channel: i32, example: i32,
  rows: i32,
): void {
  const numbers = sums + <usize>(channel * pieces) * SUMS + NUMBERS;
  const a = load<f32>(numbers), b = load<f32>(numbers, 4), shift = load<f32>(numbers, 8);
  const at = (<usize>(example * c + channel) * <usize>s) << 2;
  if (training) gradientRows(x + at, dy + at, dx + at, rows, s, c * s, load<f32>(stats + (<usize>channel << 2)), a, b, shift);
  else normalizeRows(dy + at, dx + at, rows, s, c * s, 0, a, 0);
}

/** dx, which dy may be, from the numbers in the table. Items as in batch_norm_normalize. */
export function batch_norm_gradients(
  x: usize, dy: usize, dx: usize, stats: usize, sums: usize, n: i32, c: i32, s: i32, training: i32, pieces: i32,
  begin: i32, end: i32,
): void {
  const most = rowsTogether(s);
  for (let item = begin; item < end; item++) {
    const block = item / c;
    const example = block * most;
    gradientBlock(
      x, dy, dx, stats, sums, c, s, training, pieces, item - block * c, example, min(most, n - example),
    );
  }
}
