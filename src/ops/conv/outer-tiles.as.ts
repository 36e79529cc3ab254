// The micro-kernels of convolution's gradient of the weights; see tiles.as.ts.

import { fma } from "../../backend/wasm/simd.as";
import { at } from "./tiles.as";

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
    if (count == 2) break;
    o = <usize>load<u32>(base, 8);
    b0 = v128.load(x0 + o); b1 = v128.load(x1 + o);
    s = v128.load(y, 128); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load(y, 144); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load(y, 160); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    s = v128.load(y, 176); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    if (count == 3) break;
    o = <usize>load<u32>(base, 12);
    b0 = v128.load(x0 + o); b1 = v128.load(x1 + o);
    s = v128.load(y, 192); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load(y, 208); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load(y, 224); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    s = v128.load(y, 240); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    count -= 4;
    if (count == 0) break;
    y += 256;
    base += 16;
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
  let c00 = zero, c01 = zero;
  let c02 = zero, c03 = zero;
  let c10 = zero, c11 = zero;
  let c12 = zero, c13 = zero;
  for (;;) {
    let o = <usize>load<u32>(base);
    let b0 = v128.load(x0 + o), b1 = v128.load(x1 + o);
    let b2 = v128.load(x2 + o), b3 = v128.load(x3 + o);
    let s = v128.load(y); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    c02 = fma(s, b2, c02); c03 = fma(s, b3, c03);
    s = v128.load(y, 16); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    c12 = fma(s, b2, c12); c13 = fma(s, b3, c13);
    if (count == 1) break;
    o = <usize>load<u32>(base, 4);
    b0 = v128.load(x0 + o); b1 = v128.load(x1 + o);
    b2 = v128.load(x2 + o); b3 = v128.load(x3 + o);
    s = v128.load(y, 32); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    c02 = fma(s, b2, c02); c03 = fma(s, b3, c03);
    s = v128.load(y, 48); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    c12 = fma(s, b2, c12); c13 = fma(s, b3, c13);
    if (count == 2) break;
    o = <usize>load<u32>(base, 8);
    b0 = v128.load(x0 + o); b1 = v128.load(x1 + o);
    b2 = v128.load(x2 + o); b3 = v128.load(x3 + o);
    s = v128.load(y, 64); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    c02 = fma(s, b2, c02); c03 = fma(s, b3, c03);
    s = v128.load(y, 80); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    c12 = fma(s, b2, c12); c13 = fma(s, b3, c13);
    if (count == 3) break;
    o = <usize>load<u32>(base, 12);
    b0 = v128.load(x0 + o); b1 = v128.load(x1 + o);
    b2 = v128.load(x2 + o); b3 = v128.load(x3 + o);
    s = v128.load(y, 96); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    c02 = fma(s, b2, c02); c03 = fma(s, b3, c03);
    s = v128.load(y, 112); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    c12 = fma(s, b2, c12); c13 = fma(s, b3, c13);
    count -= 4;
    if (count == 0) break;
    y += 128;
    base += 16;
  }
  v128.store(out, c00); v128.store(out, c01, 16);
  v128.store(out, c02, 32); v128.store(out, c03, 48);
  v128.store(out, c10, 64); v128.store(out, c11, 80);
  v128.store(out, c12, 96); v128.store(out, c13, 112);
}

