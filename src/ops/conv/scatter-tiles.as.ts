// The micro-kernels of convolution's gradient of the input; see tiles.as.ts.

import { fma } from "../../backend/wasm/simd.as";
import { at } from "./tiles.as";

/**
 * Adds what scatter4 left at `sums` to x. First one group, then the other: where they overlap, the second must see
 * what the first has added.
 */
// @ts-ignore: decorator
@inline
function addScattered(sums: usize, off: usize, x: usize, base: usize): void {
  for (let j: usize = 0; j < 2; j++, sums += 16) {
    const to = x + at(base, j);
    const x0 = to + at(off, 0);
    const x1 = to + at(off, 1);
    const x2 = to + at(off, 2);
    const x3 = to + at(off, 3);
    v128.store(x0, f32x4.add(v128.load(x0), v128.load(sums)));
    v128.store(x1, f32x4.add(v128.load(x1), v128.load(sums, 32)));
    v128.store(x2, f32x4.add(v128.load(x2), v128.load(sums, 64)));
    v128.store(x3, f32x4.add(v128.load(x3), v128.load(sums, 96)));
  }
}

/**
 * Adds 4 weights by 2 groups to x, then the next 2, until `groups` are done. w is packed as [m][4], each value four times; the
 * groups of y are neighbors, its rows lie `row` bytes apart. `out` is room for the sums, [4][2][4].
 */
export function scatter4(
  w: usize, m: i32, y: usize, row: usize, off: usize, x: usize, base: usize, groups: i32, out: usize,
): void {
  for (; groups > 0; groups -= 2) {
    const zero = f32x4.splat(0);
    let c00 = zero, c01 = zero;
    let c10 = zero, c11 = zero;
    let c20 = zero, c21 = zero;
    let c30 = zero, c31 = zero;
    let left = m, v = w, g = y;
    for (;;) {
      let b0 = v128.load(g), b1 = v128.load(g, 16);
      let s = v128.load(v); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load(v, 16); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load(v, 32); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load(v, 48); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      if (left == 1) break;
      g += row;
      b0 = v128.load(g); b1 = v128.load(g, 16);
      s = v128.load(v, 64); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load(v, 80); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load(v, 96); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load(v, 112); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      left -= 2;
      if (left == 0) break;
      g += row;
      v += 128;
    }
    v128.store(out, c00); v128.store(out, c01, 16);
    v128.store(out, c10, 32); v128.store(out, c11, 48);
    v128.store(out, c20, 64); v128.store(out, c21, 80);
    v128.store(out, c30, 96); v128.store(out, c31, 112);
    addScattered(out, off, x, base);
    y += 32;
    base += 8;
  }
}

/** The same where the eight places at x are apart: sums start from what is there. */
export function scatterApart4(
  w: usize, m: i32, y: usize, row: usize, off: usize, x: usize, base: usize, groups: i32,
): void {
  const o0 = at(off, 0), o1 = at(off, 1), o2 = at(off, 2), o3 = at(off, 3);
  for (; groups > 0; groups -= 2) {
    const x0 = x + at(base, 0), x1 = x + at(base, 1);
    let c00 = v128.load(x0 + o0), c01 = v128.load(x1 + o0);
    let c10 = v128.load(x0 + o1), c11 = v128.load(x1 + o1);
    let c20 = v128.load(x0 + o2), c21 = v128.load(x1 + o2);
    let c30 = v128.load(x0 + o3), c31 = v128.load(x1 + o3);
    let left = m, v = w, g = y;
    for (;;) {
      let b0 = v128.load(g), b1 = v128.load(g, 16);
      let s = v128.load(v); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load(v, 16); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load(v, 32); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load(v, 48); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      if (left == 1) break;
      g += row;
      b0 = v128.load(g); b1 = v128.load(g, 16);
      s = v128.load(v, 64); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load(v, 80); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load(v, 96); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load(v, 112); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      if (left == 2) break;
      g += row;
      b0 = v128.load(g); b1 = v128.load(g, 16);
      s = v128.load(v, 128); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load(v, 144); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load(v, 160); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load(v, 176); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      if (left == 3) break;
      g += row;
      b0 = v128.load(g); b1 = v128.load(g, 16);
      s = v128.load(v, 192); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load(v, 208); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load(v, 224); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load(v, 240); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      left -= 4;
      if (left == 0) break;
      g += row;
      v += 256;
    }
    v128.store(x0 + o0, c00); v128.store(x1 + o0, c01);
    v128.store(x0 + o1, c10); v128.store(x1 + o1, c11);
    v128.store(x0 + o2, c20); v128.store(x1 + o2, c21);
    v128.store(x0 + o3, c30); v128.store(x1 + o3, c31);
    y += 32;
    base += 8;
  }
}
