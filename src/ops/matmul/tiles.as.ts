// The micro-kernel of matrix multiplication: 3 rows by 12 columns of C in nine registers. One step of k reads three
// vectors of B and one value of each row of A: 9 multiply-adds for 6 reads.
//
// What limits the loop is the instructions around the multiply-adds: an x86 core begins four of them in a cycle, of
// which two may be multiply-adds. So the loop is unrolled, B is packed, and the rows of A have a pointer each: a
// broadcast from address + constant is two instructions to V8, but three broadcasts with the same constant share one of
// them. An engine may move all reads of a stretch of code without branches ahead of its multiply-adds, so that what it
// reads and the sums must fit 15 registers together, which 9 + 6 do; that is why a `break` stands between the steps.
// Where a product needs a register before it is added, another, whose condition never holds, stands within a step. The
// function is exported so that it is not inlined where it is called: more values would be alive.
//
// Addresses start A_AHEAD and B_AHEAD early, and reads are so much further on: V8 then needs a register fewer for each
// pointer, and no jump crosses 32 bytes of code; see src/ops/conv/tiles.as.ts and `node scripts/jumps.mjs matmul_tile`.

import { fma } from "../../backend/wasm/simd.as";

/** Without a fused multiply-add a product needs a register of its own. */
const SPLIT = !ASC_FEATURE_RELAXED_SIMD;
const A_AHEAD: usize = 116;
const B_AHEAD: usize = 4;

/**
 * c[3, 12] = from[3, 12] + A B for k of at least 1, with A contiguous along k and B packed as [k][12]. Row strides in bytes:
 * `aRow` (0 to take one row three times), `fromStep` (0 to start all rows from one, such as the bias) and `ldc`.
 */
export function tile(
  a: usize, b: usize, aRow: usize, k: i32, from: usize, fromStep: usize, c: usize, ldc: usize,
): void {
  let a0 = a - A_AHEAD, a1 = a0 + aRow, a2 = a1 + aRow;
  let c00 = v128.load(from), c01 = v128.load(from, 16), c02 = v128.load(from, 32); from += fromStep;
  let c10 = v128.load(from), c11 = v128.load(from, 16), c12 = v128.load(from, 32); from += fromStep;
  let c20 = v128.load(from), c21 = v128.load(from, 16), c22 = v128.load(from, 32);
  b -= B_AHEAD;
  for (;;) {
    let b0 = v128.load(b, B_AHEAD), b1 = v128.load(b, B_AHEAD + 16), b2 = v128.load(b, B_AHEAD + 32);
    let s = v128.load32_splat(a0, A_AHEAD); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01); c02 = fma(s, b2, c02);
    s = v128.load32_splat(a1, A_AHEAD); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11); c12 = fma(s, b2, c12);
    if (SPLIT && k == -1) break;
    s = v128.load32_splat(a2, A_AHEAD); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21); c22 = fma(s, b2, c22);
    if (k == 1) break;
    b0 = v128.load(b, B_AHEAD + 48); b1 = v128.load(b, B_AHEAD + 64); b2 = v128.load(b, B_AHEAD + 80);
    s = v128.load32_splat(a0, A_AHEAD + 4); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01); c02 = fma(s, b2, c02);
    s = v128.load32_splat(a1, A_AHEAD + 4); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11); c12 = fma(s, b2, c12);
    if (SPLIT && k == -1) break;
    s = v128.load32_splat(a2, A_AHEAD + 4); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21); c22 = fma(s, b2, c22);
    if (k == 2) break;
    b0 = v128.load(b, B_AHEAD + 96); b1 = v128.load(b, B_AHEAD + 112); b2 = v128.load(b, B_AHEAD + 128);
    s = v128.load32_splat(a0, A_AHEAD + 8); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01); c02 = fma(s, b2, c02);
    s = v128.load32_splat(a1, A_AHEAD + 8); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11); c12 = fma(s, b2, c12);
    if (SPLIT && k == -1) break;
    s = v128.load32_splat(a2, A_AHEAD + 8); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21); c22 = fma(s, b2, c22);
    if (k == 3) break;
    b0 = v128.load(b, B_AHEAD + 144); b1 = v128.load(b, B_AHEAD + 160); b2 = v128.load(b, B_AHEAD + 176);
    s = v128.load32_splat(a0, A_AHEAD + 12); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01); c02 = fma(s, b2, c02);
    s = v128.load32_splat(a1, A_AHEAD + 12); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11); c12 = fma(s, b2, c12);
    if (SPLIT && k == -1) break;
    s = v128.load32_splat(a2, A_AHEAD + 12); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21); c22 = fma(s, b2, c22);
    k -= 4;
    if (k == 0) break;
    a0 += 16;
    a1 += 16;
    a2 += 16;
    b += 192;
  }
  v128.store(c, c00); v128.store(c, c01, 16); v128.store(c, c02, 32); c += ldc;
  v128.store(c, c10); v128.store(c, c11, 16); v128.store(c, c12, 32); c += ldc;
  v128.store(c, c20); v128.store(c, c21, 16); v128.store(c, c22, 32);
}