/** outer4 where groups come in pairs, the second four pixels behind the first: one look into the table for two. */
export function outer4pairs(y: usize, x: usize, off: usize, base: usize, count: i32, out: usize): void {
  const x0 = x + at(off, 0), x1 = x + at(off, 1);
  const zero = f32x4.splat(0);
  let c00 = zero, c01 = zero;
  let c10 = zero, c11 = zero;
  let c20 = zero, c21 = zero;
  let c30 = zero, c31 = zero;
  y -= 64;
  for (;;) {
    let o = <usize>load<u32>(base);
    let p0 = x0 + o, p1 = x1 + o;
    let b0 = v128.load(p0), b1 = v128.load(p1);
    let s = v128.load(y, 64); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load(y, 80); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load(y, 96); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    s = v128.load(y, 112); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    if (count == -1) break;
    b0 = v128.load(p0, 16); b1 = v128.load(p1, 16);
    s = v128.load(y, 128); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load(y, 144); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load(y, 160); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    s = v128.load(y, 176); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    if (count == 2) break;
    o = <usize>load<u32>(base, 8);
    p0 = x0 + o; p1 = x1 + o;
    b0 = v128.load(p0); b1 = v128.load(p1);
    s = v128.load(y, 192); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load(y, 208); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load(y, 224); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    s = v128.load(y, 240); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    if (count == -3) break;
    b0 = v128.load(p0, 16); b1 = v128.load(p1, 16);
    s = v128.load(y, 256); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load(y, 272); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load(y, 288); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    s = v128.load(y, 304); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    if (count == 4) break;
    o = <usize>load<u32>(base, 16);
    p0 = x0 + o; p1 = x1 + o;
    b0 = v128.load(p0); b1 = v128.load(p1);
    s = v128.load(y, 320); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load(y, 336); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load(y, 352); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    s = v128.load(y, 368); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    if (count == -5) break;
    b0 = v128.load(p0, 16); b1 = v128.load(p1, 16);
    s = v128.load(y, 384); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load(y, 400); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load(y, 416); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    s = v128.load(y, 432); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    count -= 6;
    if (count == 0) break;
    y += 384;
    base += 24;
  }
  v128.store(out, c00); v128.store(out, c01, 16);
  v128.store(out, c10, 32); v128.store(out, c11, 48);
  v128.store(out, c20, 64); v128.store(out, c21, 80);
  v128.store(out, c30, 96); v128.store(out, c31, 112);
}

/** outer2 where they do. */
export function outer2pairs(y: usize, x: usize, off: usize, base: usize, count: i32, out: usize): void {
  const x0 = x + at(off, 0), x1 = x + at(off, 1);
  const x2 = x + at(off, 2), x3 = x + at(off, 3);
  const zero = f32x4.splat(0);
  let c00 = zero, c01 = zero;
  let c02 = zero, c03 = zero;
  let c10 = zero, c11 = zero;
  let c12 = zero, c13 = zero;
  for (;;) {
    let o = <usize>load<u32>(base);
    let p0 = x0 + o, p1 = x1 + o, p2 = x2 + o, p3 = x3 + o;
    let b0 = v128.load(p0), b1 = v128.load(p1);
    let b2 = v128.load(p2), b3 = v128.load(p3);
    let s = v128.load(y); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    c02 = fma(s, b2, c02); c03 = fma(s, b3, c03);
    s = v128.load(y, 16); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    c12 = fma(s, b2, c12); c13 = fma(s, b3, c13);
    if (count == -1) break;
    b0 = v128.load(p0, 16); b1 = v128.load(p1, 16);
    b2 = v128.load(p2, 16); b3 = v128.load(p3, 16);
    s = v128.load(y, 32); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    c02 = fma(s, b2, c02); c03 = fma(s, b3, c03);
    s = v128.load(y, 48); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    c12 = fma(s, b2, c12); c13 = fma(s, b3, c13);
    if (count == 2) break;
    o = <usize>load<u32>(base, 8);
    p0 = x0 + o; p1 = x1 + o; p2 = x2 + o; p3 = x3 + o;
    b0 = v128.load(p0); b1 = v128.load(p1);
    b2 = v128.load(p2); b3 = v128.load(p3);
    s = v128.load(y, 64); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    c02 = fma(s, b2, c02); c03 = fma(s, b3, c03);
    s = v128.load(y, 80); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    c12 = fma(s, b2, c12); c13 = fma(s, b3, c13);
    if (count == -3) break;
    b0 = v128.load(p0, 16); b1 = v128.load(p1, 16);
    b2 = v128.load(p2, 16); b3 = v128.load(p3, 16);
    s = v128.load(y, 96); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    c02 = fma(s, b2, c02); c03 = fma(s, b3, c03);
    s = v128.load(y, 112); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    c12 = fma(s, b2, c12); c13 = fma(s, b3, c13);
    if (count == 4) break;
    o = <usize>load<u32>(base, 16);
    p0 = x0 + o; p1 = x1 + o; p2 = x2 + o; p3 = x3 + o;
    b0 = v128.load(p0); b1 = v128.load(p1);
    b2 = v128.load(p2); b3 = v128.load(p3);
    s = v128.load(y, 128); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    c02 = fma(s, b2, c02); c03 = fma(s, b3, c03);
    s = v128.load(y, 144); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    c12 = fma(s, b2, c12); c13 = fma(s, b3, c13);
    if (count == -5) break;
    b0 = v128.load(p0, 16); b1 = v128.load(p1, 16);
    b2 = v128.load(p2, 16); b3 = v128.load(p3, 16);
    s = v128.load(y, 160); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    c02 = fma(s, b2, c02); c03 = fma(s, b3, c03);
    s = v128.load(y, 176); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    c12 = fma(s, b2, c12); c13 = fma(s, b3, c13);
    if (count == 6) break;
    o = <usize>load<u32>(base, 24);
    p0 = x0 + o; p1 = x1 + o; p2 = x2 + o; p3 = x3 + o;
    b0 = v128.load(p0); b1 = v128.load(p1);
    b2 = v128.load(p2); b3 = v128.load(p3);
    s = v128.load(y, 192); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    c02 = fma(s, b2, c02); c03 = fma(s, b3, c03);
    s = v128.load(y, 208); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    c12 = fma(s, b2, c12); c13 = fma(s, b3, c13);
    if (count == -7) break;
    b0 = v128.load(p0, 16); b1 = v128.load(p1, 16);
    b2 = v128.load(p2, 16); b3 = v128.load(p3, 16);
    s = v128.load(y, 224); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    c02 = fma(s, b2, c02); c03 = fma(s, b3, c03);
    s = v128.load(y, 240); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    c12 = fma(s, b2, c12); c13 = fma(s, b3, c13);
    count -= 8;
    if (count == 0) break;
    y += 256;
    base += 32;
  }
  v128.store(out, c00); v128.store(out, c01, 16);
  v128.store(out, c02, 32); v128.store(out, c03, 48);
  v128.store(out, c10, 64); v128.store(out, c11, 80);
  v128.store(out, c12, 96); v128.store(out, c13, 112);
}

