// The micro-kernels of convolution. A convolution is a product of matrices of which one is never
// written down: X[k, p], the input that weight k = (channel, row, column) meets at output pixel p,
// lies at off[k] + base[p] in the (padded) image. Pixels go in groups of four: four neighbors in a
// row, or one pixel of four images; `base` says where each group starts.
//
//   gather    y[m, p] = bias[m] + sum over k of w[m, k] x[off[k] + base[p]]
//   scatter   x[off[k] + base[p]] += sum over m of w[m, k] y[m, p]
//   outer     dw[m, k] += sum over p of y[m, p] x[off[k] + base[p]]
//
// Offsets, bases and steps are in bytes. What limits these loops is not the multiply-adds but the instructions around
// them, so the loops are unrolled and read what they broadcast as vectors that were packed so: a broadcast from
// address + constant is two instructions to V8, a read is one. An engine may move all reads of a stretch of code
// without branches ahead of its multiply-adds, so that what it reads and the sums must fit 15 registers together: eight
// sums, four values and two vectors do. That is why a `break` stands between the steps; where the count cannot end
// there its condition never holds. These functions are exported so that they are not inlined: more values would be
// alive. They go through all groups of pixels themselves: around a call for every eight sums, what does not change
// from one to the next was worked out each time, a division among it.
//
// On Intel's Skylake family a jump that crosses 32 bytes of code makes the processor decode the rest of the loop anew
// each time, half as fast as it runs. Where V8 puts the jumps follows from the lengths of instructions: 64 or 128
// added to every offset and taken from the address make reads longer. These figures, and how many steps a loop has, are chosen so
// that no jump crosses in the loops that matter; `node scripts/jumps.mjs conv_tile` shows it.

import { fma } from "../../backend/wasm/simd.as";

/** Bytes of twenty sums: each item of work keeps a tile of them at the start of its scratch. */
export const TILE: usize = 320;

/** Entry i of a table of offsets in bytes. */
// @ts-ignore: decorator
@inline
export function at(table: usize, i: usize): usize {
  return <usize>load<u32>(table + (i << 2));
}

/**
 * 4 rows by 2 groups, then the next 2, until `groups` are done. w is packed as [k][4], each value four times; sums start at
 * `from`, [4][2][4], those of the next 2 `fromStep` bytes further on, and group g goes to y + yBase[g], rows `row` apart; the last row only if `last` is set.
 */
export function gather4(
  w: usize, off: usize, k: i32, x: usize, base: usize, from: usize, fromStep: usize, y: usize, yBase: usize, row: usize,
  last: i32, groups: i32,
): void {
  for (; groups > 0; groups -= 2) {
    const x0 = x + at(base, 0), x1 = x + at(base, 1);
    let c00 = v128.load(from), c01 = v128.load(from, 16);
    let c10 = v128.load(from, 32), c11 = v128.load(from, 48);
    let c20 = v128.load(from, 64), c21 = v128.load(from, 80);
    let c30 = v128.load(from, 96), c31 = v128.load(from, 112);
    let left = k, v = w - 128, f = off - 128;
    for (;;) {
      let o = <usize>load<u32>(f, 128);
      let b0 = v128.load(x0 + o), b1 = v128.load(x1 + o);
      let s = v128.load(v, 128); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load(v, 144); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load(v, 160); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load(v, 176); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      if (left == 1) break;
      o = <usize>load<u32>(f, 132);
      b0 = v128.load(x0 + o); b1 = v128.load(x1 + o);
      s = v128.load(v, 192); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load(v, 208); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load(v, 224); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load(v, 240); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      if (left == 2) break;
      o = <usize>load<u32>(f, 136);
      b0 = v128.load(x0 + o); b1 = v128.load(x1 + o);
      s = v128.load(v, 256); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load(v, 272); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load(v, 288); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load(v, 304); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      if (left == 3) break;
      o = <usize>load<u32>(f, 140);
      b0 = v128.load(x0 + o); b1 = v128.load(x1 + o);
      s = v128.load(v, 320); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load(v, 336); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load(v, 352); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load(v, 368); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      left -= 4;
      if (left == 0) break;
      v += 256;
      f += 16;
    }
    let y0 = y + at(yBase, 0), y1 = y + at(yBase, 1);
    v128.store(y0, c00); v128.store(y1, c01); y0 += row; y1 += row;
    v128.store(y0, c10); v128.store(y1, c11); y0 += row; y1 += row;
    v128.store(y0, c20); v128.store(y1, c21); y0 += row; y1 += row;
    if (last) {
      v128.store(y0, c30); v128.store(y1, c31);
    }
    base += 8;
    yBase += 8;
    from += fromStep;
  }
}