/** As {@link tile}, 24 columns wide, of pairs of vectors that an engine may merge into one of 256 bits; see src/ops/conv/wide.as.ts. */
export function wideTile(
  a: usize, b: usize, aRow: usize, k: i32, from: usize, fromStep: usize, c: usize, ldc: usize,
): void {
  let a0 = a, a1 = a0 + aRow, a2 = a1 + aRow;
  let c00 = v128.load(from), c01 = v128.load(from, 16), c02 = v128.load(from, 32),
    c03 = v128.load(from, 48), c04 = v128.load(from, 64), c05 = v128.load(from, 80); from += fromStep;
  let c10 = v128.load(from), c11 = v128.load(from, 16), c12 = v128.load(from, 32),
    c13 = v128.load(from, 48), c14 = v128.load(from, 64), c15 = v128.load(from, 80); from += fromStep;
  let c20 = v128.load(from), c21 = v128.load(from, 16), c22 = v128.load(from, 32),
    c23 = v128.load(from, 48), c24 = v128.load(from, 64), c25 = v128.load(from, 80);
  for (;;) {
    let b0 = v128.load(b), b1 = v128.load(b, 16), b2 = v128.load(b, 32);
    let b3 = v128.load(b, 48), b4 = v128.load(b, 64), b5 = v128.load(b, 80);
    let s = v128.load32_splat(a0);
    c00 = fma(s, b0, c00); c01 = fma(s, b1, c01); c02 = fma(s, b2, c02);
    c03 = fma(s, b3, c03); c04 = fma(s, b4, c04); c05 = fma(s, b5, c05);
    s = v128.load32_splat(a1);
    c10 = fma(s, b0, c10); c11 = fma(s, b1, c11); c12 = fma(s, b2, c12);
    c13 = fma(s, b3, c13); c14 = fma(s, b4, c14); c15 = fma(s, b5, c15);
    s = v128.load32_splat(a2);
    c20 = fma(s, b0, c20); c21 = fma(s, b1, c21); c22 = fma(s, b2, c22);
    c23 = fma(s, b3, c23); c24 = fma(s, b4, c24); c25 = fma(s, b5, c25);
    if (k == 1) break;
    b0 = v128.load(b, 96); b1 = v128.load(b, 112); b2 = v128.load(b, 128);
    b3 = v128.load(b, 144); b4 = v128.load(b, 160); b5 = v128.load(b, 176);
    s = v128.load32_splat(a0, 4);
    c00 = fma(s, b0, c00); c01 = fma(s, b1, c01); c02 = fma(s, b2, c02);
    c03 = fma(s, b3, c03); c04 = fma(s, b4, c04); c05 = fma(s, b5, c05);
    s = v128.load32_splat(a1, 4);
    c10 = fma(s, b0, c10); c11 = fma(s, b1, c11); c12 = fma(s, b2, c12);
    c13 = fma(s, b3, c13); c14 = fma(s, b4, c14); c15 = fma(s, b5, c15);
    s = v128.load32_splat(a2, 4);
    c20 = fma(s, b0, c20); c21 = fma(s, b1, c21); c22 = fma(s, b2, c22);
    c23 = fma(s, b3, c23); c24 = fma(s, b4, c24); c25 = fma(s, b5, c25);
    if (k == 2) break;
    b0 = v128.load(b, 192); b1 = v128.load(b, 208); b2 = v128.load(b, 224);
    b3 = v128.load(b, 240); b4 = v128.load(b, 256); b5 = v128.load(b, 272);
    s = v128.load32_splat(a0, 8);
    c00 = fma(s, b0, c00); c01 = fma(s, b1, c01); c02 = fma(s, b2, c02);
    c03 = fma(s, b3, c03); c04 = fma(s, b4, c04); c05 = fma(s, b5, c05);
    s = v128.load32_splat(a1, 8);
    c10 = fma(s, b0, c10); c11 = fma(s, b1, c11); c12 = fma(s, b2, c12);
    c13 = fma(s, b3, c13); c14 = fma(s, b4, c14); c15 = fma(s, b5, c15);
    s = v128.load32_splat(a2, 8);
    c20 = fma(s, b0, c20); c21 = fma(s, b1, c21); c22 = fma(s, b2, c22);
    c23 = fma(s, b3, c23); c24 = fma(s, b4, c24); c25 = fma(s, b5, c25);
    if (k == 3) break;
    b0 = v128.load(b, 288); b1 = v128.load(b, 304); b2 = v128.load(b, 320);
    b3 = v128.load(b, 336); b4 = v128.load(b, 352); b5 = v128.load(b, 368);
    s = v128.load32_splat(a0, 12);
    c00 = fma(s, b0, c00); c01 = fma(s, b1, c01); c02 = fma(s, b2, c02);
    c03 = fma(s, b3, c03); c04 = fma(s, b4, c04); c05 = fma(s, b5, c05);
    s = v128.load32_splat(a1, 12);
    c10 = fma(s, b0, c10); c11 = fma(s, b1, c11); c12 = fma(s, b2, c12);
    c13 = fma(s, b3, c13); c14 = fma(s, b4, c14); c15 = fma(s, b5, c15);
    s = v128.load32_splat(a2, 12);
    c20 = fma(s, b0, c20); c21 = fma(s, b1, c21); c22 = fma(s, b2, c22);
    c23 = fma(s, b3, c23); c24 = fma(s, b4, c24); c25 = fma(s, b5, c25);
    k -= 4;
    if (k == 0) break;
    a0 += 16;
    a1 += 16;
    a2 += 16;
    b += 384;
  }
  v128.store(c, c00); v128.store(c, c01, 16); v128.store(c, c02, 32);
  v128.store(c, c03, 48); v128.store(c, c04, 64); v128.store(c, c05, 80); c += ldc;
  v128.store(c, c10); v128.store(c, c11, 16); v128.store(c, c12, 32);
  v128.store(c, c13, 48); v128.store(c, c14, 64); v128.store(c, c15, 80); c += ldc;
  v128.store(c, c20); v128.store(c, c21, 16); v128.store(c, c22, 32);
  v128.store(c, c23, 48); v128.store(c, c24, 64); v128.store(c, c25, 80);
}