/** 3 rows by 3 weights over `count` groups, to `out`, [3][3][4]. y is packed as [group][3][4]. */
export function outer3(y: usize, x: usize, off: usize, base: usize, count: i32, out: usize): void {
  const x0 = x + at(off, 0), x1 = x + at(off, 1), x2 = x + at(off, 2);
  const zero = f32x4.splat(0);
  let c00 = zero, c01 = zero, c02 = zero;
  let c10 = zero, c11 = zero, c12 = zero;
  let c20 = zero, c21 = zero, c22 = zero;
  y -= 128;
  for (;;) {
    let o = <usize>load<u32>(base);
    let b0 = v128.load(x0 + o), b1 = v128.load(x1 + o), b2 = v128.load(x2 + o);
    let s = v128.load(y, 128); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01); c02 = fma(s, b2, c02);
    s = v128.load(y, 144); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11); c12 = fma(s, b2, c12);
    s = v128.load(y, 160); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21); c22 = fma(s, b2, c22);
    if (count == 1) break;
    o = <usize>load<u32>(base, 4);
    b0 = v128.load(x0 + o); b1 = v128.load(x1 + o); b2 = v128.load(x2 + o);
    s = v128.load(y, 176); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01); c02 = fma(s, b2, c02);
    s = v128.load(y, 192); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11); c12 = fma(s, b2, c12);
    s = v128.load(y, 208); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21); c22 = fma(s, b2, c22);
    if (count == 2) break;
    o = <usize>load<u32>(base, 8);
    b0 = v128.load(x0 + o); b1 = v128.load(x1 + o); b2 = v128.load(x2 + o);
    s = v128.load(y, 224); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01); c02 = fma(s, b2, c02);
    s = v128.load(y, 240); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11); c12 = fma(s, b2, c12);
    s = v128.load(y, 256); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21); c22 = fma(s, b2, c22);
    if (count == 3) break;
    o = <usize>load<u32>(base, 12);
    b0 = v128.load(x0 + o); b1 = v128.load(x1 + o); b2 = v128.load(x2 + o);
    s = v128.load(y, 272); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01); c02 = fma(s, b2, c02);
    s = v128.load(y, 288); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11); c12 = fma(s, b2, c12);
    s = v128.load(y, 304); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21); c22 = fma(s, b2, c22);
    if (count == 4) break;
    o = <usize>load<u32>(base, 16);
    b0 = v128.load(x0 + o); b1 = v128.load(x1 + o); b2 = v128.load(x2 + o);
    s = v128.load(y, 320); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01); c02 = fma(s, b2, c02);
    s = v128.load(y, 336); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11); c12 = fma(s, b2, c12);
    s = v128.load(y, 352); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21); c22 = fma(s, b2, c22);
    if (count == 5) break;
    o = <usize>load<u32>(base, 20);
    b0 = v128.load(x0 + o); b1 = v128.load(x1 + o); b2 = v128.load(x2 + o);
    s = v128.load(y, 368); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01); c02 = fma(s, b2, c02);
    s = v128.load(y, 384); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11); c12 = fma(s, b2, c12);
    s = v128.load(y, 400); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21); c22 = fma(s, b2, c22);
    count -= 6;
    if (count == 0) break;
    y += 288;
    base += 24;
  }
  v128.store(out, c00); v128.store(out, c01, 16); v128.store(out, c02, 32);
  v128.store(out, c10, 48); v128.store(out, c11, 64); v128.store(out, c12, 80);
  v128.store(out, c20, 96); v128.store(out, c21, 112); v128.store(out, c22, 128);
}

