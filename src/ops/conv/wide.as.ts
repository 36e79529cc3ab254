// The micro-kernels of convolution for the build in which an engine may merge two vectors that follow each other in memory
// into one of 256 bits (see src/backend/wasm/wide.ts): what is done to one of a pair is done to the other, and both are
// stored side by side, which is where V8 begins to look. Eight pairs of sums, four pairs of values and a broadcast fit 15 registers of
// 256 bits; of 128 bits they do not, so that these loops are slow where nothing is merged.
//
// There are fewer kinds than in tiles.as.ts: eight multiply-adds a step leave room for what stands around them, so that no
// step is laid out by itself for weights that lie next to each other.

import { fma } from "../../backend/wasm/simd.as";
import { at } from "./tiles.as";

/** As gather4 of tiles.as.ts, for groups that come in pairs, the second right behind the first; `groups` is a multiple of 4. */
export function gather4wide(
  w: usize, off: usize, k: i32, x: usize, base: usize, from: usize, fromStep: usize, y: usize, yBase: usize, row: usize,
  last: i32, groups: i32,
): void {
  for (; groups > 0; groups -= 4) {
    const x0 = x + at(base, 0), x1 = x + at(base, 2);
    const second = from + fromStep;
    let c00 = v128.load(from, 0), c01 = v128.load(from, 16), c02 = v128.load(second, 0), c03 = v128.load(second, 16);
    let c10 = v128.load(from, 32), c11 = v128.load(from, 48), c12 = v128.load(second, 32), c13 = v128.load(second, 48);
    let c20 = v128.load(from, 64), c21 = v128.load(from, 80), c22 = v128.load(second, 64), c23 = v128.load(second, 80);
    let c30 = v128.load(from, 96), c31 = v128.load(from, 112), c32 = v128.load(second, 96), c33 = v128.load(second, 112);
    let left = k, v = w, f = off;
    for (;;) {
      let o = <usize>load<u32>(f);
      let b0 = v128.load(x0 + o), b1 = v128.load(x0 + o, 16);
      let b2 = v128.load(x1 + o), b3 = v128.load(x1 + o, 16);
      let s = v128.load32_splat(v, 0);
      c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      c02 = fma(s, b2, c02); c03 = fma(s, b3, c03);
      s = v128.load32_splat(v, 4);
      c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      c12 = fma(s, b2, c12); c13 = fma(s, b3, c13);
      s = v128.load32_splat(v, 8);
      c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      c22 = fma(s, b2, c22); c23 = fma(s, b3, c23);
      s = v128.load32_splat(v, 12);
      c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      c32 = fma(s, b2, c32); c33 = fma(s, b3, c33);
      if (left == 1) break;
      o = <usize>load<u32>(f, 4);
      b0 = v128.load(x0 + o); b1 = v128.load(x0 + o, 16);
      b2 = v128.load(x1 + o); b3 = v128.load(x1 + o, 16);
      s = v128.load32_splat(v, 16);
      c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      c02 = fma(s, b2, c02); c03 = fma(s, b3, c03);
      s = v128.load32_splat(v, 20);
      c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      c12 = fma(s, b2, c12); c13 = fma(s, b3, c13);
      s = v128.load32_splat(v, 24);
      c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      c22 = fma(s, b2, c22); c23 = fma(s, b3, c23);
      s = v128.load32_splat(v, 28);
      c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      c32 = fma(s, b2, c32); c33 = fma(s, b3, c33);
      left -= 2;
      if (left == 0) break;
      v += 32;
      f += 8;
    }
    let y0 = y + at(yBase, 0), y1 = y + at(yBase, 2);
    v128.store(y0, c00); v128.store(y0, c01, 16);
    v128.store(y1, c02); v128.store(y1, c03, 16);
    y0 += row; y1 += row;
    v128.store(y0, c10); v128.store(y0, c11, 16);
    v128.store(y1, c12); v128.store(y1, c13, 16);
    y0 += row; y1 += row;
    v128.store(y0, c20); v128.store(y0, c21, 16);
    v128.store(y1, c22); v128.store(y1, c23, 16);
    y0 += row; y1 += row;
    if (last) {
      v128.store(y0, c30); v128.store(y0, c31, 16);
      v128.store(y1, c32); v128.store(y1, c33, 16);
    }
    base += 16;
    yBase += 16;
    from += 2 * fromStep;
  }
}

