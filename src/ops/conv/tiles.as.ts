// The micro-kernels of convolution. A convolution is a product of matrices of which one is never
// written down: X[k, p], the input that weight k = (channel, row, column) meets at output pixel p,
// lies at off[k] + base[p] in the (padded) image. Pixels go in groups of four: four neighbors in a
// row, or one pixel of four images; `base` says where each group starts.
//
//   gather    y[m, p] = bias[m] + sum over k of w[m, k] x[off[k] + base[p]]
//   scatter   x[off[k] + base[p]] += sum over m of w[m, k] y[m, p]
//   outer     dw[m, k] += sum over p of y[m, p] x[off[k] + base[p]]
//
// Offsets, bases and steps are in bytes. As in matmul, twelve sums fill the registers, and the
// functions are exported so that they are not inlined where they are called.

import { fma, sumLanes } from "../../backend/wasm/simd.as";

// @ts-ignore: decorator
@inline
function at(table: usize, i: usize): usize {
  return <usize>load<u32>(table + (i << 2));
}

/** 6 rows by 2 groups. w is packed as [k][6]; group g goes to y + yBase[g]. The last row only if `last` is set. */
export function gather6(
  w: usize, off: usize, k: i32, x: usize, base: usize, bias: usize, y: usize, yBase: usize, row: usize, last: i32,
): void {
  const x0 = x + at(base, 0), x1 = x + at(base, 1);
  let c00 = v128.load32_splat(bias), c01 = c00;
  let c10 = v128.load32_splat(bias, 4), c11 = c10;
  let c20 = v128.load32_splat(bias, 8), c21 = c20;
  let c30 = v128.load32_splat(bias, 12), c31 = c30;
  let c40 = v128.load32_splat(bias, 16), c41 = c40;
  let c50 = v128.load32_splat(bias, 20), c51 = c50;
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
  const y0 = y + at(yBase, 0), y1 = y + at(yBase, 1);
  let r: usize = 0;
  v128.store(y0 + r, c00); v128.store(y1 + r, c01); r += row;
  v128.store(y0 + r, c10); v128.store(y1 + r, c11); r += row;
  v128.store(y0 + r, c20); v128.store(y1 + r, c21); r += row;
  v128.store(y0 + r, c30); v128.store(y1 + r, c31); r += row;
  v128.store(y0 + r, c40); v128.store(y1 + r, c41); r += row;
  if (!last) return;
  v128.store(y0 + r, c50); v128.store(y1 + r, c51);
}

/** 4 rows by 2 groups. w is packed as [k][4]; group g goes to y + yBase[g]. The last row only if `last` is set. */
export function gather4(
  w: usize, off: usize, k: i32, x: usize, base: usize, bias: usize, y: usize, yBase: usize, row: usize, last: i32,
): void {
  const x0 = x + at(base, 0), x1 = x + at(base, 1);
  let c00 = v128.load32_splat(bias), c01 = c00;
  let c10 = v128.load32_splat(bias, 4), c11 = c10;
  let c20 = v128.load32_splat(bias, 8), c21 = c20;
  let c30 = v128.load32_splat(bias, 12), c31 = c30;
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
  const y0 = y + at(yBase, 0), y1 = y + at(yBase, 1);
  let r: usize = 0;
  v128.store(y0 + r, c00); v128.store(y1 + r, c01); r += row;
  v128.store(y0 + r, c10); v128.store(y1 + r, c11); r += row;
  v128.store(y0 + r, c20); v128.store(y1 + r, c21); r += row;
  if (!last) return;
  v128.store(y0 + r, c30); v128.store(y1 + r, c31);
}

