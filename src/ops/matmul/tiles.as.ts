// The micro-kernels of matrix multiplication: 6 rows by 8 columns of C in twelve registers. One
// step of k loads two vectors of B and broadcasts six values of A: 12 multiply-adds for 8 loads.
// Twelve sums, two operands and one broadcast are all the registers that x86-64 leaves an engine,
// so nothing here may hold one value more.
// Nor may anything else of these functions live across the loop, or the engine spills a sum into
// memory and the rate halves: they are exported, so that they are not inlined where they are called.

import { fma } from "../../backend/wasm/simd.as";

/**
 * c[6, 8] = from[6, 8] + A B, with A packed as [k][6]. Row strides in bytes: `fromStep` (0 to start
 * all rows from one, such as the bias), `ldc`, and `bStep` from one k to the next.
 */
export function tile_packed(
  a: usize, b: usize, bStep: usize, k: i32, from: usize, fromStep: usize, c: usize, ldc: usize,
): void {
  let c00 = v128.load(from), c01 = v128.load(from, 16); from += fromStep;
  let c10 = v128.load(from), c11 = v128.load(from, 16); from += fromStep;
  let c20 = v128.load(from), c21 = v128.load(from, 16); from += fromStep;
  let c30 = v128.load(from), c31 = v128.load(from, 16); from += fromStep;
  let c40 = v128.load(from), c41 = v128.load(from, 16); from += fromStep;
  let c50 = v128.load(from), c51 = v128.load(from, 16);
  for (; k > 0; k--) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    let s = v128.load32_splat(a); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load32_splat(a, 4); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load32_splat(a, 8); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    s = v128.load32_splat(a, 12); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    s = v128.load32_splat(a, 16); c40 = fma(s, b0, c40); c41 = fma(s, b1, c41);
    s = v128.load32_splat(a, 20); c50 = fma(s, b0, c50); c51 = fma(s, b1, c51);
    a += 24;
    b += bStep;
  }
  v128.store(c, c00); v128.store(c, c01, 16); c += ldc;
  v128.store(c, c10); v128.store(c, c11, 16); c += ldc;
  v128.store(c, c20); v128.store(c, c21, 16); c += ldc;
  v128.store(c, c30); v128.store(c, c31, 16); c += ldc;
  v128.store(c, c40); v128.store(c, c41, 16); c += ldc;
  v128.store(c, c50); v128.store(c, c51, 16);
}

/** The same with A read where it lies: six rows `aStep` bytes apart, each contiguous along k. */
export function tile_rows(
  a0: usize, aStep: usize, b: usize, bStep: usize, k: i32, from: usize, fromStep: usize, c: usize, ldc: usize,
): void {
  let a1 = a0 + aStep, a2 = a1 + aStep, a3 = a2 + aStep, a4 = a3 + aStep, a5 = a4 + aStep;
  let c00 = v128.load(from), c01 = v128.load(from, 16); from += fromStep;
  let c10 = v128.load(from), c11 = v128.load(from, 16); from += fromStep;
  let c20 = v128.load(from), c21 = v128.load(from, 16); from += fromStep;
  let c30 = v128.load(from), c31 = v128.load(from, 16); from += fromStep;
  let c40 = v128.load(from), c41 = v128.load(from, 16); from += fromStep;
  let c50 = v128.load(from), c51 = v128.load(from, 16);
  for (; k > 0; k--) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    let s = v128.load32_splat(a0); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load32_splat(a1); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load32_splat(a2); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    s = v128.load32_splat(a3); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    s = v128.load32_splat(a4); c40 = fma(s, b0, c40); c41 = fma(s, b1, c41);
    s = v128.load32_splat(a5); c50 = fma(s, b0, c50); c51 = fma(s, b1, c51);
    a0 += 4; a1 += 4; a2 += 4; a3 += 4; a4 += 4; a5 += 4;
    b += bStep;
  }
  v128.store(c, c00); v128.store(c, c01, 16); c += ldc;
  v128.store(c, c10); v128.store(c, c11, 16); c += ldc;
  v128.store(c, c20); v128.store(c, c21, 16); c += ldc;
  v128.store(c, c30); v128.store(c, c31, 16); c += ldc;
  v128.store(c, c40); v128.store(c, c41, 16); c += ldc;
  v128.store(c, c50); v128.store(c, c51, 16);
}
