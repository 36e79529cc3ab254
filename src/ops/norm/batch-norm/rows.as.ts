// Batch normalization of a large [N, C], channels last: whole rows are read as they lie in memory, in
// blocks that stay in cache. kernel.as.ts takes up to 256 columns from the first row to the last, and
// then again: of a table larger than the cache, x would pass through memory three times.
//
//   1. for each block of rows: the sums of all channels, as float64, into `partial` (blocks are the work items)
//   2. the blocks' sums merged in order (channels are the work items), and a table of what step 3 needs
//   3. y, or dx, block by block, the last block first: it is what the cache still holds
//
// The table has four rows of C floats: y = (x - center) scale + shift, dx = scale dy + slope (x - center) + shift.

import { mergeStatistics, valueOr } from "../shared/table.as";
import {
  gradientWide, normalizeWide, roughCenters, WIDE, WIDE_BYTES, wideColumnSums, wideGradientSums,
} from "../shared/wide-columns.as";

/** Mean and M2 of each channel over each block, two rows of C float64 a block. */
export function batch_norm_rows_statistics(
  x: usize, partial: usize, n: i32, c: i32, rows: i32, begin: i32, end: i32, scratch: usize,
): void {
  const centers = scratch + WIDE_BYTES;
  for (let block = begin; block < end; block++) {
    const first = block * rows;
    const height = min(rows, n - first);
    const count = <f64>height;
    const means = partial + ((<usize>block * <usize>c) << 4);
    for (let column = 0; column < c; column += WIDE) {
      const width = min(WIDE, c - column);
      const from = x + ((<usize>first * <usize>c + <usize>column) << 2);
      // However unlike the rest the rows behind a center are, a sixteenth of the block keeps it within four
      // deviations of the mean, and squares do not cancel.
      roughCenters(from, min(height, max(8, height >> 4)), c, width, centers);
      wideColumnSums(from, height, c, width, centers, scratch, true);
      for (let i = 0; i < width; i++) {
        const wide = <usize>i << 3;
        const sum = load<f64>(scratch + wide);
        const to = means + (<usize>(column + i) << 3);
        store<f64>(to, <f64>load<f32>(centers + (<usize>i << 2)) + sum / count);
        store<f64>(to + (<usize>c << 3), max<f64>(load<f64>(scratch + wide, 2048) - (sum * sum) / count, 0));
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function storeRow(table: usize, channel: i32, c: i32, center: f32, scale: f64, shift: f64, slope: f64): void {
  const at = table + (<usize>channel << 2);
  const row = <usize>c << 2;
  store<f32>(at, center);
  store<f32>(at + row, <f32>scale);
  store<f32>(at + 2 * row, <f32>shift);
  store<f32>(at + 3 * row, <f32>slope);
}

/** The table of y from `stats`. */
export function batch_norm_rows_table(
  stats: usize, table: usize, weight: usize, bias: usize, c: i32, begin: i32, end: i32,
): void {
  const row = <usize>c << 2;
  for (let channel = begin; channel < end; channel++) {
    const at = stats + (<usize>channel << 2);
    const scale = <f64>load<f32>(at + 2 * row) * valueOr(weight, channel, 1);
    const shift = valueOr(bias, channel, 0) - <f64>load<f32>(at + row) * scale;
    storeRow(table, channel, c, load<f32>(at), scale, shift, 0);
  }
}

/** `stats` of all blocks together, and the table of y. */
export function batch_norm_rows_merge(
  partial: usize, stats: usize, table: usize, weight: usize, bias: usize, n: i32, c: i32, rows: i32, eps: f64,
  begin: i32, end: i32,
): void {
  const block = <usize>c << 4;
  for (let channel = begin; channel < end; channel++) {
    const first = partial + (<usize>channel << 3);
    mergeStatistics(stats, channel, c, first, block >> 1, block, n, rows, 1, eps);
  }
  batch_norm_rows_table(stats, table, weight, bias, c, begin, end);
}

/** y = (x - center) scale + shift. */
export function batch_norm_rows_normalize(
  x: usize, y: usize, table: usize, n: i32, c: i32, rows: i32, blocks: i32, begin: i32, end: i32,
): void {
  const width = <usize>c << 2;
  const scales = table + width, shifts = scales + width;
  for (let item = begin; item < end; item++) {
    const first = (blocks - 1 - item) * rows;
    const offset = <usize>first * width;
    normalizeWide(x + offset, y + offset, min(rows, n - first), c, c, table, scales, shifts);
  }
}

/** Σ dy and Σ dy (x - center) of each channel over each block, two rows of C float64 a block. */
export function batch_norm_rows_gradient_sums(
  x: usize, dy: usize, stats: usize, partial: usize, n: i32, c: i32, rows: i32, begin: i32, end: i32, scratch: usize,
): void {
  for (let block = begin; block < end; block++) {
    const first = block * rows;
    const to = partial + ((<usize>block * <usize>c) << 4);
    for (let column = 0; column < c; column += WIDE) {
      const width = min(WIDE, c - column);
      const from = (<usize>first * <usize>c + <usize>column) << 2;
      const centers = stats + (<usize>column << 2);
      wideGradientSums(x + from, dy + from, min(rows, n - first), c, width, centers, scratch, true);
      const at = to + (<usize>column << 3);
      memory.copy(at, scratch, <usize>width << 3);
      memory.copy(at + (<usize>c << 3), scratch + 2048, <usize>width << 3);
    }
  }
}

/** dweight and dbias from the sums of all blocks, and the table of dx; `training`: the statistics depend on x. */
export function batch_norm_rows_gradient_merge(
  partial: usize, stats: usize, table: usize, weight: usize, dweight: usize, dbias: usize,
  n: i32, c: i32, rows: i32, training: i32, begin: i32, end: i32,
): void {
  const row = <usize>c << 2;
  const count = <f64>n;
  for (let channel = begin; channel < end; channel++) {
    const lane = <usize>channel << 2;
    let sum: f64 = 0;
    let dot: f64 = 0;
    let at = partial + (<usize>channel << 3);
    for (let left = n; left > 0; left -= rows, at += <usize>c << 4) {
      sum += load<f64>(at);
      dot += load<f64>(at + (<usize>c << 3));
    }
    const center = load<f32>(stats + lane);
    const low = <f64>load<f32>(stats + lane + row);
    const rstd = <f64>load<f32>(stats + lane + 2 * row);
    dot -= low * sum;
    if (dweight != 0) store<f32>(dweight + lane, <f32>(dot * rstd));
    if (dbias != 0) store<f32>(dbias + lane, <f32>sum);
    const a = valueOr(weight, channel, 1) * rstd;
    if (training) {
      const b = (-a * rstd * rstd * dot) / count;
      storeRow(table, channel, c, center, a, (-a * sum) / count - b * low, b);
    } else storeRow(table, channel, c, 0, a, 0, 0);
  }
}

/** dx = scale dy + slope (x - center) + shift. */
export function batch_norm_rows_gradient(
  x: usize, dy: usize, dx: usize, table: usize, n: i32, c: i32, rows: i32, blocks: i32, begin: i32, end: i32,
): void {
  const width = <usize>c << 2;
  const scales = table + width, shifts = scales + width, slopes = shifts + width;
  for (let item = begin; item < end; item++) {
    const first = (blocks - 1 - item) * rows;
    const offset = <usize>first * width;
    const height = min(rows, n - first);
    gradientWide(x + offset, dy + offset, dx + offset, height, c, c, table, scales, slopes, shifts);
  }
}
