// An activation and means of windows of 2 x 2 behind a norm, on planes that windows fill and whose rows are a multiple of
// eight: two rows of a plane at a time, so that no plane is written to be read again. The arithmetic, and its order, is that of
// src/ops/norm/shared/normalize.as.ts and src/ops/pool.

import { evens, fma, odds, quarter4, zipHigh, zipLow } from "../../../backend/wasm/simd.as";
import { sumOfFour } from "../shared/lanes.as";
import { addSums, GROUP, through4 } from "../shared/normalize.as";
import { BLOCK } from "../shared/statistics.as";

/** Whether planes are such. */
// @ts-ignore: decorator
@inline
export function isHalved(height: i32, width: i32, outHeight: i32, outWidth: i32): bool {
  return (outWidth & 3) == 0 && 2 * outWidth == width && 2 * outHeight == height;
}

/** The means of one plane. */
// @ts-ignore: decorator
@inline
export function halve(y: usize, means: usize, height: i32, width: i32): void {
  const quarter = quarter4();
  const row = <usize>width << 2;
  const stop = y + <usize>height * row;
  do {
    const end = y + row;
    do {
      const low = f32x4.add(v128.load(y), v128.load(y + row));
      const high = f32x4.add(v128.load(y, 16), v128.load(y + row, 16));
      v128.store(means, f32x4.mul(quarter, f32x4.add(evens(low, high), odds(low, high))));
      y += 32;
      means += 16;
    } while (y < end);
    y += row;
  } while (y < stop);
}

/**
 * What addGradientSumsThrough does to `rows` planes, a multiple of four, of which dy is the gradient of the means. Planes lie
 * `step` bytes apart, their means `dyStep`.
 */
// @ts-ignore: decorator
@inline
export function addHalvedSums(
  then: i32, x: usize, dy: usize, dyStep: usize, y: usize, to: usize, rows: i32, height: i32, width: i32, step: usize,
  center: f32, out: usize,
): void {
  const c = f32x4.splat(center);
  const quarter = quarter4();
  const length = height * width;
  const back = <usize>width << 1;
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
  let p0 = s0, p1 = s0, p2 = s0, p3 = s0;
  let pending = 0;
  for (let row = 0; row < rows; row += 4) {
    let from = dy;
    let left = width;
    let again = back;
    for (let done = 0; done < length; ) {
      const take = min(length - done, BLOCK / 4);
      let at = <usize>done << 2;
      const end = at + (<usize>take << 2);
      done += take;
      pending += 4 * take;
      for (; at < end; at += 32) {
        let xAt = x + at, yAt = y + at, toAt = to + at, dAt = from;
        // Halves of a cache line have lanes of their own, as they have there.
        if ((at & 32) == 0) {
          for (let k = 0; k < 4; k++) {
            const d = f32x4.mul(quarter, v128.load(dAt));
            const g = through4(then, zipLow(d, d), yAt), h = through4(then, zipHigh(d, d), yAt + 16);
            v128.store(toAt, g);
            v128.store(toAt, h, 16);
            s0 = f32x4.add(s0, g);
            s1 = f32x4.add(s1, h);
            p0 = fma(g, f32x4.sub(v128.load(xAt), c), p0);
            p1 = fma(h, f32x4.sub(v128.load(xAt, 16), c), p1);
            xAt += step;
            yAt += step;
            toAt += step;
            dAt += dyStep;
          }
        } else {
          for (let k = 0; k < 4; k++) {
            const d = f32x4.mul(quarter, v128.load(dAt));
            const g = through4(then, zipLow(d, d), yAt), h = through4(then, zipHigh(d, d), yAt + 16);
            v128.store(toAt, g);
            v128.store(toAt, h, 16);
            s2 = f32x4.add(s2, g);
            s3 = f32x4.add(s3, h);
            p2 = fma(g, f32x4.sub(v128.load(xAt), c), p2);
            p3 = fma(h, f32x4.sub(v128.load(xAt, 16), c), p3);
            xAt += step;
            yAt += step;
            toAt += step;
            dAt += dyStep;
          }
        }
        from += 16;
        left -= 8;
        if (left == 0) {
          // The second of two rows has the same means above it.
          from -= again;
          again = back - again;
          left = width;
        }
      }
      if (pending >= BLOCK || (done == length && ((row + 4) % GROUP == 0 || row + 4 == rows))) {
        addSums(out, sumOfFour(s0, s1, s2, s3), sumOfFour(p0, p1, p2, p3));
        s0 = s1 = s2 = s3 = p0 = p1 = p2 = p3 = f32x4.splat(0);
        pending = 0;
      }
    }
    x += 4 * step;
    dy += 4 * dyStep;
    y += 4 * step;
    to += 4 * step;
  }
}
