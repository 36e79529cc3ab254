// Pooling over planes. Items are planes: [begin, end) of them, each height x width in x and
// outHeight x outWidth in y. Backward writes every element of dx.

import { entry, evens, odds, quarter4, zipHigh, zipLow } from "../../backend/wasm/simd.as";

/** The places in a window of 2 x 2. */
const POSITIONS: usize = memory.data<i32>([0, 1, 2, 3]);

/** Zeros what windows of 2 x 2 leave over of a plane: an odd last column and an odd last row. */
// @ts-ignore: decorator
@inline
function clearRemainder(plane: usize, height: i32, width: i32, outHeight: i32, outWidth: i32): void {
  const covered = 2 * outWidth;
  if (covered < width) {
    for (let i = 0; i < 2 * outHeight; i++) {
      memory.fill(plane + (<usize>(i * width + covered) << 2), 0, <usize>(width - covered) << 2);
    }
  }
  const rows = height - 2 * outHeight;
  if (rows > 0) memory.fill(plane + (<usize>(2 * outHeight * width) << 2), 0, <usize>(rows * width) << 2);
}

/** Means of windows of 2 x 2 that touch. */
export function pool_average_halving(
  x: usize, y: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, begin: i32, end: i32,
): void {
  const quarter = quarter4();
  const stride = <usize>width << 2;
  for (let p = begin; p < end; p++) {
    for (let i = 0; i < outHeight; i++) {
      const top = x + ((<usize>p * <usize>height + <usize>(2 * i)) * <usize>width << 2);
      const out = y + ((<usize>p * <usize>outHeight + <usize>i) * <usize>outWidth << 2);
      let j = 0;
      for (; j + 4 <= outWidth; j += 4) {
        const at = top + (<usize>j << 3);
        const low = f32x4.add(v128.load(at), v128.load(at + stride));
        const high = f32x4.add(v128.load(at, 16), v128.load(at + stride, 16));
        v128.store(out + (<usize>j << 2), f32x4.mul(quarter, f32x4.add(evens(low, high), odds(low, high))));
      }
      for (; j < outWidth; j++) {
        const at = top + (<usize>j << 3);
        const left = load<f32>(at) + load<f32>(at + stride);
        const right = load<f32>(at, 4) + load<f32>(at + stride, 4);
        store<f32>(out + (<usize>j << 2), <f32>0.25 * (left + right));
      }
    }
  }
}

export function pool_average_halving_backward(
  dy: usize, dx: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, begin: i32, end: i32,
): void {
  const quarter = quarter4();
  const stride = <usize>width << 2;
  for (let p = begin; p < end; p++) {
    const plane = dx + (<usize>p * <usize>height * <usize>width << 2);
    clearRemainder(plane, height, width, outHeight, outWidth);
    for (let i = 0; i < outHeight; i++) {
      const top = plane + (<usize>(2 * i * width) << 2);
      const from = dy + ((<usize>p * <usize>outHeight + <usize>i) * <usize>outWidth << 2);
      let j = 0;
      for (; j + 4 <= outWidth; j += 4) {
        const at = top + (<usize>j << 3);
        const share = f32x4.mul(quarter, v128.load(from + (<usize>j << 2)));
        const low = zipLow(share, share);
        const high = zipHigh(share, share);
        v128.store(at, low);
        v128.store(at, high, 16);
        v128.store(at + stride, low);
        v128.store(at + stride, high, 16);
      }
      for (; j < outWidth; j++) {
        const at = top + (<usize>j << 3);
        const share = <f32>0.25 * load<f32>(from + (<usize>j << 2));
        store<f32>(at, share);
        store<f32>(at, share, 4);
        store<f32>(at + stride, share);
        store<f32>(at + stride, share, 4);
      }
    }
  }
}

/** The mean of each plane of `size` elements, summed in doubles. */
export function pool_average_global(x: usize, y: usize, size: i32, begin: i32, end: i32): void {
  for (let p = begin; p < end; p++) {
    const from = x + (<usize>p * <usize>size << 2);
    let low = f64x2.splat(0);
    let high = f64x2.splat(0);
    let k = 0;
    for (; k + 4 <= size; k += 4) {
      const v = v128.load(from + (<usize>k << 2));
      low = f64x2.add(low, f64x2.promote_low_f32x4(v));
      high = f64x2.add(high, f64x2.promote_low_f32x4(i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)));
    }
    const both = f64x2.add(low, high);
    let sum = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
    for (; k < size; k++) sum += load<f32>(from + (<usize>k << 2));
    store<f32>(y + (<usize>p << 2), <f32>(sum / <f64>size));
  }
}