/** The same where three weights that follow each other meet pixels that do: k counts threes, `off` is read for each. */
export function gather4by3(
  w: usize, off: usize, k: i32, x: usize, base: usize, from: usize, fromStep: usize, y: usize, yBase: usize, row: usize,
  last: i32, groups: i32,
): void {
  for (; groups > 0; groups -= 2) {
    const x0 = x + at(base, 0), x1 = x + at(base, 1);
    let c00 = v128.load(from), c01 = v128.load(from, 16);
    let c10 = v128.load(from, 32), c11 = v128.load(from, 48);
    let c20 = v128.load(from, 64), c21 = v128.load(from, 80);
    let c30 = v128.load(from, 96), c31 = v128.load(from, 112);
    let left = k, v = w - 128, f = off - 128;
    for (;;) {
      const o = <usize>load<u32>(f, 128);
      const p0 = x0 + o, p1 = x1 + o;
      let b0 = v128.load(p0), b1 = v128.load(p1);
      let s = v128.load(v, 128); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load(v, 144); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load(v, 160); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load(v, 176); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      if (left == -1) break;
      b0 = v128.load(p0, 4); b1 = v128.load(p1, 4);
      s = v128.load(v, 192); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load(v, 208); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load(v, 224); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load(v, 240); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      if (left == -2) break;
      b0 = v128.load(p0, 8); b1 = v128.load(p1, 8);
      s = v128.load(v, 256); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load(v, 272); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load(v, 288); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load(v, 304); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      if (--left == 0) break;
      v += 192;
      f += 12;
    }
    let y0 = y + at(yBase, 0), y1 = y + at(yBase, 1);
    v128.store(y0, c00); v128.store(y1, c01); y0 += row; y1 += row;
    v128.store(y0, c10); v128.store(y1, c11); y0 += row; y1 += row;
    v128.store(y0, c20); v128.store(y1, c21); y0 += row; y1 += row;
    if (last) {
      v128.store(y0, c30); v128.store(y1, c31);
    }
    base += 8;
    yBase += 8;
    from += fromStep;
  }
}

/** The same with five. */
export function gather4by5(
  w: usize, off: usize, k: i32, x: usize, base: usize, from: usize, fromStep: usize, y: usize, yBase: usize, row: usize,
  last: i32, groups: i32,
): void {
  for (; groups > 0; groups -= 2) {
    const x0 = x + at(base, 0), x1 = x + at(base, 1);
    let c00 = v128.load(from), c01 = v128.load(from, 16);
    let c10 = v128.load(from, 32), c11 = v128.load(from, 48);
    let c20 = v128.load(from, 64), c21 = v128.load(from, 80);
    let c30 = v128.load(from, 96), c31 = v128.load(from, 112);
    let left = k, v = w - 128, f = off - 128;
    for (;;) {
      const o = <usize>load<u32>(f, 128);
      const p0 = x0 + o, p1 = x1 + o;
      let b0 = v128.load(p0), b1 = v128.load(p1);
      let s = v128.load(v, 128); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load(v, 144); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load(v, 160); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load(v, 176); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      if (left == -1) break;
      b0 = v128.load(p0, 4); b1 = v128.load(p1, 4);
      s = v128.load(v, 192); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load(v, 208); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load(v, 224); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load(v, 240); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      if (left == -2) break;
      b0 = v128.load(p0, 8); b1 = v128.load(p1, 8);
      s = v128.load(v, 256); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load(v, 272); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load(v, 288); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load(v, 304); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      if (left == -3) break;
      b0 = v128.load(p0, 12); b1 = v128.load(p1, 12);
      s = v128.load(v, 320); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load(v, 336); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load(v, 352); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load(v, 368); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      if (left == -4) break;
      b0 = v128.load(p0, 16); b1 = v128.load(p1, 16);
      s = v128.load(v, 384); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load(v, 400); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load(v, 416); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load(v, 432); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      if (--left == 0) break;
      v += 320;
      f += 20;
    }
    let y0 = y + at(yBase, 0), y1 = y + at(yBase, 1);
    v128.store(y0, c00); v128.store(y1, c01); y0 += row; y1 += row;
    v128.store(y0, c10); v128.store(y1, c11); y0 += row; y1 += row;
    v128.store(y0, c20); v128.store(y1, c21); y0 += row; y1 += row;
    if (last) {
      v128.store(y0, c30); v128.store(y1, c31);
    }
    base += 8;
    yBase += 8;
    from += fromStep;
  }
}

