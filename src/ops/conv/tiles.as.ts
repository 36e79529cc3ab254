// The micro-kernels of convolution. A convolution is a product of matrices of which one is never
// written down: X[k, p], the input that weight k = (channel, row, column) meets at output pixel p,
// lies at off[k] + base[p] in the (padded) image. Pixels go in groups of four: four neighbors in a
// row, or one pixel of four images; `base` says where each group starts.
//
//   gather    y[m, p] = bias[m] + sum over k of w[m, k] x[off[k] + base[p]]
//   scatter   x[off[k] + base[p]] += sum over m of w[m, k] y[m, p]
//   outer     dw[m, k] += sum over p of y[m, p] x[off[k] + base[p]]
//
// Offsets, bases and steps are in bytes. As in matmul, twelve sums fill the registers. One value more
// that lives across the loop, or sums that start as copies of each other, and the engine spills: the
// rate halves. So sums start from memory or from zero and are stored in the order they were named in,
// other functions do what is then left to do, and these here are exported so that they are not inlined.

import { fma } from "../../backend/wasm/simd.as";

// @ts-ignore: decorator
@inline
function at(table: usize, i: usize): usize {
  return <usize>load<u32>(table + (i << 2));
}

/**
 * 6 rows by 2 groups. w is packed as [k][6]; sums start at `from`, [6][2][4], and group g goes to y + yBase[g],
 * rows `row` apart; the last row only if `last` is set.
 */
export function gather6(
  w: usize, off: usize, k: i32, x: usize, base: usize, from: usize, y: usize, yBase: usize, row: usize, last: i32,
): void {
  const x0 = x + at(base, 0), x1 = x + at(base, 1);
  let c00 = v128.load(from), c01 = v128.load(from, 16);
  let c10 = v128.load(from, 32), c11 = v128.load(from, 48);
  let c20 = v128.load(from, 64), c21 = v128.load(from, 80);
  let c30 = v128.load(from, 96), c31 = v128.load(from, 112);
  let c40 = v128.load(from, 128), c41 = v128.load(from, 144);
  let c50 = v128.load(from, 160), c51 = v128.load(from, 176);
  for (; k > 0; k--) {
    const o = <usize>load<u32>(off);
    const b0 = v128.load(x0 + o), b1 = v128.load(x1 + o);
    let s = v128.load32_splat(w); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load32_splat(w, 4); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load32_splat(w, 8); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    s = v128.load32_splat(w, 12); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    s = v128.load32_splat(w, 16); c40 = fma(s, b0, c40); c41 = fma(s, b1, c41);
    s = v128.load32_splat(w, 20); c50 = fma(s, b0, c50); c51 = fma(s, b1, c51);
    w += 24;
    off += 4;
  }
  let y0 = y + at(yBase, 0), y1 = y + at(yBase, 1);
  v128.store(y0, c00); v128.store(y1, c01); y0 += row; y1 += row;
  v128.store(y0, c10); v128.store(y1, c11); y0 += row; y1 += row;
  v128.store(y0, c20); v128.store(y1, c21); y0 += row; y1 += row;
  v128.store(y0, c30); v128.store(y1, c31); y0 += row; y1 += row;
  v128.store(y0, c40); v128.store(y1, c41); y0 += row; y1 += row;
  if (!last) return;
  v128.store(y0, c50); v128.store(y1, c51);
}

/**
 * 4 rows by 2 groups. w is packed as [k][4]; sums start at `from`, [4][2][4], and group g goes to y + yBase[g],
 * rows `row` apart; the last row only if `last` is set.
 */
