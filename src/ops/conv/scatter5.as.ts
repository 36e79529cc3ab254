// A convolution's gradient of the input where five weights follow each other in a row, with stride 1 and without padding: row by
// row of the image. What each of the five contributes to eight pixels is summed over all outputs and rows of the kernel; only
// then are the five put together, each a pixel further on than the one before. So little is added in memory; see tiles.as.ts.

import { fma } from "../../backend/wasm/simd.as";
import { field, Field, imageStep, outStep } from "./images.as";
import { TILE } from "./tiles.as";
import { scatterRow5wide } from "./wide.as";

/** Bytes of the packed weights that meet a value of y: five, four times each. */
const FIVE: usize = 80;

/** Addresses start so many bytes early, and reads are so much further on: no jump crosses 32 bytes of code then; see tiles.as.ts. */
const W_AHEAD: usize = 112;
const Y_AHEAD: usize = 96;

/**
 * Twelve pixels of the image at `to`, the first four added to what is there if `more`, else to `bias`: the sums over `count` of
 * five weights at w by eight values at y, which is read every `step` bytes.
 */
export function scatterRow5(w: usize, y: usize, step: usize, count: i32, to: usize, more: i32, bias: f32): void {
  const zero = f32x4.splat(0);
  let c00 = zero, c01 = zero;
  let c10 = zero, c11 = zero;
  let c20 = zero, c21 = zero;
  let c30 = zero, c31 = zero;
  let c40 = zero, c41 = zero;
  w -= W_AHEAD;
  y -= Y_AHEAD;
  for (;;) {
    let b0 = v128.load(y, Y_AHEAD), b1 = v128.load(y, Y_AHEAD + 16);
    let s = v128.load(w, W_AHEAD); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load(w, W_AHEAD + 16); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load(w, W_AHEAD + 32); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    if (count == -1) break;
    s = v128.load(w, W_AHEAD + 48); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    s = v128.load(w, W_AHEAD + 64); c40 = fma(s, b0, c40); c41 = fma(s, b1, c41);
    if (count == 1) break;
    y += step;
    b0 = v128.load(y, Y_AHEAD); b1 = v128.load(y, Y_AHEAD + 16);
    s = v128.load(w, W_AHEAD + 80); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load(w, W_AHEAD + 96); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load(w, W_AHEAD + 112); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    if (count == -2) break;
    s = v128.load(w, W_AHEAD + 128); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    s = v128.load(w, W_AHEAD + 144); c40 = fma(s, b0, c40); c41 = fma(s, b1, c41);
    if (count == 2) break;
    y += step;
    b0 = v128.load(y, Y_AHEAD); b1 = v128.load(y, Y_AHEAD + 16);
    s = v128.load(w, W_AHEAD + 160); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load(w, W_AHEAD + 176); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load(w, W_AHEAD + 192); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    if (count == -3) break;
    s = v128.load(w, W_AHEAD + 208); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    s = v128.load(w, W_AHEAD + 224); c40 = fma(s, b0, c40); c41 = fma(s, b1, c41);
    if (count == 3) break;
    y += step;
    b0 = v128.load(y, Y_AHEAD); b1 = v128.load(y, Y_AHEAD + 16);
    s = v128.load(w, W_AHEAD + 240); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
    s = v128.load(w, W_AHEAD + 256); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
    s = v128.load(w, W_AHEAD + 272); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
    if (count == -4) break;
    s = v128.load(w, W_AHEAD + 288); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
    s = v128.load(w, W_AHEAD + 304); c40 = fma(s, b0, c40); c41 = fma(s, b1, c41);
    count -= 4;
    if (count == 0) break;
    y += step;
    w += 320;
  }
  putRow5(c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, to, more, bias);
}

/** Twelve pixels from what five weights contribute to eight: contribution j moves j pixels on. */
// @ts-ignore: decorator
@inline
function putRow5(
  c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128, c30: v128, c31: v128, c40: v128, c41: v128,
  to: usize, more: i32, bias: f32,
): void {
  const zero = f32x4.splat(0);
  const start = more ? v128.load(to) : f32x4.splat(bias);
  let v0 = f32x4.add(start, c00);
  v0 = f32x4.add(v0, v128.shuffle<f32>(zero, c10, 3, 4, 5, 6));
  v0 = f32x4.add(v0, v128.shuffle<f32>(zero, c20, 2, 3, 4, 5));
  v128.store(to, f32x4.add(v0, v128.shuffle<f32>(zero, c30, 1, 2, 3, 4)));
  let v1 = f32x4.add(f32x4.splat(bias), c01);
  v1 = f32x4.add(v1, v128.shuffle<f32>(c10, c11, 3, 4, 5, 6));
  v1 = f32x4.add(v1, v128.shuffle<f32>(c20, c21, 2, 3, 4, 5));
  v1 = f32x4.add(v1, v128.shuffle<f32>(c30, c31, 1, 2, 3, 4));
  v128.store(to, f32x4.add(v1, c40), 16);
  let v2 = f32x4.add(f32x4.splat(bias), v128.shuffle<f32>(c11, zero, 3, 4, 5, 6));
  v2 = f32x4.add(v2, v128.shuffle<f32>(c21, zero, 2, 3, 4, 5));
  v2 = f32x4.add(v2, v128.shuffle<f32>(c31, zero, 1, 2, 3, 4));
  v128.store(to, f32x4.add(v2, c41), 32);
}