/** As gather2, for such groups; `groups` is a multiple of 8. */
export function gather2wide(
  w: usize, off: usize, k: i32, x: usize, base: usize, from: usize, y: usize, yBase: usize, row: usize,
  last: i32, groups: i32,
): void {
  for (; groups > 0; groups -= 8) {
    const x0 = x + at(base, 0), x1 = x + at(base, 2), x2 = x + at(base, 4), x3 = x + at(base, 6);
    // A row's bias stands four times from each of its two places on.
    let c00 = v128.load(from, 0), c01 = v128.load(from, 16), c02 = v128.load(from, 32), c03 = v128.load(from, 48);
    let c04 = v128.load(from, 0), c05 = v128.load(from, 16), c06 = v128.load(from, 32), c07 = v128.load(from, 48);
    let c10 = v128.load(from, 64), c11 = v128.load(from, 80), c12 = v128.load(from, 96), c13 = v128.load(from, 112);
    let c14 = v128.load(from, 64), c15 = v128.load(from, 80), c16 = v128.load(from, 96), c17 = v128.load(from, 112);
    let left = k, v = w, f = off;
    for (;;) {
      let o = <usize>load<u32>(f);
      let b0 = v128.load(x0 + o), b1 = v128.load(x0 + o, 16);
      let b2 = v128.load(x1 + o), b3 = v128.load(x1 + o, 16);
      let b4 = v128.load(x2 + o), b5 = v128.load(x2 + o, 16);
      let b6 = v128.load(x3 + o), b7 = v128.load(x3 + o, 16);
      let s = v128.load32_splat(v, 0);
      c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      c02 = fma(s, b2, c02); c03 = fma(s, b3, c03);
      c04 = fma(s, b4, c04); c05 = fma(s, b5, c05);
      c06 = fma(s, b6, c06); c07 = fma(s, b7, c07);
      s = v128.load32_splat(v, 4);
      c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      c12 = fma(s, b2, c12); c13 = fma(s, b3, c13);
      c14 = fma(s, b4, c14); c15 = fma(s, b5, c15);
      c16 = fma(s, b6, c16); c17 = fma(s, b7, c17);
      if (left == 1) break;
      o = <usize>load<u32>(f, 4);
      b0 = v128.load(x0 + o); b1 = v128.load(x0 + o, 16);
      b2 = v128.load(x1 + o); b3 = v128.load(x1 + o, 16);
      b4 = v128.load(x2 + o); b5 = v128.load(x2 + o, 16);
      b6 = v128.load(x3 + o); b7 = v128.load(x3 + o, 16);
      s = v128.load32_splat(v, 8);
      c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      c02 = fma(s, b2, c02); c03 = fma(s, b3, c03);
      c04 = fma(s, b4, c04); c05 = fma(s, b5, c05);
      c06 = fma(s, b6, c06); c07 = fma(s, b7, c07);
      s = v128.load32_splat(v, 12);
      c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      c12 = fma(s, b2, c12); c13 = fma(s, b3, c13);
      c14 = fma(s, b4, c14); c15 = fma(s, b5, c15);
      c16 = fma(s, b6, c16); c17 = fma(s, b7, c17);
      left -= 2;
      if (left == 0) break;
      v += 16;
      f += 8;
    }
    let y0 = y + at(yBase, 0), y1 = y + at(yBase, 2), y2 = y + at(yBase, 4), y3 = y + at(yBase, 6);
    v128.store(y0, c00); v128.store(y0, c01, 16);
    v128.store(y1, c02); v128.store(y1, c03, 16);
    v128.store(y2, c04); v128.store(y2, c05, 16);
    v128.store(y3, c06); v128.store(y3, c07, 16);
    y0 += row; y1 += row; y2 += row; y3 += row;
    if (last) {
      v128.store(y0, c10); v128.store(y0, c11, 16);
      v128.store(y1, c12); v128.store(y1, c13, 16);
      v128.store(y2, c14); v128.store(y2, c15, 16);
      v128.store(y3, c16); v128.store(y3, c17, 16);
    }
    base += 32;
    yBase += 32;
  }
}

/**
 * As the loop of scatterRow5, for two channels: to `out`, [2][5][8], what five weights each, at w and at v, contribute to eight pixels.
 */