/** outer3 where they do. */
export function outer3pairs(y: usize, x: usize, off: usize, base: usize, count: i32, out: usize): void {
  const x0 = x + at(off, 0), x1 = x + at(off, 1), x2 = x + at(off, 2);
  const zero = f32x4.splat(0);
  let c00 = zero, c01 = zero, c02 = zero;
  let c10 = zero, c11 = zero, c12 = zero;
  let c20 = zero, c21 = zero, c22 = zero;
  y -= 128;
  for (;;) {
    let o = <usize>load<u32>(base);
    let p0 = x0 + o, p1 = x1 + o, p2 = x2 + o;
    let b0 = v128.load(p0), b1 = v128.load(p1), b2 = v128.load(p2);
    let s = v128.load(y, 128); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01); c02 = fma(s, b2, c02);
    s = v128.load(y, 144); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11); c12 = fma(s, b2, c12);
    s = v128.load(y, 160); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21); c22 = fma(s, b2, c22);
    if (count == -1) break;
    b0 = v128.load(p0, 16); b1 = v128.load(p1, 16); b2 = v128.load(p2, 16);
    s = v128.load(y, 176); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01); c02 = fma(s, b2, c02);
    s = v128.load(y, 192); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11); c12 = fma(s, b2, c12);
    s = v128.load(y, 208); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21); c22 = fma(s, b2, c22);
    if (count == 2) break;
    o = <usize>load<u32>(base, 8);
    p0 = x0 + o; p1 = x1 + o; p2 = x2 + o;
    b0 = v128.load(p0); b1 = v128.load(p1); b2 = v128.load(p2);
    s = v128.load(y, 224); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01); c02 = fma(s, b2, c02);
    s = v128.load(y, 240); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11); c12 = fma(s, b2, c12);
    s = v128.load(y, 256); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21); c22 = fma(s, b2, c22);
    if (count == -3) break;
    b0 = v128.load(p0, 16); b1 = v128.load(p1, 16); b2 = v128.load(p2, 16);
    s = v128.load(y, 272); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01); c02 = fma(s, b2, c02);
    s = v128.load(y, 288); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11); c12 = fma(s, b2, c12);
    s = v128.load(y, 304); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21); c22 = fma(s, b2, c22);
    if (count == 4) break;
    o = <usize>load<u32>(base, 16);
    p0 = x0 + o; p1 = x1 + o; p2 = x2 + o;
    b0 = v128.load(p0); b1 = v128.load(p1); b2 = v128.load(p2);
    s = v128.load(y, 320); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01); c02 = fma(s, b2, c02);
    s = v128.load(y, 336); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11); c12 = fma(s, b2, c12);
    s = v128.load(y, 352); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21); c22 = fma(s, b2, c22);
    if (count == -5) break;
    b0 = v128.load(p0, 16); b1 = v128.load(p1, 16); b2 = v128.load(p2, 16);
    s = v128.load(y, 368); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01); c02 = fma(s, b2, c02);
    s = v128.load(y, 384); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11); c12 = fma(s, b2, c12);
    s = v128.load(y, 400); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21); c22 = fma(s, b2, c22);
    count -= 6;
    if (count == 0) break;
    y += 288;
    base += 24;
  }
  v128.store(out, c00); v128.store(out, c01, 16); v128.store(out, c02, 32);
  v128.store(out, c10, 48); v128.store(out, c11, 64); v128.store(out, c12, 80);
  v128.store(out, c20, 96); v128.store(out, c21, 112); v128.store(out, c22, 128);
}
