// Column sums, for the gradient of a bias.

/**
 * out[r, j] = sum of x[i, j] over the rows i of run r, of `run` rows each (the last may be shorter),
 * x having `rows` x `columns`. An item is (run, 64 columns), `blocks` items a run.
 */
export function linear_sum_rows(
  x: usize, rows: i32, columns: i32, run: i32, blocks: i32, out: usize, begin: i32, end: i32,
): void {
  const step = <usize>columns << 2;
  for (let item = begin; item < end; item++) {
    const r = item / blocks;
    const first = (item - r * blocks) * 64;
    const last = min(columns, first + 64);
    const count = min(run, rows - r * run);
    const top = x + <usize>(r * run) * step;
    const to = out + <usize>r * step;
    let j = first;
    for (; j + 8 <= last; j += 8) {
      let at = top + (<usize>j << 2);
      let s0 = f32x4.splat(0), s1 = s0;
      for (let i = 0; i < count; i++, at += step) {
        s0 = f32x4.add(s0, v128.load(at));
        s1 = f32x4.add(s1, v128.load(at, 16));
      }
      v128.store(to + (<usize>j << 2), s0);
      v128.store(to + (<usize>j << 2), s1, 16);
    }
    for (; j < last; j++) {
      let at = top + (<usize>j << 2);
      let sum: f32 = 0;
      for (let i = 0; i < count; i++, at += step) sum += load<f32>(at);
      store<f32>(to + (<usize>j << 2), sum);
    }
  }
}
