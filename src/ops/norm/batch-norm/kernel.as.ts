// Batch normalization, a channel at a time: statistics and normalization in one visit, so that the
// second read of a channel comes from cache. Channels are the work items.
//
// What forward leaves for backward is a table of four rows of C floats: center, low, rstd, var.
// The mean is center + low: float32 alone holds a mean of 10,000 to within 0.0005 only.

import { maskedGradientRows, maskedGradientSums, maskedStatistics } from "../shared/masked.as";
import {
  addGradientSums, gradientRows, gradientShortRows, GROUP, normalizeRows,
} from "../shared/normalize.as";
import { addRowStatistics, beginStatistics, endStatistics, rowsTogether, SHORT, STATE } from "../shared/statistics.as";
import { storeGradient, storeStatistics, valueOr } from "../shared/table.as";
import {
  gradientWide, normalizeWide, roughCenters, WIDE, WIDE_BYTES, wideColumnSums, wideGradientSums,
} from "../shared/wide-columns.as";

// Where rows, the values of a channel in one example, are short, they lie so far apart that each costs a wait for memory
// and for its page. Channels that are neighbors there are taken together, some examples at a time: their rows are one.

/** Channels that are taken together at most. */
const TOGETHER: i32 = 8;

/** Bytes of x, or of x and dy, that channels taken together have at most: the second visit reads them from the second-level cache. */
const KEPT: usize = 448 << 10;

/** Rows of up to so many values end before bringing in the next line pays. */
const VERY_SHORT: i32 = 64;

/** Bytes of scratch of each. */
const EACH: usize = 32;

/** How many of so many channels a visit takes that reads so many tensors. */
// @ts-ignore: decorator
@inline
export function channelsTogether(n: i32, s: i32, tensors: i32, channels: i32): i32 {
  if (s > SHORT) return 1;
  const each = (<usize>n * <usize>s * <usize>tensors) << 2;
  return min(max(1, <i32>min<usize>(KEPT / each, <usize>TOGETHER)), channels);
}

/** Statistics of [n, c, s] into `stats`. */
export function batch_norm_statistics(
  x: usize, stats: usize, n: i32, c: i32, s: i32, eps: f64, begin: i32, end: i32, scratch: usize,
): void {
  const count = <f64>n * <f64>s;
  const together = channelsTogether(n, s, 1, end - begin);
  const rows = together > 1 ? rowsTogether(s) : n;
  for (let first = begin; first < end; first += together) {
    const channels = min(together, end - first);
    for (let i = 0; i < channels; i++) {
      beginStatistics(x + ((<usize>(first + i) * <usize>s) << 2), s, scratch + <usize>i * STATE);
    }
    for (let example = 0; example < n; example += rows) {
      let at = x + ((<usize>(example * c + first) * <usize>s) << 2);
      for (let i = 0; i < channels; i++, at += <usize>s << 2) {
        addRowStatistics(at, min(rows, n - example), s, c * s, scratch + <usize>i * STATE);
      }
    }
    for (let i = 0; i < channels; i++) {
      const state = scratch + <usize>i * STATE;
      endStatistics(state);
      storeStatistics(stats, first + i, c, load<f64>(state), load<f64>(state, 8) / count, eps);
    }
  }
}

/** y of channels from `stats`: (x - mean) rstd weight + bias. */
function normalizeChannels(
  x: usize, y: usize, weight: usize, bias: usize, stats: usize, n: i32, c: i32, s: i32, begin: i32, end: i32,
): void {
  const row = <usize>c << 2;
  const together = channelsTogether(n, s, 1, end - begin);
  const rows = together > 1 ? GROUP : n;
  for (let first = begin; first < end; first += together) {
    const last = min(first + together, end);
    // The last examples first, as in normalizeRowsThen.
    for (let example = ((n - 1) / rows) * rows; example >= 0; example -= rows) {
      for (let channel = first; channel < last; channel++) {
        const at = stats + (<usize>channel << 2);
        const scale = <f64>load<f32>(at + 2 * row) * valueOr(weight, channel, 1);
        const shift = valueOr(bias, channel, 0) - <f64>load<f32>(at + row) * scale;
        const offset = (<usize>(example * c + channel) * <usize>s) << 2;
        normalizeRows(
          x + offset, y + offset, min(rows, n - example), s, c * s, load<f32>(at), <f32>scale, <f32>shift,
        );
      }
    }
  }
}

