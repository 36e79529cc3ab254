// The gradient of a convolution's weights with outputs as the lanes: eight rows of dw by four weights. Where a row of pixels is
// no multiple of eight, pixels as the lanes (outer.as.ts) leave some empty, an eighth of 7 or 14, and the lanes of each sum have
// to be added up in the end. Here x is what is broadcast, one pixel at a time, and y has to be turned round.

import { fma, storeTransposed, sumLanesF64 } from "../../backend/wasm/simd.as";
import { field, Field, outStep } from "./images.as";
import { at } from "./tiles.as";
import { outer8wide } from "./wide.as";

/** Pixels, of four rows, that are summed in float32 before the sums are added to float64. */
const STRIP: i32 = 256;

/**
 * 8 rows by 4 weights over `rows` rows of `width` pixels, which start in the image at `base`, to `out`, [8][4]. y is packed as
 * [pixel][8]. See tiles.as.ts for the breaks and the 128.
 */
export function outer8(y: usize, x: usize, off: usize, base: usize, rows: i32, width: i32, out: usize): void {
  const x0 = x + at(off, 0), x1 = x + at(off, 1), x2 = x + at(off, 2), x3 = x + at(off, 3);
  const zero = f32x4.splat(0);
  let c00 = zero, c01 = zero;
  let c10 = zero, c11 = zero;
  let c20 = zero, c21 = zero;
  let c30 = zero, c31 = zero;
  y -= 128;
  for (;;) {
    const o = <usize>load<u32>(base);
    let p0 = x0 + o, p1 = x1 + o, p2 = x2 + o, p3 = x3 + o;
    let left = width;
    for (;;) {
      let b0 = v128.load(y, 128), b1 = v128.load(y, 144);
      let s = v128.load32_splat(p0); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load32_splat(p1); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load32_splat(p2); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load32_splat(p3); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      if (left == 1) {
        y += 32;
        break;
      }
      b0 = v128.load(y, 160); b1 = v128.load(y, 176);
      s = v128.load32_splat(p0, 4); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load32_splat(p1, 4); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load32_splat(p2, 4); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load32_splat(p3, 4); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      if (left == 2) {
        y += 64;
        break;
      }
      b0 = v128.load(y, 192); b1 = v128.load(y, 208);
      s = v128.load32_splat(p0, 8); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load32_splat(p1, 8); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load32_splat(p2, 8); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load32_splat(p3, 8); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      if (left == 3) {
        y += 96;
        break;
      }
      b0 = v128.load(y, 224); b1 = v128.load(y, 240);
      s = v128.load32_splat(p0, 12); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load32_splat(p1, 12); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load32_splat(p2, 12); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load32_splat(p3, 12); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      if (left == 4) {
        y += 128;
        break;
      }
      b0 = v128.load(y, 256); b1 = v128.load(y, 272);
      s = v128.load32_splat(p0, 16); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load32_splat(p1, 16); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load32_splat(p2, 16); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load32_splat(p3, 16); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      if (left == 5) {
        y += 160;
        break;
      }
      b0 = v128.load(y, 288); b1 = v128.load(y, 304);
      s = v128.load32_splat(p0, 20); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load32_splat(p1, 20); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load32_splat(p2, 20); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load32_splat(p3, 20); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      if (left == 6) {
        y += 192;
        break;
      }
      b0 = v128.load(y, 320); b1 = v128.load(y, 336);
      s = v128.load32_splat(p0, 24); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      s = v128.load32_splat(p1, 24); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
      s = v128.load32_splat(p2, 24); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
      s = v128.load32_splat(p3, 24); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      y += 224;
      left -= 7;
      if (left == 0) break;
      p0 += 28; p1 += 28; p2 += 28; p3 += 28;
    }
    if (--rows == 0) break;
    base += 4;
  }
  storeTransposed(c00, c10, c20, c30, out, 16);
  storeTransposed(c01, c11, c21, c31, out + 64, 16);
}

/** Four rows of `pixels` values to four lanes of [pixel][8]; what each sums up to is added to its float64 at `sums`, 0 for none. */
function turn4(y: usize, pixels: i32, to: usize, sums: usize): void {
  const row = <usize>pixels << 2;
  const y1 = y + row, y2 = y1 + row, y3 = y2 + row;
  const whole = pixels & ~3;
  for (let first = 0; first < whole; first += STRIP) {
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
    const end = <usize>min(whole, first + STRIP) << 2;
    for (let i = <usize>first << 2; i < end; i += 16, to += 128) {
      const a = v128.load(y + i), b = v128.load(y1 + i), c = v128.load(y2 + i), d = v128.load(y3 + i);
      storeTransposed(a, b, c, d, to, 32);
      s0 = f32x4.add(s0, a);
      s1 = f32x4.add(s1, b);
      s2 = f32x4.add(s2, c);
      s3 = f32x4.add(s3, d);
    }
    if (sums == 0) continue;
    store<f64>(sums, load<f64>(sums) + sumLanesF64(s0));
    store<f64>(sums, load<f64>(sums, 8) + sumLanesF64(s1), 8);
    store<f64>(sums, load<f64>(sums, 16) + sumLanesF64(s2), 16);
    store<f64>(sums, load<f64>(sums, 24) + sumLanesF64(s3), 24);
  }
  for (let i = <usize>whole << 2; i < row; i += 4, to += 32) {
    for (let r: usize = 0; r < 4; r++) {
      const value = load<f32>(y + r * row + i);
      store<f32>(to + (r << 2), value);
      if (sums != 0) store<f64>(sums + (r << 3), load<f64>(sums + (r << 3)) + <f64>value);
    }
  }
}

