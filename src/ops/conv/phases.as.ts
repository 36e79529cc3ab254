// The end of an adjoint convolution with a stride: rows and columns of the image that meet the same rows and columns of the
// kernel were computed apart, and are put together here; see phases.ts.

import { zipHigh, zipLow } from "../../backend/wasm/simd.as";

/** Fields of a phase in the table, int32: where it starts, in floats, or -1 if no weight meets it, and its height and width. */
const PHASE: usize = 12;

/**
 * x from its phases at `from`, which `table` describes in the order of their first row and column in x: `strideH` times `strideW`. Where there is
 * none, x is its channel's bias; `bias` 0 for none. An item is a plane of x; `channels` are those of all groups.
 */
export function conv_join(
  from: usize, table: usize, bias: usize, x: usize, channels: i32, height: i32, width: i32, strideH: i32, strideW: i32,
  begin: i32, end: i32,
): void {
  for (let plane = begin; plane < end; plane++) {
    const value: f32 = bias ? load<f32>(bias + (<usize>(plane % channels) << 2)) : 0;
    let to = x + ((<usize>plane * <usize>(height * width)) << 2);
    for (let i = 0; i < height; i++, to += <usize>width << 2) {
      const row = table + <usize>((i % strideH) * strideW) * PHASE;
      if (strideW == 2) joinTwo(rowAt(from, row, plane, i / strideH), rowAt(from, row + PHASE, plane, i / strideH), to, width, value);
      else {
        for (let j = 0; j < strideW; j++) spreadRow(rowAt(from, row + <usize>j * PHASE, plane, i / strideH), to, j, strideW, width, value);
      }
    }
  }
}

/** Row i of a plane of a phase, or 0 if there is none. */
// @ts-ignore: decorator
@inline
function rowAt(from: usize, phase: usize, plane: i32, i: i32): usize {
  const start = load<i32>(phase);
  if (start < 0) return 0;
  const width = <usize>load<u32>(phase, 8);
  return from + ((<usize>start + (<usize>plane * <usize>load<u32>(phase, 4) + <usize>i) * width) << 2);
}

/** Columns 0, 2, 4, … of a row from `even`, the others from `odd`; `value` where either is 0. */
function joinTwo(even: usize, odd: usize, to: usize, width: i32, value: f32): void {
  const value4 = f32x4.splat(value);
  let j = 0;
  for (; j + 8 <= width; j += 8) {
    const at = <usize>j << 1;
    const a = even ? v128.load(even + at) : value4;
    const b = odd ? v128.load(odd + at) : value4;
    v128.store(to + (<usize>j << 2), zipLow(a, b));
    v128.store(to + (<usize>j << 2), zipHigh(a, b), 16);
  }
  for (; j < width; j++) {
    const phase = j & 1 ? odd : even;
    store<f32>(to + (<usize>j << 2), phase ? load<f32>(phase + (<usize>(j >> 1) << 2)) : value);
  }
}

/** Columns `first`, `first` + `stride`, … of a row from `phase`; `value` if that is 0. */
function spreadRow(phase: usize, to: usize, first: i32, stride: i32, width: i32, value: f32): void {
  for (let j = first; j < width; j += stride, phase += phase ? 4 : 0) {
    store<f32>(to + (<usize>j << 2), phase ? load<f32>(phase) : value);
  }
}