export function scatterRow5wide(w: usize, v: usize, y: usize, step: usize, count: i32, out: usize): void {
  const zero = f32x4.splat(0);
  let c00 = zero, c01 = zero;
  let c10 = zero, c11 = zero;
  let c20 = zero, c21 = zero;
  let c30 = zero, c31 = zero;
  let c40 = zero, c41 = zero;
  let d00 = zero, d01 = zero;
  let d10 = zero, d11 = zero;
  let d20 = zero, d21 = zero;
  let d30 = zero, d31 = zero;
  let d40 = zero, d41 = zero;
  for (;;) {
    let b0 = v128.load(y), b1 = v128.load(y, 16);
    let s = v128.load32_splat(w, 0); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load32_splat(w, 16); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load32_splat(w, 32); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    s = v128.load32_splat(w, 48); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    s = v128.load32_splat(w, 64); c40 = fma(s, b0, c40); c41 = fma(s, b1, c41);
    s = v128.load32_splat(v, 0); d00 = fma(s, b0, d00); d01 = fma(s, b1, d01);
    s = v128.load32_splat(v, 16); d10 = fma(s, b0, d10); d11 = fma(s, b1, d11);
    s = v128.load32_splat(v, 32); d20 = fma(s, b0, d20); d21 = fma(s, b1, d21);
    s = v128.load32_splat(v, 48); d30 = fma(s, b0, d30); d31 = fma(s, b1, d31);
    s = v128.load32_splat(v, 64); d40 = fma(s, b0, d40); d41 = fma(s, b1, d41);
    if (count == 1) break;
    y += step;
    b0 = v128.load(y); b1 = v128.load(y, 16);
    s = v128.load32_splat(w, 80); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load32_splat(w, 96); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load32_splat(w, 112); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    s = v128.load32_splat(w, 128); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    s = v128.load32_splat(w, 144); c40 = fma(s, b0, c40); c41 = fma(s, b1, c41);
    s = v128.load32_splat(v, 80); d00 = fma(s, b0, d00); d01 = fma(s, b1, d01);
    s = v128.load32_splat(v, 96); d10 = fma(s, b0, d10); d11 = fma(s, b1, d11);
    s = v128.load32_splat(v, 112); d20 = fma(s, b0, d20); d21 = fma(s, b1, d21);
    s = v128.load32_splat(v, 128); d30 = fma(s, b0, d30); d31 = fma(s, b1, d31);
    s = v128.load32_splat(v, 144); d40 = fma(s, b0, d40); d41 = fma(s, b1, d41);
    count -= 2;
    if (count == 0) break;
    y += step;
    w += 160;
    v += 160;
  }
  v128.store(out, c00, 0); v128.store(out, c01, 16);
  v128.store(out, c10, 32); v128.store(out, c11, 48);
  v128.store(out, c20, 64); v128.store(out, c21, 80);
  v128.store(out, c30, 96); v128.store(out, c31, 112);
  v128.store(out, c40, 128); v128.store(out, c41, 144);
  v128.store(out, d00, 160); v128.store(out, d01, 176);
  v128.store(out, d10, 192); v128.store(out, d11, 208);
  v128.store(out, d20, 224); v128.store(out, d21, 240);
  v128.store(out, d30, 256); v128.store(out, d31, 272);
  v128.store(out, d40, 288); v128.store(out, d41, 304);
}

/**
 * As outer2by5 of outer5.as.ts, to `out`, [2][5][8]: the first and the second groups of pairs are summed by themselves. An even
 * number of groups.
 */