/** The same from a tile that scatterRow5wide has left. */
function putTile5(tile: usize, to: usize, more: i32, bias: f32): void {
  putRow5(
    v128.load(tile), v128.load(tile, 16), v128.load(tile, 32), v128.load(tile, 48), v128.load(tile, 64),
    v128.load(tile, 80), v128.load(tile, 96), v128.load(tile, 112), v128.load(tile, 128), v128.load(tile, 144),
    to, more, bias,
  );
}

/** Weights as [group][channel][row of the kernel][output][5], each value four times. An item is a channel of a group. */
export function conv_pack_rows5(
  weight: usize, outputs: i32, channels: i32, rows: i32, out: usize, begin: i32, end: i32,
): void {
  for (let item = begin; item < end; item++) {
    const g = item / channels;
    let to = out + <usize>(item * rows * outputs) * FIVE;
    for (let i = 0; i < rows; i++) {
      for (let m = 0; m < outputs; m++) {
        let from = weight + (<usize>((((g * outputs + m) * channels + item - g * channels) * rows + i) * 5) << 2);
        for (const end = from + 20; from < end; from += 4, to += 16) v128.store(to, v128.load32_splat(from));
      }
    }
  }
}

/** The output of one image and group as [row, the last first][output][column]. */
function packOutputRows(y: usize, outputs: i32, height: i32, width: i32, to: usize): void {
  const row = <usize>width << 2;
  const step = row * <usize>outputs;
  to += step * <usize>height;
  for (let m = 0; m < outputs; m++, to += row) {
    let at = to;
    for (let i = 0; i < height; i++) {
      at -= step;
      for (let j: usize = 0; j < row; j += 16) v128.store(at + j, v128.load(y + j));
      y += row;
    }
  }
}

/** x = wᵀ y + bias, from weights as above. An item is an image and group. In scratch: a tile, and room for the output. */
export function conv_scatter_rows5(
  plan: usize, y: usize, packed: usize, bias: usize, x: usize, begin: i32, end: i32, scratch: usize,
): void {
  const groups = field(plan, Field.groups);
  const channels = field(plan, Field.channels);
  const outputs = field(plan, Field.outputs);
  const height = field(plan, Field.height);
  const outHeight = field(plan, Field.outHeight);
  const outWidth = field(plan, Field.outWidth);
  const rows = field(plan, Field.rowSpan);
  const row = <usize>outWidth << 2;
  const xRow = row + 16;
  const channelStep = <usize>height * xRow;
  const weightStep = <usize>(rows * outputs) * FIVE;
  const packedRows = scratch + TILE;
  for (let item = begin; item < end; item++) {
    const n = item / groups;
    const g = item - n * groups;
    const from = y + <usize>n * outStep(plan) + <usize>(g * outputs * outHeight) * row;
    packOutputRows(from, outputs, outHeight, outWidth, packedRows);
    let to = x + <usize>n * imageStep(plan) + <usize>(g * channels * height) * xRow;
    const end = (g + 1) * channels;
    for (let c = g * channels; c < end;) {
      const two = WIDE && c + 1 < end;
      const b: f32 = bias ? load<f32>(bias + (<usize>c << 2)) : 0;
      const next: f32 = two && bias ? load<f32>(bias + (<usize>c << 2), 4) : 0;
      for (let i = 0; i < height; i++, to += xRow) {
        // The rows of the kernel that meet an output here.
        const first = max(0, i - outHeight + 1);
        const count = (min(rows - 1, i) + 1 - first) * outputs;
        const w = packed + <usize>((c * rows + first) * outputs) * FIVE;
        const values = packedRows + <usize>((outHeight - 1 - i + first) * outputs) * row;
        for (let j: usize = 0; j < row; j += 32) {
          if (two) {
            scatterRow5wide(w, w + weightStep, values + j, row, count, scratch);
            putTile5(scratch, to + j, <i32>j, b);
            putTile5(scratch + 160, to + channelStep + j, <i32>j, next);
          } else scatterRow5(w, values + j, row, count, to + j, <i32>j, b);
        }
      }
      if (two) to += channelStep;
      c += two ? 2 : 1;
    }
  }
}

// See tiles.as.ts.
export { scatterRow5 as conv_tile_scatter_row5, scatterRow5wide as conv_tile_scatter_row5wide };