/** 2 rows by 4 groups. w is packed as [k][2]; group g goes to y + yBase[g]. The last row only if `last` is set. */
export function gather2(
  w: usize, off: usize, k: i32, x: usize, base: usize, bias: usize, y: usize, yBase: usize, row: usize, last: i32,
): void {
  const x0 = x + at(base, 0), x1 = x + at(base, 1), x2 = x + at(base, 2), x3 = x + at(base, 3);
  let c00 = v128.load32_splat(bias), c01 = c00, c02 = c00, c03 = c00;
  let c10 = v128.load32_splat(bias, 4), c11 = c10, c12 = c10, c13 = c10;
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
  const y0 = y + at(yBase, 0), y1 = y + at(yBase, 1), y2 = y + at(yBase, 2), y3 = y + at(yBase, 3);
  let r: usize = 0;
  v128.store(y0 + r, c00); v128.store(y1 + r, c01); v128.store(y2 + r, c02); v128.store(y3 + r, c03); r += row;
  if (!last) return;
  v128.store(y0 + r, c10); v128.store(y1 + r, c11); v128.store(y2 + r, c12); v128.store(y3 + r, c13);
}

// @ts-ignore: decorator
@inline
function add(to: usize, sum: v128): void {
  v128.store(to, f32x4.add(v128.load(to), sum));
}

/**
 * 6 weights, at off[0] to off[5], by 2 groups. w is packed as [m][6]; the groups of y are neighbors, its rows lie
 * `row` bytes apart.
 */
export function scatter6(w: usize, m: i32, y: usize, row: usize, off: usize, x: usize, base: usize): void {
  let c00 = f32x4.splat(0), c01 = c00;
  let c10 = f32x4.splat(0), c11 = c10;
  let c20 = f32x4.splat(0), c21 = c20;
  let c30 = f32x4.splat(0), c31 = c30;
  let c40 = f32x4.splat(0), c41 = c40;
  let c50 = f32x4.splat(0), c51 = c50;
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
  // First one group, then the other: where they overlap, the second must see what the first has added.
  let to = x + at(base, 0);
  add(to + at(off, 0), c00);
  add(to + at(off, 1), c10);
  add(to + at(off, 2), c20);
  add(to + at(off, 3), c30);
  add(to + at(off, 4), c40);
  add(to + at(off, 5), c50);
  to = x + at(base, 1);
  add(to + at(off, 0), c01);
  add(to + at(off, 1), c11);
  add(to + at(off, 2), c21);
  add(to + at(off, 3), c31);
  add(to + at(off, 4), c41);
  add(to + at(off, 5), c51);
}

// @ts-ignore: decorator
@inline
function addLanes(to: usize, sum: v128): void {
  store<f32>(to, load<f32>(to) + sumLanes(sum));
}

/**
 * 6 rows by 2 weights, over all pixels of `units` images. y is packed as [group][6][4]. From one image to the
 * next are `yUnit` and `xUnit` bytes; rows of dw lie `row` bytes apart, of which `rows` and `columns` exist.
 */
export function outer6(
  y: usize, yUnit: usize, x: usize, xUnit: usize, off: usize, bases: usize, groups: i32, units: i32,
  dw: usize, row: usize, rows: i32, columns: i32,
): void {
  let x0 = x + at(off, 0), x1 = x + at(off, 1);
  let c00 = f32x4.splat(0), c01 = c00;
  let c10 = f32x4.splat(0), c11 = c10;
  let c20 = f32x4.splat(0), c21 = c20;
  let c30 = f32x4.splat(0), c31 = c30;
  let c40 = f32x4.splat(0), c41 = c40;
  let c50 = f32x4.splat(0), c51 = c50;
  for (; units > 0; units--) {
    let from = y;
    let base = bases;
    for (let g = groups; g > 0; g--) {
      const o = <usize>load<u32>(base);
      const b0 = v128.load(x0 + o), b1 = v128.load(x1 + o);
      let s = v128.load(from); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load(from, 16); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load(from, 32); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load(from, 48); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      s = v128.load(from, 64); c40 = fma(s, b0, c40); c41 = fma(s, b1, c41);
      s = v128.load(from, 80); c50 = fma(s, b0, c50); c51 = fma(s, b1, c51);
      from += 96;
      base += 4;
    }
    y += yUnit;
    x0 += xUnit; x1 += xUnit;
  }
  addLanes(dw, c00); if (columns > 1) addLanes(dw + 4, c01); dw += row;
  addLanes(dw, c10); if (columns > 1) addLanes(dw + 4, c11); dw += row;
  addLanes(dw, c20); if (columns > 1) addLanes(dw + 4, c21); dw += row;
  addLanes(dw, c30); if (columns > 1) addLanes(dw + 4, c31); dw += row;
  addLanes(dw, c40); if (columns > 1) addLanes(dw + 4, c41); dw += row;
  if (rows < 6) return;
  addLanes(dw, c50); if (columns > 1) addLanes(dw + 4, c51);
}

