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

/**
 * Twelve pairs of chains, which begin and end side by side at `at`, where V8 looks for pairs to make one vector of 256 bits of. A
 * round is 192 operations.
 */
export function pairedRounds(n: i32, x: f32, at: usize): void {
  const a = f32x4.splat(x), b = f32x4.splat(x + x);
  let c0a = v128.load(at, 0), c0b = v128.load(at, 16);
  let c1a = v128.load(at, 32), c1b = v128.load(at, 48);
  let c2a = v128.load(at, 64), c2b = v128.load(at, 80);
  let c3a = v128.load(at, 96), c3b = v128.load(at, 112);
  let c4a = v128.load(at, 128), c4b = v128.load(at, 144);
  let c5a = v128.load(at, 160), c5b = v128.load(at, 176);
  let c6a = v128.load(at, 192), c6b = v128.load(at, 208);
  let c7a = v128.load(at, 224), c7b = v128.load(at, 240);
  let c8a = v128.load(at, 256), c8b = v128.load(at, 272);
  let c9a = v128.load(at, 288), c9b = v128.load(at, 304);
  let c10a = v128.load(at, 320), c10b = v128.load(at, 336);
  let c11a = v128.load(at, 352), c11b = v128.load(at, 368);
  for (; n > 0; n--) {
    c0a = fma(a, b, c0a); c0b = fma(a, b, c0b); c1a = fma(a, b, c1a); c1b = fma(a, b, c1b);
    c2a = fma(a, b, c2a); c2b = fma(a, b, c2b); c3a = fma(a, b, c3a); c3b = fma(a, b, c3b);
    c4a = fma(a, b, c4a); c4b = fma(a, b, c4b); c5a = fma(a, b, c5a); c5b = fma(a, b, c5b);
    c6a = fma(a, b, c6a); c6b = fma(a, b, c6b); c7a = fma(a, b, c7a); c7b = fma(a, b, c7b);
    c8a = fma(a, b, c8a); c8b = fma(a, b, c8b); c9a = fma(a, b, c9a); c9b = fma(a, b, c9b);
    c10a = fma(a, b, c10a); c10b = fma(a, b, c10b); c11a = fma(a, b, c11a); c11b = fma(a, b, c11b);
  }
  v128.store(at, c0a, 0); v128.store(at, c0b, 16);
  v128.store(at, c1a, 32); v128.store(at, c1b, 48);
  v128.store(at, c2a, 64); v128.store(at, c2b, 80);
  v128.store(at, c3a, 96); v128.store(at, c3b, 112);
  v128.store(at, c4a, 128); v128.store(at, c4b, 144);
  v128.store(at, c5a, 160); v128.store(at, c5b, 176);
  v128.store(at, c6a, 192); v128.store(at, c6b, 208);
  v128.store(at, c7a, 224); v128.store(at, c7b, 240);
  v128.store(at, c8a, 256); v128.store(at, c8b, 272);
  v128.store(at, c9a, 288); v128.store(at, c9b, 304);
  v128.store(at, c10a, 320); v128.store(at, c10b, 336);
  v128.store(at, c11a, 352); v128.store(at, c11b, 368);
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