export function gather4(
  w: usize, off: usize, k: i32, x: usize, base: usize, from: usize, y: usize, yBase: usize, row: usize, last: i32,
): void {
  const x0 = x + at(base, 0), x1 = x + at(base, 1);
  let c00 = v128.load(from), c01 = v128.load(from, 16);
  let c10 = v128.load(from, 32), c11 = v128.load(from, 48);
  let c20 = v128.load(from, 64), c21 = v128.load(from, 80);
  let c30 = v128.load(from, 96), c31 = v128.load(from, 112);
  for (; k > 0; k--) {
    const o = <usize>load<u32>(off);
    const b0 = v128.load(x0 + o), b1 = v128.load(x1 + o);
    let s = v128.load32_splat(w); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load32_splat(w, 4); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load32_splat(w, 8); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    s = v128.load32_splat(w, 12); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    w += 16;
    off += 4;
  }
  let y0 = y + at(yBase, 0), y1 = y + at(yBase, 1);
  v128.store(y0, c00); v128.store(y1, c01); y0 += row; y1 += row;
  v128.store(y0, c10); v128.store(y1, c11); y0 += row; y1 += row;
  v128.store(y0, c20); v128.store(y1, c21); y0 += row; y1 += row;
  if (!last) return;
  v128.store(y0, c30); v128.store(y1, c31);
}

/**
 * 2 rows by 4 groups. w is packed as [k][2]; sums start at `from`, [2][4][4], and group g goes to y + yBase[g],
 * rows `row` apart; the last row only if `last` is set.
 */
export function gather2(
  w: usize, off: usize, k: i32, x: usize, base: usize, from: usize, y: usize, yBase: usize, row: usize, last: i32,
): void {
  const x0 = x + at(base, 0), x1 = x + at(base, 1);
  const x2 = x + at(base, 2), x3 = x + at(base, 3);
  let c00 = v128.load(from), c01 = v128.load(from, 16);
  let c02 = v128.load(from, 32), c03 = v128.load(from, 48);
  let c10 = v128.load(from, 64), c11 = v128.load(from, 80);
  let c12 = v128.load(from, 96), c13 = v128.load(from, 112);
  for (; k > 0; k--) {
    const o = <usize>load<u32>(off);
    const b0 = v128.load(x0 + o), b1 = v128.load(x1 + o);
    const b2 = v128.load(x2 + o), b3 = v128.load(x3 + o);
    let s = v128.load32_splat(w);
    c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    c02 = fma(s, b2, c02); c03 = fma(s, b3, c03);
    s = v128.load32_splat(w, 4);
    c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    c12 = fma(s, b2, c12); c13 = fma(s, b3, c13);
    w += 8;
    off += 4;
  }
  let y0 = y + at(yBase, 0), y1 = y + at(yBase, 1);
  let y2 = y + at(yBase, 2), y3 = y + at(yBase, 3);
  v128.store(y0, c00); v128.store(y1, c01); v128.store(y2, c02); v128.store(y3, c03);
  y0 += row; y1 += row; y2 += row; y3 += row;
  if (!last) return;
  v128.store(y0, c10); v128.store(y1, c11); v128.store(y2, c12); v128.store(y3, c13);
}

/**
 * 6 weights by 2 groups, to `out`, [6][2][4]. w is packed as [m][6]; the groups of y are neighbors, its rows lie `row`
 * bytes apart.
 */
export function scatter6(w: usize, m: i32, y: usize, row: usize, out: usize): void {
  const zero = f32x4.splat(0);
  let c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero;
  let c30 = zero, c31 = zero, c40 = zero, c41 = zero, c50 = zero, c51 = zero;
  for (; m > 0; m--) {
    const b0 = v128.load(y), b1 = v128.load(y, 16);
    let s = v128.load32_splat(w); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load32_splat(w, 4); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load32_splat(w, 8); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    s = v128.load32_splat(w, 12); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    s = v128.load32_splat(w, 16); c40 = fma(s, b0, c40); c41 = fma(s, b1, c41);
    s = v128.load32_splat(w, 20); c50 = fma(s, b0, c50); c51 = fma(s, b1, c51);
    w += 24;
    y += row;
  }
  v128.store(out, c00); v128.store(out, c01, 16);
  v128.store(out, c10, 32); v128.store(out, c11, 48);
  v128.store(out, c20, 64); v128.store(out, c21, 80);
  v128.store(out, c30, 96); v128.store(out, c31, 112);
  v128.store(out, c40, 128); v128.store(out, c41, 144);
  v128.store(out, c50, 160); v128.store(out, c51, 176);
}