/** Statistics, then y, some channels at a time. */
export function batch_norm_forward(
  x: usize, y: usize, weight: usize, bias: usize, stats: usize, n: i32, c: i32, s: i32, eps: f64,
  begin: i32, end: i32, scratch: usize,
): void {
  const together = channelsTogether(n, s, 1, end - begin);
  for (let first = begin; first < end; first += together) {
    const last = min(first + together, end);
    batch_norm_statistics(x, stats, n, c, s, eps, first, last, scratch);
    normalizeChannels(x, y, weight, bias, stats, n, c, s, first, last);
  }
}

/** dweight, dbias and, where `dx` is not 0, dx. `training`: the statistics depend on x. */
export function batch_norm_backward(
  x: usize, dy: usize, dx: usize, weight: usize, dweight: usize, dbias: usize, stats: usize,
  n: i32, c: i32, s: i32, training: i32, begin: i32, end: i32, scratch: usize,
): void {
  const count = <f64>n * <f64>s;
  const together = channelsTogether(n, s, 2, end - begin);
  const rows = together > 1 ? GROUP : n;
  for (let first = begin; first < end; first += together) {
    const last = min(first + together, end);
    for (let state = scratch, i = first; i < last; i++, state += EACH) {
      store<f64>(state, 0);
      store<f64>(state, 0, 8);
    }
    for (let example = 0; example < n; example += rows) {
      for (let state = scratch, channel = first; channel < last; channel++, state += EACH) {
        const offset = (<usize>(example * c + channel) * <usize>s) << 2;
        const center = load<f32>(stats + (<usize>channel << 2));
        addGradientSums(x + offset, dy + offset, min(rows, n - example), s, c * s, center, state);
      }
    }
    for (let state = scratch, channel = first; channel < last; channel++, state += EACH) {
      const sum = load<f64>(state), dot = load<f64>(state, 8);
      storeGradient(stats, channel, c, weight, dweight, dbias, sum, dot, count, training, state + 16, 4);
    }
    if (dx == 0) continue;
    for (let example = ((n - 1) / rows) * rows; example >= 0; example -= rows) {
      for (let state = scratch + 16, channel = first; channel < last; channel++, state += EACH) {
        const offset = (<usize>(example * c + channel) * <usize>s) << 2;
        const center = load<f32>(stats + (<usize>channel << 2));
        const some = min(rows, n - example);
        const a = load<f32>(state), b = load<f32>(state, 4), shift = load<f32>(state, 8);
        const from = x + offset, arrived = dy + offset, to = dx + offset;
        if (training && s > VERY_SHORT && s <= SHORT) gradientShortRows(from, arrived, to, some, s, c * s, center, a, b, shift);
        else if (training) gradientRows(from, arrived, to, some, s, c * s, center, a, b, shift);
        else normalizeRows(arrived, to, some, s, c * s, 0, a, 0);
      }
    }
  }
}

// The same for [N, C], where channels are columns. Scratch holds the sums of WIDE columns, and behind
// them three rows of WIDE floats.

/** A center is close enough to the mean if its square is at most so many times the variance. */
const FAR: f64 = 16;

export function batch_norm_statistics_columns(
  x: usize, stats: usize, n: i32, c: i32, eps: f64, begin: i32, end: i32, scratch: usize,
): void {
  const count = <f64>n;
  for (let first = begin; first < end; first += WIDE) {
    const width = min(WIDE, end - first);
    const from = x + (<usize>first << 2);
    const centers = stats + (<usize>first << 2);
    roughCenters(from, min(n, 8), c, width, centers);
    wideColumnSums(from, n, c, width, centers, scratch, false);
    if (moveFarCenters(centers, width, count, scratch)) wideColumnSums(from, n, c, width, centers, scratch, false);
    for (let i = 0; i < width; i++) {
      const sums = scratch + (<usize>i << 3);
      const sum = load<f64>(sums);
      const mean = <f64>load<f32>(centers + (<usize>i << 2)) + sum / count;
      const m2 = max<f64>(load<f64>(sums, 2048) - (sum * sum) / count, 0);
      storeStatistics(stats, first + i, c, mean, m2 / count, eps);
    }
  }
}

/**
 * If some center is so far from its mean that squares would cancel, moves all to the means. The first
 * rows of a batch are far from the rest only where something is odd: a second pass over x is then due.
 */
function moveFarCenters(centers: usize, width: i32, count: f64, scratch: usize): bool {
  let far = false;
  for (let i = 0; i < width; i++) {
    const sums = scratch + (<usize>i << 3);
    const offset = (load<f64>(sums) * load<f64>(sums)) / count;
    if (offset > FAR * (load<f64>(sums, 2048) - offset)) far = true;
  }
  if (!far) return false;
  for (let i = 0; i < width; i++) {
    const at = centers + (<usize>i << 2);
    store<f32>(at, <f32>(<f64>load<f32>(at) + load<f64>(scratch + (<usize>i << 3)) / count));
  }
  return true;
}

