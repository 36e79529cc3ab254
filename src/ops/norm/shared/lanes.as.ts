// Lanes of float32 in which blocks of two sums are made, side by side, and their way to float64. Where values that lie beside one
// another have lanes of their own from the beginning of a loop to its end, and are stored beside one another there, V8 can merge
// two vectors into one. What is left of a row that does not fill cache lines has others then.

import { twoF64 } from "../../../backend/wasm/simd.as";

/** Bytes of the lanes of two sums of a block, six vectors each. */
export const LANES: usize = 192;

/** Puts the lanes of one sum away: a pair of stores each for what lies beside one another, which V8 merges two vectors for. */
// @ts-ignore: decorator
@inline
export function storeLanes(at: usize, v0: v128, v1: v128, v2: v128, v3: v128, rest0: v128, rest1: v128): void {
  v128.store(at, v0);
  v128.store(at, v1, 16);
  v128.store(at, v2, 32);
  v128.store(at, v3, 48);
  v128.store(at, rest0, 64);
  v128.store(at, rest1, 80);
}

/** The sum of two or four vectors in two lanes of float64. */
// @ts-ignore: decorator
@inline
export function sumOfTwo(v0: v128, v1: v128): v128 {
  return f64x2.add(twoF64(v0), twoF64(v1));
}

// @ts-ignore: decorator
@inline
export function sumOfFour(v0: v128, v1: v128, v2: v128, v3: v128): v128 {
  return f64x2.add(sumOfTwo(v0, v1), sumOfTwo(v2, v3));
}

/** The sum of the lanes that were put away. */
// @ts-ignore: decorator
@inline
export function sumOfLanes(at: usize): v128 {
  const most = sumOfFour(v128.load(at), v128.load(at, 16), v128.load(at, 32), v128.load(at, 48));
  return f64x2.add(most, sumOfTwo(v128.load(at, 64), v128.load(at, 80)));
}
