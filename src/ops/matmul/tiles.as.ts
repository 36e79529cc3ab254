// The micro-kernel of matrix multiplication: 4 rows by 8 columns of C in eight registers. One step of k reads two
// vectors of B and four of A, each of which holds one value four times: 8 multiply-adds for 6 reads.
//
// What limits the loop is not the multiply-adds but the instructions around them. A broadcast from address + constant
// is two to V8, a read is one, so A is packed broadcast, and the loop is unrolled. An engine may move all reads of a
// stretch of code without branches ahead of its multiply-adds, so that what it reads and the sums must fit 15 registers
// together; that is why a `break` stands between the steps, and why the tile is no larger. The function is exported so
// that it is not inlined where it is called: more values would be alive.

import { fma } from "../../backend/wasm/simd.as";

/**
 * c[4, 8] = from[4, 8] + A B, with A packed as [k][4], each value four times; k is at least 1. Row strides in bytes:
 * `fromStep` (0 to start all rows from one, such as the bias), `ldc`, and `bStep` from one k to the next.
 */
export function tile(
  a: usize, b: usize, bStep: usize, k: i32, from: usize, fromStep: usize, c: usize, ldc: usize,
): void {
  let c00 = v128.load(from), c01 = v128.load(from, 16); from += fromStep;
  let c10 = v128.load(from), c11 = v128.load(from, 16); from += fromStep;
  let c20 = v128.load(from), c21 = v128.load(from, 16); from += fromStep;
  let c30 = v128.load(from), c31 = v128.load(from, 16);
  for (;;) {
    let b0 = v128.load(b), b1 = v128.load(b, 16);
    let s = v128.load(a); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load(a, 16); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load(a, 32); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    s = v128.load(a, 48); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    b += bStep;
    if (k == 1) break;
    b0 = v128.load(b); b1 = v128.load(b, 16);
    s = v128.load(a, 64); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load(a, 80); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load(a, 96); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    s = v128.load(a, 112); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    b += bStep;
    if (k == 2) break;
    b0 = v128.load(b); b1 = v128.load(b, 16);
    s = v128.load(a, 128); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load(a, 144); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load(a, 160); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    s = v128.load(a, 176); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    b += bStep;
    if (k == 3) break;
    b0 = v128.load(b); b1 = v128.load(b, 16);
    s = v128.load(a, 192); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load(a, 208); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load(a, 224); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    s = v128.load(a, 240); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    b += bStep;
    k -= 4;
    if (k == 0) break;
    a += 256;
  }
  v128.store(c, c00); v128.store(c, c01, 16); c += ldc;
  v128.store(c, c10); v128.store(c, c11, 16); c += ldc;
  v128.store(c, c20); v128.store(c, c21, 16); c += ldc;
  v128.store(c, c30); v128.store(c, c31, 16);
}
