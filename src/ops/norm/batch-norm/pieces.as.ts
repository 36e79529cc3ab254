// Batch normalization of channels that are larger than what a core's second-level cache holds: [64, 64, 56, 56], where x
// and dy of a channel are 1.6 MB. kernel.as.ts, a channel at a time, reads half of that from memory twice. Here each
// channel is cut into pieces, some of its examples each, and the threads go through the channels side by side, each with its
// pieces, which fit into its cache.
//
// The second visit to a channel needs the sums of all its pieces. They lie in a table, each with a mark that it is there. Where
// another thread's are late, a thread waits for about as long as it would take to sum that piece itself, then does so: the same
// numbers come out, whoever sums. So none ever depends on another, which may be asleep, or have failed. Sums are added in the
// order of the pieces, so that results do not depend on the number of threads. Where an activation is done in the same pass
// (activated.as.ts), sums are those of the same pieces, so that bits are the same.

import { gradientRows, gradientSums, normalizeRows } from "../shared/normalize.as";
import { rowStatistics } from "../shared/statistics.as";
import { mergeStatistics, storeGradient, valueOr } from "../shared/table.as";

/** Bytes of a piece's sums, a cache line: two float64 and the mark. */
export const SUMS: usize = 64;
const MARK: usize = 16;

/** Looks at a mark before a thread sums what another is late with, 0.1 ms; half as many each time after that. */
const PATIENCE: i32 = 1 << 17;

// @ts-ignore: decorator
@inline
function sumsOf(sums: usize, channel: i32, piece: i32, pieces: i32): usize {
  return sums + <usize>(channel * pieces + piece) * SUMS;
}

/** Whether the sums at `at` are there, after at most so many looks. */
// @ts-ignore: decorator
@inline
function isThere(at: usize, looks: i32): bool {
  for (let i = 0; i < looks; i++) {
    if (atomic.load<i32>(at, MARK) != 0) return true;
  }
  return false;
}

/** Puts two sums into the table, and marks them. Two threads may do so at the same time: they write the same. */
// @ts-ignore: decorator
@inline
function put(at: usize, sums: usize): void {
  store<f64>(at, load<f64>(sums));
  store<f64>(at, load<f64>(sums, 8), 8);
  atomic.store<i32>(at, 1, MARK);
}

/** Takes the marks off: [begin, end) are the sums of a table. */
export function batch_norm_pieces_clear(sums: usize, begin: i32, end: i32): void {
  for (let i = begin; i < end; i++) atomic.store<i32>(sums + <usize>i * SUMS, 0, MARK);
}

// Both kernels below: an item is a piece, of `pieces`, of all channels of a group, of `groups`; a piece has `rows` examples.

/** `stats`, and y. */
export function batch_norm_pieces_forward(
  x: usize, y: usize, weight: usize, bias: usize, stats: usize, sums: usize, n: i32, c: i32, s: i32, eps: f64,
  pieces: i32, rows: i32, groups: i32, begin: i32, end: i32, scratch: usize,
): void {
  let looks = PATIENCE;
  for (let from = begin; from < end; ) {
    const group = from / pieces;
    const firstPiece = from % pieces, lastPiece = min(firstPiece + end - from, pieces);
    from += lastPiece - firstPiece;
    for (let channel = (group * c) / groups; channel < ((group + 1) * c) / groups; channel++) {
      for (let piece = firstPiece; piece < lastPiece; piece++) {
        sumPiece(x, sumsOf(sums, channel, piece, pieces), channel, piece * rows, rows, n, c, s, scratch);
      }
      for (let piece = 0; piece < pieces; piece++) {
        const at = sumsOf(sums, channel, piece, pieces);
        if (isThere(at, looks)) looks = PATIENCE;
        else {
          sumPiece(x, at, channel, piece * rows, rows, n, c, s, scratch);
          looks = max(looks >> 1, 1);
        }
      }
      // Each thread writes them, and they are the same.
      mergeStatistics(stats, channel, c, sumsOf(sums, channel, 0, pieces), 8, SUMS, n, rows, s, eps);
      const at = stats + (<usize>channel << 2);
      const row = <usize>c << 2;
      const scale = <f64>load<f32>(at + 2 * row) * valueOr(weight, channel, 1);
      const shift = valueOr(bias, channel, 0) - <f64>load<f32>(at + row) * scale;
      const first = firstPiece * rows;
      const offset = (<usize>(first * c + channel) * <usize>s) << 2;
      normalizeRows(
        x + offset, y + offset, min(lastPiece * rows, n) - first, s, c * s, load<f32>(at), <f32>scale, <f32>shift,
      );
    }
  }
}

function sumPiece(
  x: usize, at: usize, channel: i32, first: i32, rows: i32, n: i32, c: i32, s: i32, scratch: usize,
): void {
  rowStatistics(x + ((<usize>(first * c + channel) * <usize>s) << 2), min(rows, n - first), s, c * s, scratch);
  put(at, scratch);
}

/** dweight, dbias and, where `dx` is not 0, dx. `training`: the statistics depend on x. */
export function batch_norm_pieces_backward(
  x: usize, dy: usize, dx: usize, weight: usize, dweight: usize, dbias: usize, stats: usize, sums: usize,
  n: i32, c: i32, s: i32, training: i32, pieces: i32, rows: i32, groups: i32, begin: i32, end: i32, scratch: usize,
): void {
  const count = <f64>n * <f64>s;
  let looks = PATIENCE;
  for (let from = begin; from < end; ) {
    const group = from / pieces;
    const firstPiece = from % pieces, lastPiece = min(firstPiece + end - from, pieces);
    from += lastPiece - firstPiece;
    for (let channel = (group * c) / groups; channel < ((group + 1) * c) / groups; channel++) {
      const center = load<f32>(stats + (<usize>channel << 2));
      for (let piece = firstPiece; piece < lastPiece; piece++) {
        const at = sumsOf(sums, channel, piece, pieces);
        sumGradients(x, dy, at, center, channel, piece * rows, rows, n, c, s, scratch);
      }
      let sum: f64 = 0;
      let dot: f64 = 0;
      for (let piece = 0; piece < pieces; piece++) {
        const at = sumsOf(sums, channel, piece, pieces);
        if (isThere(at, looks)) looks = PATIENCE;
        else {
          sumGradients(x, dy, at, center, channel, piece * rows, rows, n, c, s, scratch);
          looks = max(looks >> 1, 1);
        }
        sum += load<f64>(at);
        dot += load<f64>(at, 8);
      }
      storeGradient(stats, channel, c, weight, dweight, dbias, sum, dot, count, training, scratch, 4);
      if (dx == 0) continue;
      const a = load<f32>(scratch), b = load<f32>(scratch, 4), shift = load<f32>(scratch, 8);
      const first = firstPiece * rows;
      const offset = (<usize>(first * c + channel) * <usize>s) << 2;
      const some = min(lastPiece * rows, n) - first;
      if (training) gradientRows(x + offset, dy + offset, dx + offset, some, s, c * s, center, a, b, shift);
      else normalizeRows(dy + offset, dx + offset, some, s, c * s, 0, a, 0);
    }
  }
}

function sumGradients(
  x: usize, dy: usize, at: usize, center: f32, channel: i32, first: i32, rows: i32, n: i32, c: i32, s: i32,
  scratch: usize,
): void {
  const offset = (<usize>(first * c + channel) * <usize>s) << 2;
  gradientSums(x + offset, dy + offset, min(rows, n - first), s, c * s, center, scratch);
  put(at, scratch);
}