/** The rows [first, last) of one output as [pixel][8]; panels, `units`, u and `sums` as in packOutput of outer.as.ts. */
export function packOutput8(
  plan: usize, y: usize, n: i32, g: i32, first: i32, last: i32, u: i32, units: i32, to: usize, sums: usize,
): void {
  const outputs = field(plan, Field.outputs);
  const pixels = field(plan, Field.outHeight) * field(plan, Field.outWidth);
  const from = y + <usize>n * outStep(plan) + (<usize>(g * outputs) * <usize>pixels << 2);
  for (let r = first; r < last; r += 4) {
    const panel = (r - first) >> 3;
    const lanes = to + (<usize>((panel * units + u) * pixels) << 5) + <usize>((r & 4) << 2);
    turn4(from + (<usize>r * <usize>pixels << 2), pixels, lanes, sums == 0 ? 0 : sums + (<usize>(r - first) << 3));
  }
}

/** Where each row of pixels starts, in one image, then in the next, `step` bytes on, … */
export function repeatRows(plan: usize, bases: usize, images: i32, step: usize, to: usize): void {
  const outHeight = field(plan, Field.outHeight);
  const groups = <usize>((field(plan, Field.outWidth) + 3) >> 2) << 2;
  for (let i: usize = 0; i < <usize>images; i++) {
    for (let r: usize = 0; r < <usize>outHeight; r++, to += 4) store<u32>(to, load<u32>(bases + r * groups) + <u32>(i * step));
  }
}

/** Adds `columns` rows of eight at `tile` to as many columns at `dw`, whose rows lie `row` bytes apart. Behind the eight rows: 64 bytes of room. */
function addTurned(tile: usize, columns: i32, dw: usize, row: usize): void {
  const square = tile + 256;
  let j = 0;
  for (; j + 4 <= columns; j += 4, tile += 128, dw += 16) {
    for (let to = dw, from = tile; from < tile + 32; from += 16) {
      const a = v128.load(from), b = v128.load(from, 32), c = v128.load(from, 64), d = v128.load(from, 96);
      storeTransposed(a, b, c, d, square, 16);
      for (let i: usize = 0; i < 64; i += 16, to += row) v128.store(to, f32x4.add(v128.load(to), v128.load(square + i)));
    }
  }
  for (; j < columns; j++, tile += 32, dw += 4) {
    for (let r: usize = 0, to = dw; r < 32; r += 4, to += row) store<f32>(to, load<f32>(to) + load<f32>(tile + r));
  }
}

/** As multiplyOuter of outer.as.ts, over `rows` rows of pixels that start at `bases`. */
export function multiplyOuter8(
  plan: usize, packed: usize, image: usize, offsets: usize, bases: usize, rows: i32, first: i32, last: i32, dw: usize,
  tile: usize,
): void {
  const K = field(plan, Field.weights);
  const width = field(plan, Field.outWidth);
  const row = <usize>K << 2;
  for (let r = first; r < last; r += 8) {
    const y = packed + (<usize>((r - first) * rows * width) << 2);
    if (WIDE) {
      for (let k = 0; k < K; k += 8) {
        outer8wide(y, image, offsets + (<usize>k << 2), bases, rows, width, tile);
        addTurned(tile, min(8, K - k), dw + <usize>r * row + (<usize>k << 2), row);
      }
      continue;
    }
    for (let k = 0; k < K; k += 4) {
      outer8(y, image, offsets + (<usize>k << 2), bases, rows, width, tile);
      let to = dw + <usize>r * row + (<usize>k << 2);
      const columns = min(4, K - k);
      for (let i: usize = 0; i < 128; i += 16, to += row) {
        if (columns == 4) v128.store(to, f32x4.add(v128.load(to), v128.load(tile + i)));
        else {
          for (let j: usize = 0; j < <usize>columns << 2; j += 4) store<f32>(to + j, load<f32>(to + j) + load<f32>(tile + i + j));
        }
      }
    }
  }
}