export function pool_average_global_backward(dy: usize, dx: usize, size: i32, begin: i32, end: i32): void {
  for (let p = begin; p < end; p++) {
    const share = <f32>(<f64>load<f32>(dy + (<usize>p << 2)) / <f64>size);
    const to = dx + (<usize>p * <usize>size << 2);
    let k = 0;
    for (; k + 4 <= size; k += 4) v128.store(to + (<usize>k << 2), f32x4.splat(share));
    for (; k < size; k++) store<f32>(to + (<usize>k << 2), share);
  }
}

/** Means of any windows: `table` holds start, end and count of each row of y, then of each column. */
export function pool_average(
  x: usize, y: usize, table: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, begin: i32, end: i32,
): void {
  const columns = table + <usize>outHeight * 12;
  for (let p = begin; p < end; p++) {
    const plane = x + (<usize>p * <usize>height * <usize>width << 2);
    let out = y + (<usize>p * <usize>outHeight * <usize>outWidth << 2);
    for (let i = 0; i < outHeight; i++) {
      const row = table + <usize>i * 12;
      const firstRow = load<i32>(row);
      const lastRow = load<i32>(row, 4);
      for (let j = 0; j < outWidth; j++, out += 4) {
        const column = columns + <usize>j * 12;
        const first = load<i32>(column);
        const last = load<i32>(column, 4);
        let sum: f64 = 0;
        for (let r = firstRow; r < lastRow; r++) {
          for (let c = first; c < last; c++) sum += load<f32>(plane + (<usize>(r * width + c) << 2));
        }
        store<f32>(out, <f32>(sum / <f64>(load<i32>(row, 8) * load<i32>(column, 8))));
      }
    }
  }
}

export function pool_average_backward(
  dy: usize, dx: usize, table: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, begin: i32, end: i32,
): void {
  const columns = table + <usize>outHeight * 12;
  for (let p = begin; p < end; p++) {
    const plane = dx + (<usize>p * <usize>height * <usize>width << 2);
    memory.fill(plane, 0, <usize>height * <usize>width << 2);
    let from = dy + (<usize>p * <usize>outHeight * <usize>outWidth << 2);
    for (let i = 0; i < outHeight; i++) {
      const row = table + <usize>i * 12;
      const firstRow = load<i32>(row);
      const lastRow = load<i32>(row, 4);
      for (let j = 0; j < outWidth; j++, from += 4) {
        const column = columns + <usize>j * 12;
        const first = load<i32>(column);
        const last = load<i32>(column, 4);
        const share = <f32>(<f64>load<f32>(from) / <f64>(load<i32>(row, 8) * load<i32>(column, 8)));
        for (let r = firstRow; r < lastRow; r++) {
          for (let c = first; c < last; c++) {
            const at = plane + (<usize>(r * width + c) << 2);
            store<f32>(at, load<f32>(at) + share);
          }
        }
      }
    }
  }
}

/** Whether `v` takes the place of `best`: it is larger, or NaN. */
// @ts-ignore: decorator
@inline
function beats4(v: v128, best: v128): v128 {
  return v128.or(f32x4.gt(v, best), f32x4.ne(v, v));
}

/** Maxima of windows of 2 x 2 that touch; the number 0..3 of each to `positions` unless that is 0. */
export function pool_max_halving(
  x: usize, y: usize, positions: usize,
  height: i32, width: i32, outHeight: i32, outWidth: i32, begin: i32, end: i32,
): void {
  const stride = <usize>width << 2;
  for (let p = begin; p < end; p++) {
    for (let i = 0; i < outHeight; i++) {
      const top = x + ((<usize>p * <usize>height + <usize>(2 * i)) * <usize>width << 2);
      const first = (<usize>p * <usize>outHeight + <usize>i) * <usize>outWidth;
      let j = 0;
      for (; j + 4 <= outWidth; j += 4) {
        const at = top + (<usize>j << 3);
        const low = v128.load(at);
        const high = v128.load(at, 16);
        let best = evens(low, high);
        let v = odds(low, high);
        let beats = beats4(v, best);
        best = v128.bitselect(v, best, beats);
        let position = v128.and(beats, entry(POSITIONS, 1));
        const lowBelow = v128.load(at + stride);
        const highBelow = v128.load(at + stride, 16);
        v = evens(lowBelow, highBelow);
        beats = beats4(v, best);
        best = v128.bitselect(v, best, beats);
        position = v128.bitselect(entry(POSITIONS, 2), position, beats);
        v = odds(lowBelow, highBelow);
        beats = beats4(v, best);
        best = v128.bitselect(v, best, beats);
        position = v128.bitselect(entry(POSITIONS, 3), position, beats);
        const out = first + <usize>j;
        v128.store(y + (out << 2), best);
        if (positions) {
          const bytes = i8x16.shuffle(position, position, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12);
          v128.store_lane<u32>(positions + out, bytes, 0);
        }
      }
      for (; j < outWidth; j++) {
        const at = top + (<usize>j << 3);
        let best = load<f32>(at);
        let position: u8 = 0;
        for (let tap: u8 = 1; tap < 4; tap++) {
          const v = load<f32>(at + (<usize>(tap & 1) << 2) + (tap > 1 ? stride : 0));
          if (v > best || v != v) {
            best = v;
            position = tap;
          }
        }
        const out = first + <usize>j;
        store<f32>(y + (out << 2), best);
        if (positions) store<u8>(positions + out, position);
      }
    }
  }
}

