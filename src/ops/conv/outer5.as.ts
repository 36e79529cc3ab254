// The gradient of a convolution's weights where five that follow each other in a row meet pixels that do, and outputs come in
// rows of a multiple of eight: two outputs by five weights, of outputs as they stand in memory. See tiles.as.ts.

import { fma, sumLanes, sumLanesF64, sumLanesOf4 } from "../../backend/wasm/simd.as";
import { field, Field, outStep } from "./images.as";
import { at } from "./tiles.as";
import { outer2by5wide } from "./wide.as";

/**
 * Addresses start so many bytes early, and reads are so much further on: only one jump crosses 32 bytes of code then. Where none
 * does, the loop is a tenth longer, and 5% slower on a processor that does not mind; see tiles.as.ts.
 */
const X_AHEAD: usize = 4;
const TABLE_AHEAD: usize = 4;

/**
 * 2 rows by 5 weights over `count` groups of pixels, which come in pairs, to `out`, [2][5][4]. Rows of y lie `row` bytes apart;
 * `bases` says where each group is in the image, `places` where in y. Only the first of a pair is looked up.
 */
export function outer2by5(y: usize, row: usize, places: usize, x: usize, bases: usize, count: i32, out: usize): void {
  const zero = f32x4.splat(0);
  let c00 = zero, c01 = zero, c02 = zero, c03 = zero, c04 = zero;
  let c10 = zero, c11 = zero, c12 = zero, c13 = zero, c14 = zero;
  x -= X_AHEAD;
  bases -= TABLE_AHEAD;
  places -= TABLE_AHEAD;
  for (;;) {
    let p = x + <usize>load<u32>(bases, TABLE_AHEAD), q = y + <usize>load<u32>(places, TABLE_AHEAD), r = q + row;
    let s = v128.load(q), t = v128.load(r);
    let b = v128.load(p, X_AHEAD); c00 = fma(s, b, c00); c10 = fma(t, b, c10);
    b = v128.load(p, X_AHEAD + 4); c01 = fma(s, b, c01); c11 = fma(t, b, c11);
    b = v128.load(p, X_AHEAD + 8); c02 = fma(s, b, c02); c12 = fma(t, b, c12);
    if (count == -1) break;
    b = v128.load(p, X_AHEAD + 12); c03 = fma(s, b, c03); c13 = fma(t, b, c13);
    b = v128.load(p, X_AHEAD + 16); c04 = fma(s, b, c04); c14 = fma(t, b, c14);
    if (count == -2) break;
    s = v128.load(q, 16); t = v128.load(r, 16);
    b = v128.load(p, X_AHEAD + 16); c00 = fma(s, b, c00); c10 = fma(t, b, c10);
    b = v128.load(p, X_AHEAD + 20); c01 = fma(s, b, c01); c11 = fma(t, b, c11);
    b = v128.load(p, X_AHEAD + 24); c02 = fma(s, b, c02); c12 = fma(t, b, c12);
    if (count == -3) break;
    b = v128.load(p, X_AHEAD + 28); c03 = fma(s, b, c03); c13 = fma(t, b, c13);
    b = v128.load(p, X_AHEAD + 32); c04 = fma(s, b, c04); c14 = fma(t, b, c14);
    if (count == 2) break;
    p = x + <usize>load<u32>(bases, TABLE_AHEAD + 8); q = y + <usize>load<u32>(places, TABLE_AHEAD + 8); r = q + row;
    s = v128.load(q); t = v128.load(r);
    b = v128.load(p, X_AHEAD); c00 = fma(s, b, c00); c10 = fma(t, b, c10);
    b = v128.load(p, X_AHEAD + 4); c01 = fma(s, b, c01); c11 = fma(t, b, c11);
    b = v128.load(p, X_AHEAD + 8); c02 = fma(s, b, c02); c12 = fma(t, b, c12);
    if (count == -4) break;
    b = v128.load(p, X_AHEAD + 12); c03 = fma(s, b, c03); c13 = fma(t, b, c13);
    b = v128.load(p, X_AHEAD + 16); c04 = fma(s, b, c04); c14 = fma(t, b, c14);
    if (count == -5) break;
    s = v128.load(q, 16); t = v128.load(r, 16);
    b = v128.load(p, X_AHEAD + 16); c00 = fma(s, b, c00); c10 = fma(t, b, c10);
    b = v128.load(p, X_AHEAD + 20); c01 = fma(s, b, c01); c11 = fma(t, b, c11);
    b = v128.load(p, X_AHEAD + 24); c02 = fma(s, b, c02); c12 = fma(t, b, c12);
    if (count == -6) break;
    b = v128.load(p, X_AHEAD + 28); c03 = fma(s, b, c03); c13 = fma(t, b, c13);
    b = v128.load(p, X_AHEAD + 32); c04 = fma(s, b, c04); c14 = fma(t, b, c14);
    count -= 4;
    if (count == 0) break;
    bases += 16;
    places += 16;
  }
  v128.store(out, c00); v128.store(out, c01, 16); v128.store(out, c02, 32); v128.store(out, c03, 48); v128.store(out, c04, 64);
  out += 80;
  v128.store(out, c10); v128.store(out, c11, 16); v128.store(out, c12, 32); v128.store(out, c13, 48); v128.store(out, c14, 64);
}

/** As multiplyOuter of outer.as.ts, for `count` groups of pixels; y is the first image's outputs, as they stand in memory. */
export function multiplyOuter5(
  plan: usize, y: usize, places: usize, image: usize, offsets: usize, bases: usize, count: i32, first: i32, last: i32,
  dw: usize, tile: usize,
): void {
  const K = field(plan, Field.weights);
  const row = <usize>K << 2;
  const outRow = <usize>(field(plan, Field.outHeight) * field(plan, Field.outWidth)) << 2;
  for (let r = first; r < last; r += 2) {
    for (let k = 0; k < K; k += 5) {
      const values = y + <usize>r * outRow, pixels = image + at(offsets, k);
      if (WIDE) {
        outer2by5wide(values, outRow, places, pixels, bases, count, tile);
        // Sums of the first and of the second groups.
        for (let i: usize = 0; i < 160; i += 16) {
          v128.store(tile + i, f32x4.add(v128.load(tile + (i << 1)), v128.load(tile + (i << 1), 16)));
        }
      } else outer2by5(values, outRow, places, pixels, bases, count, tile);
      let to = dw + <usize>r * row + (<usize>k << 2);
      for (let i: usize = 0; i < 160; i += 80, to += row) {
        v128.store(to, f32x4.add(v128.load(to), sumLanesOf4(tile + i)));
        store<f32>(to, load<f32>(to, 16) + sumLanes(v128.load(tile + i, 64)), 16);
      }
    }
  }
}

/** What the rows [first, last) of one output sum up to is added to their float64 at `sums`. */
export function sumOutput(plan: usize, y: usize, n: i32, g: i32, first: i32, last: i32, sums: usize): void {
  const outputs = field(plan, Field.outputs);
  const row = <usize>(field(plan, Field.outHeight) * field(plan, Field.outWidth)) << 2;
  let from = y + <usize>n * outStep(plan) + <usize>(g * outputs + first) * row;
  for (let r = first; r < last; r++, sums += 8) {
    let s0 = f32x4.splat(0), s1 = s0;
    for (const end = from + row; from < end; from += 32) {
      s0 = f32x4.add(s0, v128.load(from));
      s1 = f32x4.add(s1, v128.load(from, 16));
    }
    store<f64>(sums, load<f64>(sums) + (sumLanesF64(s0) + sumLanesF64(s1)));
  }
}