/**
 * Adds what scatter6 left at `sums` to x. First one group, then the other: where they overlap, the second must see
 * what the first has added.
 */
export function addScattered(sums: usize, off: usize, x: usize, base: usize): void {
  for (let j: usize = 0; j < 2; j++, sums += 16) {
    const to = x + at(base, j);
    const x0 = to + at(off, 0);
    const x1 = to + at(off, 1);
    const x2 = to + at(off, 2);
    const x3 = to + at(off, 3);
    const x4 = to + at(off, 4);
    const x5 = to + at(off, 5);
    v128.store(x0, f32x4.add(v128.load(x0), v128.load(sums)));
    v128.store(x1, f32x4.add(v128.load(x1), v128.load(sums, 32)));
    v128.store(x2, f32x4.add(v128.load(x2), v128.load(sums, 64)));
    v128.store(x3, f32x4.add(v128.load(x3), v128.load(sums, 96)));
    v128.store(x4, f32x4.add(v128.load(x4), v128.load(sums, 128)));
    v128.store(x5, f32x4.add(v128.load(x5), v128.load(sums, 160)));
  }
}

/**
 * As scatter6 and addScattered in one, where the twelve places at x are apart: sums start from what is there.
 */
export function scatterApart6(w: usize, m: i32, y: usize, row: usize, off: usize, x: usize, base: usize): void {
  const x0 = x + at(base, 0), x1 = x + at(base, 1);
  let c00 = v128.load(x0 + at(off, 0)), c01 = v128.load(x1 + at(off, 0));
  let c10 = v128.load(x0 + at(off, 1)), c11 = v128.load(x1 + at(off, 1));
  let c20 = v128.load(x0 + at(off, 2)), c21 = v128.load(x1 + at(off, 2));
  let c30 = v128.load(x0 + at(off, 3)), c31 = v128.load(x1 + at(off, 3));
  let c40 = v128.load(x0 + at(off, 4)), c41 = v128.load(x1 + at(off, 4));
  let c50 = v128.load(x0 + at(off, 5)), c51 = v128.load(x1 + at(off, 5));
  for (; m > 0; m--) {
    const b0 = v128.load(y), b1 = v128.load(y, 16);
    let s = v128.load32_splat(w); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load32_splat(w, 4); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load32_splat(w, 8); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    s = v128.load32_splat(w, 12); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    s = v128.load32_splat(w, 16); c40 = fma(s, b0, c40); c41 = fma(s, b1, c41);
    s = v128.load32_splat(w, 20); c50 = fma(s, b0, c50); c51 = fma(s, b1, c51);
    w += 24;
    y += row;
  }
  v128.store(x0 + at(off, 0), c00); v128.store(x1 + at(off, 0), c01);
  v128.store(x0 + at(off, 1), c10); v128.store(x1 + at(off, 1), c11);
  v128.store(x0 + at(off, 2), c20); v128.store(x1 + at(off, 2), c21);
  v128.store(x0 + at(off, 3), c30); v128.store(x1 + at(off, 3), c31);
  v128.store(x0 + at(off, 4), c40); v128.store(x1 + at(off, 4), c41);
  v128.store(x0 + at(off, 5), c50); v128.store(x1 + at(off, 5), c51);
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
  let c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero;
  let c30 = zero, c31 = zero;
  for (; count > 0; count--) {
    const o = <usize>load<u32>(base);
    const b0 = v128.load(x0 + o), b1 = v128.load(x1 + o);
    let s = v128.load(y); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load(y, 16); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load(y, 32); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    s = v128.load(y, 48); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    y += 64;
    base += 4;
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