/**
 * 2 rows by 4 groups at a time. w is packed as [k][2]; sums start at `from`, [2][4][4], and group g goes to y + yBase[g],
 * rows `row` apart; the last row only if `last` is set.
 */
export function gather2(
  w: usize, off: usize, k: i32, x: usize, base: usize, from: usize, y: usize, yBase: usize, row: usize, last: i32,
  groups: i32,
): void {
  for (; groups > 0; groups -= 4) {
    const x0 = x + at(base, 0), x1 = x + at(base, 1);
    const x2 = x + at(base, 2), x3 = x + at(base, 3);
    let c00 = v128.load(from), c01 = v128.load(from, 16);
    let c02 = v128.load(from, 32), c03 = v128.load(from, 48);
    let c10 = v128.load(from, 64), c11 = v128.load(from, 80);
    let c12 = v128.load(from, 96), c13 = v128.load(from, 112);
    let left = k, v = w, f = off;
    for (;;) {
      let o = <usize>load<u32>(f);
      let b0 = v128.load(x0 + o), b1 = v128.load(x1 + o);
      let b2 = v128.load(x2 + o), b3 = v128.load(x3 + o);
      let s = v128.load32_splat(v); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      c02 = fma(s, b2, c02); c03 = fma(s, b3, c03);
      s = v128.load32_splat(v, 4); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      c12 = fma(s, b2, c12); c13 = fma(s, b3, c13);
      if (left == 1) break;
      o = <usize>load<u32>(f, 4);
      b0 = v128.load(x0 + o); b1 = v128.load(x1 + o);
      b2 = v128.load(x2 + o); b3 = v128.load(x3 + o);
      s = v128.load32_splat(v, 8); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      c02 = fma(s, b2, c02); c03 = fma(s, b3, c03);
      s = v128.load32_splat(v, 12); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      c12 = fma(s, b2, c12); c13 = fma(s, b3, c13);
      left -= 2;
      if (left == 0) break;
      v += 16;
      f += 8;
    }
    let y0 = y + at(yBase, 0), y1 = y + at(yBase, 1);
    let y2 = y + at(yBase, 2), y3 = y + at(yBase, 3);
    v128.store(y0, c00); v128.store(y1, c01); v128.store(y2, c02); v128.store(y3, c03);
    y0 += row; y1 += row; y2 += row; y3 += row;
    if (last) {
      v128.store(y0, c10); v128.store(y1, c11); v128.store(y2, c12); v128.store(y3, c13);
    }
    base += 16;
    yBase += 16;
  }
}

/** The same where three weights that follow each other meet pixels that do, as in gather4by3. */
export function gather2by3(
  w: usize, off: usize, k: i32, x: usize, base: usize, from: usize, y: usize, yBase: usize, row: usize, last: i32,
  groups: i32,
): void {
  for (; groups > 0; groups -= 4) {
    const x0 = x + at(base, 0), x1 = x + at(base, 1);
    const x2 = x + at(base, 2), x3 = x + at(base, 3);
    let c00 = v128.load(from), c01 = v128.load(from, 16);
    let c02 = v128.load(from, 32), c03 = v128.load(from, 48);
    let c10 = v128.load(from, 64), c11 = v128.load(from, 80);
    let c12 = v128.load(from, 96), c13 = v128.load(from, 112);
    let left = k, v = w, f = off;
    for (;;) {
      const o = <usize>load<u32>(f);
      const p0 = x0 + o, p1 = x1 + o, p2 = x2 + o, p3 = x3 + o;
      let b0 = v128.load(p0), b1 = v128.load(p1);
      let b2 = v128.load(p2), b3 = v128.load(p3);
      let s = v128.load32_splat(v); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      c02 = fma(s, b2, c02); c03 = fma(s, b3, c03);
      s = v128.load32_splat(v, 4); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      c12 = fma(s, b2, c12); c13 = fma(s, b3, c13);
      if (left == -1) break;
      b0 = v128.load(p0, 4); b1 = v128.load(p1, 4);
      b2 = v128.load(p2, 4); b3 = v128.load(p3, 4);
      s = v128.load32_splat(v, 8); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      c02 = fma(s, b2, c02); c03 = fma(s, b3, c03);
      s = v128.load32_splat(v, 12); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      c12 = fma(s, b2, c12); c13 = fma(s, b3, c13);
      if (left == -2) break;
      b0 = v128.load(p0, 8); b1 = v128.load(p1, 8);
      b2 = v128.load(p2, 8); b3 = v128.load(p3, 8);
      s = v128.load32_splat(v, 16); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      c02 = fma(s, b2, c02); c03 = fma(s, b3, c03);
      s = v128.load32_splat(v, 20); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      c12 = fma(s, b2, c12); c13 = fma(s, b3, c13);
      if (--left == 0) break;
      v += 24;
      f += 12;
    }
    let y0 = y + at(yBase, 0), y1 = y + at(yBase, 1);
    let y2 = y + at(yBase, 2), y3 = y + at(yBase, 3);
    v128.store(y0, c00); v128.store(y1, c01); v128.store(y2, c02); v128.store(y3, c03);
    y0 += row; y1 += row; y2 += row; y3 += row;
    if (last) {
      v128.store(y0, c10); v128.store(y1, c11); v128.store(y2, c12); v128.store(y3, c13);
    }
    base += 16;
    yBase += 16;
  }
}