export function outer2by5wide(y: usize, row: usize, places: usize, x: usize, bases: usize, count: i32, out: usize): void {
  const zero = f32x4.splat(0);
  let c000 = zero, c001 = zero;
  let c010 = zero, c011 = zero;
  let c020 = zero, c021 = zero;
  let c030 = zero, c031 = zero;
  let c040 = zero, c041 = zero;
  let c100 = zero, c101 = zero;
  let c110 = zero, c111 = zero;
  let c120 = zero, c121 = zero;
  let c130 = zero, c131 = zero;
  let c140 = zero, c141 = zero;
  // The fifth weight meets the pixels from an address of its own: what is read twice from one address is read once, and belongs to one pair.
  const fifth = x + 16;
  for (;;) {
    const o = <usize>load<u32>(bases), p = x + o, e = fifth + o, q = y + <usize>load<u32>(places), r = q + row;
    const s0 = v128.load(q), s1 = v128.load(q, 16), t0 = v128.load(r), t1 = v128.load(r, 16);
    let b0 = v128.load(p), b1 = v128.load(p, 16);
    c000 = fma(s0, b0, c000); c001 = fma(s1, b1, c001); c100 = fma(t0, b0, c100); c101 = fma(t1, b1, c101);
    b0 = v128.load(p, 4); b1 = v128.load(p, 20);
    c010 = fma(s0, b0, c010); c011 = fma(s1, b1, c011); c110 = fma(t0, b0, c110); c111 = fma(t1, b1, c111);
    b0 = v128.load(p, 8); b1 = v128.load(p, 24);
    c020 = fma(s0, b0, c020); c021 = fma(s1, b1, c021); c120 = fma(t0, b0, c120); c121 = fma(t1, b1, c121);
    b0 = v128.load(p, 12); b1 = v128.load(p, 28);
    c030 = fma(s0, b0, c030); c031 = fma(s1, b1, c031); c130 = fma(t0, b0, c130); c131 = fma(t1, b1, c131);
    b0 = v128.load(e); b1 = v128.load(e, 16);
    c040 = fma(s0, b0, c040); c041 = fma(s1, b1, c041); c140 = fma(t0, b0, c140); c141 = fma(t1, b1, c141);
    count -= 2;
    if (count == 0) break;
    bases += 8;
    places += 8;
  }
  v128.store(out, c000, 0); v128.store(out, c001, 16);
  v128.store(out, c010, 32); v128.store(out, c011, 48);
  v128.store(out, c020, 64); v128.store(out, c021, 80);
  v128.store(out, c030, 96); v128.store(out, c031, 112);
  v128.store(out, c040, 128); v128.store(out, c041, 144);
  v128.store(out, c100, 160); v128.store(out, c101, 176);
  v128.store(out, c110, 192); v128.store(out, c111, 208);
  v128.store(out, c120, 224); v128.store(out, c121, 240);
  v128.store(out, c130, 256); v128.store(out, c131, 272);
  v128.store(out, c140, 288); v128.store(out, c141, 304);
}

/**
 * 8 rows by 8 weights over `rows` rows of `width` pixels to `out`, [8 weights][8 rows], which is stored as outer8 of outer8.as.ts has it in
 * registers. y is packed as [pixel][8].
 */