export function batch_norm_normalize_columns(
  x: usize, y: usize, weight: usize, bias: usize, stats: usize, n: i32, c: i32, begin: i32, end: i32, scratch: usize,
): void {
  const row = <usize>c << 2;
  const scales = scratch + WIDE_BYTES, shifts = scales + 1024;
  for (let first = begin; first < end; first += WIDE) {
    const width = min(WIDE, end - first);
    const centers = stats + (<usize>first << 2);
    for (let i = 0; i < width; i++) {
      const at = centers + (<usize>i << 2);
      const scale = <f64>load<f32>(at + 2 * row) * valueOr(weight, first + i, 1);
      store<f32>(scales + (<usize>i << 2), <f32>scale);
      store<f32>(shifts + (<usize>i << 2), <f32>(valueOr(bias, first + i, 0) - <f64>load<f32>(at + row) * scale));
    }
    const offset = <usize>first << 2;
    normalizeWide(x + offset, y + offset, n, c, width, centers, scales, shifts);
  }
}

export function batch_norm_forward_columns(
  x: usize, y: usize, weight: usize, bias: usize, stats: usize, n: i32, c: i32, eps: f64,
  begin: i32, end: i32, scratch: usize,
): void {
  for (let first = begin; first < end; first += WIDE) {
    const stop = min(first + WIDE, end);
    batch_norm_statistics_columns(x, stats, n, c, eps, first, stop, scratch);
    batch_norm_normalize_columns(x, y, weight, bias, stats, n, c, first, stop, scratch);
  }
}

export function batch_norm_backward_columns(
  x: usize, dy: usize, dx: usize, weight: usize, dweight: usize, dbias: usize, stats: usize,
  n: i32, c: i32, training: i32, begin: i32, end: i32, scratch: usize,
): void {
  const count = <f64>n;
  const as = scratch + WIDE_BYTES, bs = as + 1024, shifts = bs + 1024;
  for (let first = begin; first < end; first += WIDE) {
    const width = min(WIDE, end - first);
    const offset = <usize>first << 2;
    const centers = stats + offset;
    wideGradientSums(x + offset, dy + offset, n, c, width, centers, scratch, false);
    for (let i = 0; i < width; i++) {
      const sums = scratch + (<usize>i << 3);
      const sum = load<f64>(sums), dot = load<f64>(sums, 2048);
      storeGradient(stats, first + i, c, weight, dweight, dbias, sum, dot, count, training, as + (<usize>i << 2), 1024);
    }
    if (dx == 0) continue;
    if (training) gradientWide(x + offset, dy + offset, dx + offset, n, c, width, centers, as, bs, shifts);
    else {
      // (dy - 0) a + 0: x plays no part; bs and shifts hold zeros.
      normalizeWide(dy + offset, dx + offset, n, c, width, bs, as, shifts);
    }
  }
}

// The same with a mask over [n, s]: `count` positions of it are 1.

export function batch_norm_masked_forward(
  x: usize, y: usize, weight: usize, bias: usize, stats: usize, mask: usize, n: i32, c: i32, s: i32, eps: f64,
  count: f64, begin: i32, end: i32, scratch: usize,
): void {
  for (let channel = begin; channel < end; channel++) {
    maskedStatistics(x + ((<usize>channel * <usize>s) << 2), mask, n, s, c * s, count, scratch);
    storeStatistics(stats, channel, c, load<f64>(scratch), load<f64>(scratch, 8) / count, eps);
    normalizeChannels(x, y, weight, bias, stats, n, c, s, channel, channel + 1);
  }
}

export function batch_norm_masked_backward(
  x: usize, dy: usize, dx: usize, weight: usize, dweight: usize, dbias: usize, stats: usize, mask: usize,
  n: i32, c: i32, s: i32, count: f64, begin: i32, end: i32, scratch: usize,
): void {
  const out = scratch + 16;
  for (let channel = begin; channel < end; channel++) {
    const center = load<f32>(stats + (<usize>channel << 2));
    const offset = (<usize>channel * <usize>s) << 2;
    maskedGradientSums(x + offset, dy + offset, n, s, c * s, center, scratch);
    const sum = load<f64>(scratch), dot = load<f64>(scratch, 8);
    storeGradient(stats, channel, c, weight, dweight, dbias, sum, dot, count, 1, out, 4);
    if (dx == 0) continue;
    const a = load<f32>(out), b = load<f32>(out, 4), shift = load<f32>(out, 8);
    maskedGradientRows(x + offset, dy + offset, dx + offset, mask, n, s, c * s, center, a, b, shift);
  }
}
