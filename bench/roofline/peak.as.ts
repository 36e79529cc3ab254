// What a core can do at most: multiply-adds with nothing else to wait for, and copying.

// @ts-ignore: decorator
@inline
function fma(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** Twelve independent chains, so that none waits for itself. A round is 96 operations. */
export function rounds(n: i32, x: f32): f32 {
  const a = f32x4.splat(x), b = f32x4.splat(x + x);
  let c0 = a, c1 = b, c2 = a, c3 = b, c4 = a, c5 = b, c6 = a, c7 = b, c8 = a, c9 = b, cA = a, cB = b;
  for (; n > 0; n--) {
    c0 = fma(a, b, c0); c1 = fma(a, b, c1); c2 = fma(a, b, c2); c3 = fma(a, b, c3);
    c4 = fma(a, b, c4); c5 = fma(a, b, c5); c6 = fma(a, b, c6); c7 = fma(a, b, c7);
    c8 = fma(a, b, c8); c9 = fma(a, b, c9); cA = fma(a, b, cA); cB = fma(a, b, cB);
  }
  c0 = f32x4.add(f32x4.add(f32x4.add(c0, c1), f32x4.add(c2, c3)), f32x4.add(f32x4.add(c4, c5), f32x4.add(c6, c7)));
  return f32x4.extract_lane(f32x4.add(c0, f32x4.add(f32x4.add(c8, c9), f32x4.add(cA, cB))), 0);
}

/** Copies `bytes`, a multiple of 64, `times` over, with the loads and stores that kernels have. */
export function copy(from: usize, to: usize, bytes: usize, times: i32): void {
  for (; times > 0; times--) {
    for (let i: usize = 0; i < bytes; i += 64) {
      const a = v128.load(from + i), b = v128.load(from + i, 16), c = v128.load(from + i, 32), d = v128.load(from + i, 48);
      v128.store(to + i, a);
      v128.store(to + i, b, 16);
      v128.store(to + i, c, 32);
      v128.store(to + i, d, 48);
    }
  }
}

/** The same by the engine's own copy. */
export function copyAtOnce(from: usize, to: usize, bytes: usize, times: i32): void {
  for (; times > 0; times--) memory.copy(to, from, bytes);
}
