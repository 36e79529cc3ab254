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
