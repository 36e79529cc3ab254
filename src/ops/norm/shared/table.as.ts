// The table of statistics that forward leaves for backward: four rows of C floats, center, low, rstd, var.

// @ts-ignore: decorator
@inline
export function valueOr(table: usize, channel: i32, otherwise: f32): f64 {
  return <f64>(table == 0 ? otherwise : load<f32>(table + (<usize>channel << 2)));
}

// @ts-ignore: decorator
@inline
export function storeStatistics(stats: usize, channel: i32, c: i32, mean: f64, variance: f64, eps: f64): void {
  const at = stats + (<usize>channel << 2);
  const row = <usize>c << 2;
  const center = <f32>mean;
  store<f32>(at, center);
  store<f32>(at + row, <f32>(mean - <f64>center));
  store<f32>(at + 2 * row, <f32>(1 / sqrt(variance + eps)));
  store<f32>(at + 3 * row, <f32>variance);
}

/**
 * The statistics of a channel of n * s values from those of its parts, which have `rows` times s each, the last what is left:
 * the mean of the first stands at `parts`, its M2 `toM2` bytes behind it, those of the next `step` bytes on, as float64.
 *
 *   M2 = sum of the parts' M2 + count (mean of the part - mean)²
 */
export function mergeStatistics(
  stats: usize, channel: i32, c: i32, parts: usize, toM2: usize, step: usize, n: i32, rows: i32, s: i32, eps: f64,
): void {
  let mean: f64 = 0;
  let at = parts;
  for (let left = n; left > 0; left -= rows, at += step) mean += load<f64>(at) * <f64>min(rows, left);
  mean /= <f64>n;
  let m2: f64 = 0;
  at = parts;
  for (let left = n; left > 0; left -= rows, at += step) {
    const delta = load<f64>(at) - mean;
    m2 += load<f64>(at + toM2) + delta * delta * (<f64>min(rows, left) * <f64>s);
  }
  storeStatistics(stats, channel, c, mean, m2 / (<f64>n * <f64>s), eps);
}

/**
 * The gradients of one channel, from sum = Σ g and dot = Σ g (x - center), g being what arrives at the norm:
 * dweight and dbias where they are not 0, and the three numbers of dx = a g + b (x - center) + shift, as float32
 * at `out`, `out + step` and `out + 2 step`. `training`: the statistics, of `count` values, depend on x.
 */
export function storeGradient(
  stats: usize, channel: i32, c: i32, weight: usize, dweight: usize, dbias: usize,
  sum: f64, dot: f64, count: f64, training: i32, out: usize, step: usize,
): void {
  const lane = <usize>channel << 2;
  const row = <usize>c << 2;
  const low = <f64>load<f32>(stats + lane + row);
  const rstd = <f64>load<f32>(stats + lane + 2 * row);
  // Σ g (x - mean)
  const centered = dot - low * sum;
  if (dweight != 0) store<f32>(dweight + lane, <f32>(centered * rstd));
  if (dbias != 0) store<f32>(dbias + lane, <f32>sum);
  const a = valueOr(weight, channel, 1) * rstd;
  const b = training ? (-a * rstd * rstd * centered) / count : 0;
  store<f32>(out, <f32>a);
  store<f32>(out + step, <f32>b);
  store<f32>(out + 2 * step, training ? <f32>((-a * sum) / count - b * low) : 0);
}