export function outer8wide(y: usize, x: usize, off: usize, base: usize, rows: i32, width: i32, out: usize): void {
  const x0 = x + at(off, 0), x1 = x + at(off, 1), x2 = x + at(off, 2), x3 = x + at(off, 3);
  const x4 = x + at(off, 4), x5 = x + at(off, 5), x6 = x + at(off, 6), x7 = x + at(off, 7);
  const zero = f32x4.splat(0);
  let c00 = zero, c01 = zero;
  let c10 = zero, c11 = zero;
  let c20 = zero, c21 = zero;
  let c30 = zero, c31 = zero;
  let c40 = zero, c41 = zero;
  let c50 = zero, c51 = zero;
  let c60 = zero, c61 = zero;
  let c70 = zero, c71 = zero;
  for (;;) {
    const o = <usize>load<u32>(base);
    let p0 = x0 + o, p1 = x1 + o, p2 = x2 + o, p3 = x3 + o, p4 = x4 + o, p5 = x5 + o, p6 = x6 + o, p7 = x7 + o;
    let left = width;
    for (;;) {
      let b0 = v128.load(y), b1 = v128.load(y, 16);
      let s = v128.load32_splat(p0); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load32_splat(p1); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load32_splat(p2); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load32_splat(p3); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      s = v128.load32_splat(p4); c40 = fma(s, b0, c40); c41 = fma(s, b1, c41);
      s = v128.load32_splat(p5); c50 = fma(s, b0, c50); c51 = fma(s, b1, c51);
      s = v128.load32_splat(p6); c60 = fma(s, b0, c60); c61 = fma(s, b1, c61);
      s = v128.load32_splat(p7); c70 = fma(s, b0, c70); c71 = fma(s, b1, c71);
      if (left == 1) {
        y += 32;
        break;
      }
      b0 = v128.load(y, 32); b1 = v128.load(y, 48);
      s = v128.load32_splat(p0, 4); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load32_splat(p1, 4); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load32_splat(p2, 4); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load32_splat(p3, 4); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      s = v128.load32_splat(p4, 4); c40 = fma(s, b0, c40); c41 = fma(s, b1, c41);
      s = v128.load32_splat(p5, 4); c50 = fma(s, b0, c50); c51 = fma(s, b1, c51);
      s = v128.load32_splat(p6, 4); c60 = fma(s, b0, c60); c61 = fma(s, b1, c61);
      s = v128.load32_splat(p7, 4); c70 = fma(s, b0, c70); c71 = fma(s, b1, c71);
      if (left == 2) {
        y += 64;
        break;
      }
      b0 = v128.load(y, 64); b1 = v128.load(y, 80);
      s = v128.load32_splat(p0, 8); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load32_splat(p1, 8); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load32_splat(p2, 8); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load32_splat(p3, 8); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      s = v128.load32_splat(p4, 8); c40 = fma(s, b0, c40); c41 = fma(s, b1, c41);
      s = v128.load32_splat(p5, 8); c50 = fma(s, b0, c50); c51 = fma(s, b1, c51);
      s = v128.load32_splat(p6, 8); c60 = fma(s, b0, c60); c61 = fma(s, b1, c61);
      s = v128.load32_splat(p7, 8); c70 = fma(s, b0, c70); c71 = fma(s, b1, c71);
      if (left == 3) {
        y += 96;
        break;
      }
      b0 = v128.load(y, 96); b1 = v128.load(y, 112);
      s = v128.load32_splat(p0, 12); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load32_splat(p1, 12); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load32_splat(p2, 12); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load32_splat(p3, 12); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      s = v128.load32_splat(p4, 12); c40 = fma(s, b0, c40); c41 = fma(s, b1, c41);
      s = v128.load32_splat(p5, 12); c50 = fma(s, b0, c50); c51 = fma(s, b1, c51);
      s = v128.load32_splat(p6, 12); c60 = fma(s, b0, c60); c61 = fma(s, b1, c61);
      s = v128.load32_splat(p7, 12); c70 = fma(s, b0, c70); c71 = fma(s, b1, c71);
      if (left == 4) {
        y += 128;
        break;
      }
      b0 = v128.load(y, 128); b1 = v128.load(y, 144);
      s = v128.load32_splat(p0, 16); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load32_splat(p1, 16); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load32_splat(p2, 16); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load32_splat(p3, 16); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      s = v128.load32_splat(p4, 16); c40 = fma(s, b0, c40); c41 = fma(s, b1, c41);
      s = v128.load32_splat(p5, 16); c50 = fma(s, b0, c50); c51 = fma(s, b1, c51);
      s = v128.load32_splat(p6, 16); c60 = fma(s, b0, c60); c61 = fma(s, b1, c61);
      s = v128.load32_splat(p7, 16); c70 = fma(s, b0, c70); c71 = fma(s, b1, c71);
      if (left == 5) {
        y += 160;
        break;
      }
      b0 = v128.load(y, 160); b1 = v128.load(y, 176);
      s = v128.load32_splat(p0, 20); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load32_splat(p1, 20); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load32_splat(p2, 20); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load32_splat(p3, 20); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      s = v128.load32_splat(p4, 20); c40 = fma(s, b0, c40); c41 = fma(s, b1, c41);
      s = v128.load32_splat(p5, 20); c50 = fma(s, b0, c50); c51 = fma(s, b1, c51);
      s = v128.load32_splat(p6, 20); c60 = fma(s, b0, c60); c61 = fma(s, b1, c61);
      s = v128.load32_splat(p7, 20); c70 = fma(s, b0, c70); c71 = fma(s, b1, c71);
      if (left == 6) {
        y += 192;
        break;
      }
      b0 = v128.load(y, 192); b1 = v128.load(y, 208);
      s = v128.load32_splat(p0, 24); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load32_splat(p1, 24); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load32_splat(p2, 24); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load32_splat(p3, 24); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      s = v128.load32_splat(p4, 24); c40 = fma(s, b0, c40); c41 = fma(s, b1, c41);
      s = v128.load32_splat(p5, 24); c50 = fma(s, b0, c50); c51 = fma(s, b1, c51);
      s = v128.load32_splat(p6, 24); c60 = fma(s, b0, c60); c61 = fma(s, b1, c61);
      s = v128.load32_splat(p7, 24); c70 = fma(s, b0, c70); c71 = fma(s, b1, c71);
      y += 224;
      left -= 7;
      if (left == 0) break;
      p0 += 28; p1 += 28; p2 += 28; p3 += 28; p4 += 28; p5 += 28; p6 += 28; p7 += 28;
    }
    if (--rows == 0) break;
    base += 4;
  }
  v128.store(out, c00, 0); v128.store(out, c01, 16);
  v128.store(out, c10, 32); v128.store(out, c11, 48);
  v128.store(out, c20, 64); v128.store(out, c21, 80);
  v128.store(out, c30, 96); v128.store(out, c31, 112);
  v128.store(out, c40, 128); v128.store(out, c41, 144);
  v128.store(out, c50, 160); v128.store(out, c51, 176);
  v128.store(out, c60, 192); v128.store(out, c61, 208);
  v128.store(out, c70, 224); v128.store(out, c71, 240);
}
