// Dropout. Whether an element stays is decided by Philox4x32-10 from its index, here and again in
// backward, so that no mask is stored.

import { entry, storeFirst } from "../../backend/wasm/simd.as";

/** Philox's two multipliers, and what its two keys grow by. */
const PHILOX: usize = memory.data<i32>([0xd2511f53, 0xcd9e8d57, 0x9e3779b9, 0xbb67ae85]);

/** The high halves of four 64-bit products. */
// @ts-ignore: decorator
@inline
function multiplyHigh(a: v128, b: v128): v128 {
  return i32x4.shuffle(i64x2.extmul_low_i32x4_u(a, b), i64x2.extmul_high_i32x4_u(a, b), 1, 3, 5, 7);
}

/** x scaled where the random word reaches the threshold, 0 elsewhere. */
// @ts-ignore: decorator
@inline
function keep4(x: v128, word: v128, threshold: v128, scale: v128): v128 {
  return v128.and(f32x4.mul(x, scale), i32x4.ge_u(word, threshold));
}

// @ts-ignore: decorator
@inline
function keepUpTo(x: usize, y: usize, i: i32, count: i32, word: v128, threshold: v128, scale: v128): void {
  const at = <usize>i << 2;
  const kept = keep4(v128.load(x + at), word, threshold, scale);
  if (count >= 4) v128.store(y + at, kept);
  else storeFirst(y + at, kept, count);
}

/**
 * y = x scale where word(i) >= threshold, 0 elsewhere. Sixteen elements take four Philox blocks, computed side by side:
 * element 16 g + 4 w + j takes word w of block 4 g + j, counted from (block0, block1). An item is such a group.
 */
export function dropout_apply(
  x: usize, y: usize, n: i32, threshold: f64, scale: f32, block0: f64, block1: f64,
  stream0: f64, stream1: f64, key0: f64, key1: f64, begin: i32, end: i32,
): void {
  const limit = i32x4.splat(<i32><u32>threshold);
  const factor = f32x4.splat(scale);
  const m0 = entry(PHILOX, 0);
  const m1 = entry(PHILOX, 1);
  const first = (<u64>block1 << 32) + <u64>block0;
  for (let group = begin; group < end; group++) {
    const block = first + (<u64>group << 2);
    // The low word may wrap within the group.
    let a = i32x4.add(i32x4.splat(<i32>block), i32x4(0, 1, 2, 3));
    const wrapped = i32x4.lt_u(a, i32x4.splat(<i32>block));
    let b = i32x4.sub(i32x4.splat(<i32>(block >> 32)), wrapped);
    let c = i32x4.splat(<i32><u32>stream0);
    let d = i32x4.splat(<i32><u32>stream1);
    let k0 = i32x4.splat(<i32><u32>key0);
    let k1 = i32x4.splat(<i32><u32>key1);
    for (let round = 0; round < 10; round++) {
      const high0 = multiplyHigh(m0, a);
      const high1 = multiplyHigh(m1, c);
      const low0 = i32x4.mul(m0, a);
      a = v128.xor(v128.xor(high1, b), k0);
      b = i32x4.mul(m1, c);
      c = v128.xor(v128.xor(high0, d), k1);
      d = low0;
      k0 = i32x4.add(k0, entry(PHILOX, 2));
      k1 = i32x4.add(k1, entry(PHILOX, 3));
    }
    const i = group << 4;
    keepUpTo(x, y, i, n - i, a, limit, factor);
    keepUpTo(x, y, i + 4, n - i - 4, b, limit, factor);
    keepUpTo(x, y, i + 8, n - i - 8, c, limit, factor);
    keepUpTo(x, y, i + 12, n - i - 12, d, limit, factor);
  }
}