/**
 * 4 rows by 2 weights, over all pixels of `units` images. y is packed as [group][4][4]. From one image to the
 * next are `yUnit` and `xUnit` bytes; rows of dw lie `row` bytes apart, of which `rows` and `columns` exist.
 */
export function outer4(
  y: usize, yUnit: usize, x: usize, xUnit: usize, off: usize, bases: usize, groups: i32, units: i32,
  dw: usize, row: usize, rows: i32, columns: i32,
): void {
  let x0 = x + at(off, 0), x1 = x + at(off, 1);
  let c00 = f32x4.splat(0), c01 = c00;
  let c10 = f32x4.splat(0), c11 = c10;
  let c20 = f32x4.splat(0), c21 = c20;
  let c30 = f32x4.splat(0), c31 = c30;
  for (; units > 0; units--) {
    let from = y;
    let base = bases;
    for (let g = groups; g > 0; g--) {
      const o = <usize>load<u32>(base);
      const b0 = v128.load(x0 + o), b1 = v128.load(x1 + o);
      let s = v128.load(from); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load(from, 16); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load(from, 32); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load(from, 48); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      from += 64;
      base += 4;
    }
    y += yUnit;
    x0 += xUnit; x1 += xUnit;
  }
  addLanes(dw, c00); if (columns > 1) addLanes(dw + 4, c01); dw += row;
  addLanes(dw, c10); if (columns > 1) addLanes(dw + 4, c11); dw += row;
  addLanes(dw, c20); if (columns > 1) addLanes(dw + 4, c21); dw += row;
  if (rows < 4) return;
  addLanes(dw, c30); if (columns > 1) addLanes(dw + 4, c31);
}

/**
 * 2 rows by 4 weights, over all pixels of `units` images. y is packed as [group][2][4]. From one image to the
 * next are `yUnit` and `xUnit` bytes; rows of dw lie `row` bytes apart, of which `rows` and `columns` exist.
 */
export function outer2(
  y: usize, yUnit: usize, x: usize, xUnit: usize, off: usize, bases: usize, groups: i32, units: i32,
  dw: usize, row: usize, rows: i32, columns: i32,
): void {
  let x0 = x + at(off, 0), x1 = x + at(off, 1), x2 = x + at(off, 2), x3 = x + at(off, 3);
  let c00 = f32x4.splat(0), c01 = c00, c02 = c00, c03 = c00;
  let c10 = f32x4.splat(0), c11 = c10, c12 = c10, c13 = c10;
  for (; units > 0; units--) {
    let from = y;
    let base = bases;
    for (let g = groups; g > 0; g--) {
      const o = <usize>load<u32>(base);
      const b0 = v128.load(x0 + o), b1 = v128.load(x1 + o);
      const b2 = v128.load(x2 + o), b3 = v128.load(x3 + o);
      let s = v128.load(from);
      c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      c02 = fma(s, b2, c02); c03 = fma(s, b3, c03);
      s = v128.load(from, 16);
      c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      c12 = fma(s, b2, c12); c13 = fma(s, b3, c13);
      from += 32;
      base += 4;
    }
    y += yUnit;
    x0 += xUnit; x1 += xUnit; x2 += xUnit; x3 += xUnit;
  }
  addLanes(dw, c00); if (columns > 1) addLanes(dw + 4, c01);
  if (columns > 2) addLanes(dw + 8, c02); if (columns > 3) addLanes(dw + 12, c03); dw += row;
  if (rows < 2) return;
  addLanes(dw, c10); if (columns > 1) addLanes(dw + 4, c11);
  if (columns > 2) addLanes(dw + 8, c12); if (columns > 3) addLanes(dw + 12, c13);
}