export function pool_max_halving_backward(
  dy: usize, positions: usize, dx: usize,
  height: i32, width: i32, outHeight: i32, outWidth: i32, begin: i32, end: i32,
): void {
  const stride = <usize>width << 2;
  for (let p = begin; p < end; p++) {
    const plane = dx + (<usize>p * <usize>height * <usize>width << 2);
    clearRemainder(plane, height, width, outHeight, outWidth);
    for (let i = 0; i < outHeight; i++) {
      const top = plane + (<usize>(2 * i * width) << 2);
      const first = (<usize>p * <usize>outHeight + <usize>i) * <usize>outWidth;
      let j = 0;
      for (; j + 4 <= outWidth; j += 4) {
        const at = top + (<usize>j << 3);
        const from = first + <usize>j;
        const g = v128.load(dy + (from << 2));
        const position = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(positions + from)));
        const a = v128.and(g, i32x4.eq(position, i32x4.splat(0)));
        const b = v128.and(g, i32x4.eq(position, entry(POSITIONS, 1)));
        const c = v128.and(g, i32x4.eq(position, entry(POSITIONS, 2)));
        const d = v128.and(g, i32x4.eq(position, entry(POSITIONS, 3)));
        v128.store(at, zipLow(a, b));
        v128.store(at, zipHigh(a, b), 16);
        v128.store(at + stride, zipLow(c, d));
        v128.store(at + stride, zipHigh(c, d), 16);
      }
      for (; j < outWidth; j++) {
        const at = top + (<usize>j << 3);
        const from = first + <usize>j;
        const g = load<f32>(dy + (from << 2));
        const position = load<u8>(positions + from);
        store<f32>(at, position == 0 ? g : 0);
        store<f32>(at, position == 1 ? g : 0, 4);
        store<f32>(at + stride, position == 2 ? g : 0);
        store<f32>(at + stride, position == 3 ? g : 0, 4);
      }
    }
  }
}

/** Four values from `at` on, `stride` bytes apart. */
// @ts-ignore: decorator
@inline
function gather4(at: usize, stride: usize): v128 {
  if (stride == 4) return v128.load(at);
  if (stride == 8) return evens(v128.load(at), v128.load(at, 16));
  let v = v128.load32_zero(at);
  v = v128.load_lane<f32>(at + stride, v, 1);
  v = v128.load_lane<f32>(at + 2 * stride, v, 2);
  return v128.load_lane<f32>(at + 3 * stride, v, 3);
}

/** max(0, a / b rounded up), b > 0. */
// @ts-ignore: decorator
@inline
function divideUp(a: i32, b: i32): i32 {
  return a > 0 ? (a + b - 1) / b : 0;
}

/**
 * Maxima of any windows, and the number of the tap of each, as a byte or, where `wide`, an int32.
 * Four outputs at a time where none of their taps is beside the input.
 */
