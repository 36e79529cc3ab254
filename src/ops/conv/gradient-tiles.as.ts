// The micro-kernels of convolution's gradients; see tiles.as.ts.

import { fma } from "../../backend/wasm/simd.as";
import { at } from "./tiles.as";

/**
 * 4 weights by 2 groups, to `out`, [4][2][4]. w is packed as [m][4], each value four times; the groups of y are
 * neighbors, its rows lie `row` bytes apart.
 */
export function scatter4(w: usize, m: i32, y: usize, row: usize, out: usize): void {
  const zero = f32x4.splat(0);
  let c00 = zero, c01 = zero;
  let c10 = zero, c11 = zero;
  let c20 = zero, c21 = zero;
  let c30 = zero, c31 = zero;
  for (;;) {
    let b0 = v128.load(y), b1 = v128.load(y, 16);
    let s = v128.load(w); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load(w, 16); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load(w, 32); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    s = v128.load(w, 48); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    if (m == 1) break;
    y += row;
    b0 = v128.load(y); b1 = v128.load(y, 16);
    s = v128.load(w, 64); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load(w, 80); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load(w, 96); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    s = v128.load(w, 112); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    m -= 2;
    if (m == 0) break;
    y += row;
    w += 128;
  }
  v128.store(out, c00); v128.store(out, c01, 16);
  v128.store(out, c10, 32); v128.store(out, c11, 48);
  v128.store(out, c20, 64); v128.store(out, c21, 80);
  v128.store(out, c30, 96); v128.store(out, c31, 112);
}

/**
 * Adds what scatter4 left at `sums` to x. First one group, then the other: where they overlap, the second must see
 * what the first has added.
 */
export function addScattered(sums: usize, off: usize, x: usize, base: usize): void {
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

/** As scatter4 and addScattered in one, where the eight places at x are apart: sums start from what is there. */
export function scatterApart4(w: usize, m: i32, y: usize, row: usize, off: usize, x: usize, base: usize): void {
  const x0 = x + at(base, 0), x1 = x + at(base, 1);
  let c00 = v128.load(x0 + at(off, 0)), c01 = v128.load(x1 + at(off, 0));
  let c10 = v128.load(x0 + at(off, 1)), c11 = v128.load(x1 + at(off, 1));
  let c20 = v128.load(x0 + at(off, 2)), c21 = v128.load(x1 + at(off, 2));
  let c30 = v128.load(x0 + at(off, 3)), c31 = v128.load(x1 + at(off, 3));
  for (;;) {
    let b0 = v128.load(y), b1 = v128.load(y, 16);
    let s = v128.load(w); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load(w, 16); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load(w, 32); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    s = v128.load(w, 48); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    if (m == 1) break;
    y += row;
    b0 = v128.load(y); b1 = v128.load(y, 16);
    s = v128.load(w, 64); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load(w, 80); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load(w, 96); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    s = v128.load(w, 112); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    m -= 2;
    if (m == 0) break;
    y += row;
    w += 128;
  }
  v128.store(x0 + at(off, 0), c00); v128.store(x1 + at(off, 0), c01);
  v128.store(x0 + at(off, 1), c10); v128.store(x1 + at(off, 1), c11);
  v128.store(x0 + at(off, 2), c20); v128.store(x1 + at(off, 2), c21);
  v128.store(x0 + at(off, 3), c30); v128.store(x1 + at(off, 3), c31);
}

/** 6 rows by 2 weights over `count` groups, to `out`, [6][2][4]. y is packed as [group][6][4]. */
export function outer6(y: usize, x: usize, off: usize, base: usize, count: i32, out: usize): void {
  const x0 = x + at(off, 0), x1 = x + at(off, 1);
  const zero = f32x4.splat(0);
  let c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero;
  let c30 = zero, c31 = zero, c40 = zero, c41 = zero, c50 = zero, c51 = zero;
  for (; count > 0; count--) {
    const o = <usize>load<u32>(base);
    const b0 = v128.load(x0 + o), b1 = v128.load(x1 + o);
    let s = v128.load(y); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load(y, 16); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load(y, 32); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    s = v128.load(y, 48); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    s = v128.load(y, 64); c40 = fma(s, b0, c40); c41 = fma(s, b1, c41);
    s = v128.load(y, 80); c50 = fma(s, b0, c50); c51 = fma(s, b1, c51);
    y += 96;
    base += 4;
  }
  v128.store(out, c00); v128.store(out, c01, 16);
  v128.store(out, c10, 32); v128.store(out, c11, 48);
  v128.store(out, c20, 64); v128.store(out, c21, 80);
  v128.store(out, c30, 96); v128.store(out, c31, 112);
  v128.store(out, c40, 128); v128.store(out, c41, 144);
  v128.store(out, c50, 160); v128.store(out, c51, 176);
}

/** 4 rows by 2 weights over `count` groups, to `out`, [4][2][4]. y is packed as [group][4][4]. */
export function outer4(y: usize, x: usize, off: usize, base: usize, count: i32, out: usize): void {
  const x0 = x + at(off, 0), x1 = x + at(off, 1);
  const zero = f32x4.splat(0);
  let c00 = zero, c01 = zero;
  let c10 = zero, c11 = zero;
  let c20 = zero, c21 = zero;
  let c30 = zero, c31 = zero;
  for (;;) {
    let o = <usize>load<u32>(base);
    let b0 = v128.load(x0 + o), b1 = v128.load(x1 + o);
    let s = v128.load(y); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load(y, 16); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load(y, 32); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    s = v128.load(y, 48); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    if (count == 1) break;
    o = <usize>load<u32>(base, 4);
    b0 = v128.load(x0 + o); b1 = v128.load(x1 + o);
    s = v128.load(y, 64); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load(y, 80); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load(y, 96); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    s = v128.load(y, 112); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    count -= 2;
    if (count == 0) break;
    y += 128;
    base += 8;
  }
  v128.store(out, c00); v128.store(out, c01, 16);
  v128.store(out, c10, 32); v128.store(out, c11, 48);
  v128.store(out, c20, 64); v128.store(out, c21, 80);
  v128.store(out, c30, 96); v128.store(out, c31, 112);
}

/** 2 rows by 4 weights over `count` groups, to `out`, [2][4][4]. y is packed as [group][2][4]. */
export function outer2(y: usize, x: usize, off: usize, base: usize, count: i32, out: usize): void {
  const x0 = x + at(off, 0), x1 = x + at(off, 1);
  const x2 = x + at(off, 2), x3 = x + at(off, 3);
  const zero = f32x4.splat(0);
  let c00 = zero, c01 = zero, c02 = zero, c03 = zero, c10 = zero, c11 = zero;
  let c12 = zero, c13 = zero;
  for (; count > 0; count--) {
    const o = <usize>load<u32>(base);
    const b0 = v128.load(x0 + o), b1 = v128.load(x1 + o);
    const b2 = v128.load(x2 + o), b3 = v128.load(x3 + o);
    let s = v128.load(y);
    c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    c02 = fma(s, b2, c02); c03 = fma(s, b3, c03);
    s = v128.load(y, 16);
    c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    c12 = fma(s, b2, c12); c13 = fma(s, b3, c13);
    y += 32;
    base += 4;
  }
  v128.store(out, c00); v128.store(out, c01, 16);
  v128.store(out, c02, 32); v128.store(out, c03, 48);
  v128.store(out, c10, 64); v128.store(out, c11, 80);
  v128.store(out, c12, 96); v128.store(out, c13, 112);
}