/** The same with five. */
export function gather2by5(
  w: usize, off: usize, k: i32, x: usize, base: usize, from: usize, y: usize, yBase: usize, row: usize, last: i32,
  groups: i32,
): void {
  for (; groups > 0; groups -= 4) {
    const x0 = x + at(base, 0), x1 = x + at(base, 1);
    const x2 = x + at(base, 2), x3 = x + at(base, 3);
    let c00 = v128.load(from), c01 = v128.load(from, 16);
    let c02 = v128.load(from, 32), c03 = v128.load(from, 48);
    let c10 = v128.load(from, 64), c11 = v128.load(from, 80);
    let c12 = v128.load(from, 96), c13 = v128.load(from, 112);
    let left = k, v = w, f = off;
    for (;;) {
      const o = <usize>load<u32>(f);
      const p0 = x0 + o, p1 = x1 + o, p2 = x2 + o, p3 = x3 + o;
      let b0 = v128.load(p0), b1 = v128.load(p1);
      let b2 = v128.load(p2), b3 = v128.load(p3);
      let s = v128.load32_splat(v); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      c02 = fma(s, b2, c02); c03 = fma(s, b3, c03);
      s = v128.load32_splat(v, 4); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      c12 = fma(s, b2, c12); c13 = fma(s, b3, c13);
      if (left == -1) break;
      b0 = v128.load(p0, 4); b1 = v128.load(p1, 4);
      b2 = v128.load(p2, 4); b3 = v128.load(p3, 4);
      s = v128.load32_splat(v, 8); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      c02 = fma(s, b2, c02); c03 = fma(s, b3, c03);
      s = v128.load32_splat(v, 12); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      c12 = fma(s, b2, c12); c13 = fma(s, b3, c13);
      if (left == -2) break;
      b0 = v128.load(p0, 8); b1 = v128.load(p1, 8);
      b2 = v128.load(p2, 8); b3 = v128.load(p3, 8);
      s = v128.load32_splat(v, 16); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      c02 = fma(s, b2, c02); c03 = fma(s, b3, c03);
      s = v128.load32_splat(v, 20); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      c12 = fma(s, b2, c12); c13 = fma(s, b3, c13);
      if (left == -3) break;
      b0 = v128.load(p0, 12); b1 = v128.load(p1, 12);
      b2 = v128.load(p2, 12); b3 = v128.load(p3, 12);
      s = v128.load32_splat(v, 24); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      c02 = fma(s, b2, c02); c03 = fma(s, b3, c03);
      s = v128.load32_splat(v, 28); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      c12 = fma(s, b2, c12); c13 = fma(s, b3, c13);
      if (left == -4) break;
      b0 = v128.load(p0, 16); b1 = v128.load(p1, 16);
      b2 = v128.load(p2, 16); b3 = v128.load(p3, 16);
      s = v128.load32_splat(v, 32); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      c02 = fma(s, b2, c02); c03 = fma(s, b3, c03);
      s = v128.load32_splat(v, 36); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      c12 = fma(s, b2, c12); c13 = fma(s, b3, c13);
      if (--left == 0) break;
      v += 40;
      f += 20;
    }
    let y0 = y + at(yBase, 0), y1 = y + at(yBase, 1);
    let y2 = y + at(yBase, 2), y3 = y + at(yBase, 3);
    v128.store(y0, c00); v128.store(y1, c01); v128.store(y2, c02); v128.store(y3, c03);
    y0 += row; y1 += row; y2 += row; y3 += row;
    if (last) {
      v128.store(y0, c10); v128.store(y1, c11); v128.store(y2, c12); v128.store(y3, c13);
    }
    base += 16;
    yBase += 16;
  }
}