export function pool_max(
  x: usize, y: usize, positions: usize, wide: i32,
  height: i32, width: i32, outHeight: i32, outWidth: i32,
  kernelHeight: i32, kernelWidth: i32, strideHeight: i32, strideWidth: i32,
  paddingHeight: i32, paddingWidth: i32, dilationHeight: i32, dilationWidth: i32, begin: i32, end: i32,
): void {
  const lowest = f32x4.splat(-<f32>Infinity);
  const step = <usize>strideWidth << 2;
  // The first output whose taps all lie right of the left edge, and the last that lies left of the right one.
  const inner = divideUp(paddingWidth, strideWidth);
  const lastInner = (width - 1 + paddingWidth - (kernelWidth - 1) * dilationWidth) / strideWidth;
  for (let p = begin; p < end; p++) {
    const plane = x + (<usize>p * <usize>height * <usize>width << 2);
    for (let i = 0; i < outHeight; i++) {
      const top = i * strideHeight - paddingHeight;
      const firstTap = divideUp(-top, dilationHeight);
      const lastTap = min(kernelHeight, divideUp(height - top, dilationHeight));
      const row = (<usize>p * <usize>outHeight + <usize>i) * <usize>outWidth;
      const vectors = lastInner - inner >= 3 && firstTap < lastTap;
      for (let j = 0; j < outWidth; ) {
        const inLanes = vectors && j >= inner && j <= lastInner;
        // The last four step back over what has been done, rather than going one by one.
        if (inLanes) j = min(j, lastInner - 3);
        const out = row + <usize>j;
        const left = j * strideWidth - paddingWidth;
        if (inLanes) {
          let best = lowest;
          let position = i32x4.splat(firstTap * kernelWidth);
          for (let kh = firstTap; kh < lastTap; kh++) {
            const from = plane + (<usize>((top + kh * dilationHeight) * width + left) << 2);
            for (let kw = 0; kw < kernelWidth; kw++) {
              const v = gather4(from + (<usize>(kw * dilationWidth) << 2), step);
              const beats = beats4(v, best);
              best = v128.bitselect(v, best, beats);
              position = v128.bitselect(i32x4.splat(kh * kernelWidth + kw), position, beats);
            }
          }
          v128.store(y + (out << 2), best);
          if (positions && wide) v128.store(positions + (out << 2), position);
          else if (positions) {
            const bytes = i8x16.shuffle(position, position, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12);
            v128.store_lane<u32>(positions + out, bytes, 0);
          }
          j += 4;
          continue;
        }
        const firstColumn = divideUp(-left, dilationWidth);
        const lastColumn = min(kernelWidth, divideUp(width - left, dilationWidth));
        let best = -<f32>Infinity;
        // Of a window that is all padding: tap 0, which is padding too.
        let position = firstTap < lastTap && firstColumn < lastColumn ? firstTap * kernelWidth + firstColumn : 0;
        for (let kh = firstTap; kh < lastTap; kh++) {
          const from = plane + (<usize>((top + kh * dilationHeight) * width) << 2);
          for (let kw = firstColumn; kw < lastColumn; kw++) {
            const v = load<f32>(from + (<usize>(left + kw * dilationWidth) << 2));
            if (v > best || v != v) {
              best = v;
              position = kh * kernelWidth + kw;
            }
          }
        }
        store<f32>(y + (out << 2), best);
        if (positions && wide) store<i32>(positions + (out << 2), position);
        else if (positions) store<u8>(positions + out, <u8>position);
        j++;
      }
    }
  }
}

export function pool_max_backward(
  dy: usize, positions: usize, dx: usize, wide: i32,
  height: i32, width: i32, outHeight: i32, outWidth: i32,
  kernelHeight: i32, kernelWidth: i32, strideHeight: i32, strideWidth: i32,
  paddingHeight: i32, paddingWidth: i32, dilationHeight: i32, dilationWidth: i32, begin: i32, end: i32,
): void {
  for (let p = begin; p < end; p++) {
    const plane = dx + (<usize>p * <usize>height * <usize>width << 2);
    memory.fill(plane, 0, <usize>height * <usize>width << 2);
    let from = <usize>p * <usize>outHeight * <usize>outWidth;
    for (let i = 0; i < outHeight; i++) {
      for (let j = 0; j < outWidth; j++, from++) {
        const position = wide ? load<i32>(positions + (from << 2)) : <i32>load<u8>(positions + from);
        const kh = position / kernelWidth;
        const r = i * strideHeight - paddingHeight + kh * dilationHeight;
        const c = j * strideWidth - paddingWidth + (position - kh * kernelWidth) * dilationWidth;
        // A window that lies in the padding altogether has no maximum to send a gradient to.
        if (<u32>r >= <u32>height || <u32>c >= <u32>width) continue;
        const at = plane + (<usize>(r * width + c) << 2);
        store<f32>(at, load<f32>(at) + load<f32>(dy + (from << 2)));
      }
    }
  }
}
