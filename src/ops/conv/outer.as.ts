// The gradient of a convolution's weights: the loops around the micro-kernels of outer-tiles.as.ts; see kernel.as.ts.

import { sumLanes, sumLanesF64, sumLanesOf4 } from "../../backend/wasm/simd.as";
import { BLOCK, field, Field, groupBlock, groupRow, imageStep, IN_PLACE, INTERLEAVED, outStep, prepare } from "./images.as";
import { outer2, outer2pairs, outer3, outer3pairs, outer4, outer4pairs } from "./outer-tiles.as";
import { multiplyOuter5, outer2by5, sumOutput } from "./outer5.as";
import { multiplyOuter8, outer8, packOutput8, repeatRows } from "./outer8.as";
import { TILE } from "./tiles.as";
import { outer2by5wide, outer8wide } from "./wide.as";

// See tiles.as.ts.
export {
  outer2 as conv_tile_outer2, outer2pairs as conv_tile_outer2pairs, outer3 as conv_tile_outer3,
  outer3pairs as conv_tile_outer3pairs, outer4 as conv_tile_outer4, outer4pairs as conv_tile_outer4pairs,
  outer2by5 as conv_tile_outer2by5, outer8 as conv_tile_outer8,
  outer2by5wide as conv_tile_outer2by5wide, outer8wide as conv_tile_outer8wide,
};

/**
 * The rows [first, last) of one output as [group][height][4], for each panel of `tall` rows; panels lie
 * `units` outputs apart, so that a panel runs through the outputs of all units, of which this is the
 * u-th. What each row sums up to is added to its float64 at `sums`, which are those of rows from `first` on; 0 for none.
 */
function packOutput(
  plan: usize, y: usize, n: i32, g: i32, first: i32, last: i32, tall: i32, u: i32, units: i32, to: usize, sums: usize,
): void {
  const outputs = field(plan, Field.outputs);
  const outHeight = field(plan, Field.outHeight);
  const outWidth = field(plan, Field.outWidth);
  const pixelGroups = field(plan, Field.pixelGroups);
  const row = <usize>(outHeight * outWidth) << 2;
  const step = outStep(plan);
  const from = y + <usize>n * step + <usize>(g * outputs) * row;
  for (let r = first; r < last; r += tall) {
    const height = min(tall, last - r);
    const each = <usize>height << 4;
    const panel = to + (<usize>(((r - first) * units + u * height) * pixelGroups) << 4);
    for (let i = 0; i < height; i++) {
      const at = panel + (<usize>i << 4);
      const source = from + <usize>(r + i) * row;
      if (r + i >= outputs) {
        for (let p: usize = 0; p < <usize>pixelGroups; p++) v128.store(at + p * each, i64x2.splat(0));
        continue;
      }
      let sum: v128;
      if (field(plan, Field.mode) == INTERLEAVED) {
        sum = groupBlock(source, step, min(BLOCK, field(plan, Field.images) - n), outHeight * outWidth, at, each);
      } else sum = groupRow(source, outHeight, outWidth, at, each);
      if (sums == 0) continue;
      const total = sums + (<usize>(r - first + i) << 3);
      store<f64>(total, load<f64>(total) + sumLanesF64(sum));
    }
  }
}

/** Adds the sums of a tile's lanes, [rows][columns][4], to dw, whose rows lie `row` bytes apart. */
function addTile(tile: usize, step: usize, rows: i32, columns: i32, dw: usize, row: usize): void {
  if (rows == 4 && columns == 2) {
    for (let i = 0; i < 2; i++, tile += 64, dw += 2 * row) {
      const before = v128.load_lane<u64>(dw + row, v128.load64_zero(dw), 1);
      const sums = f32x4.add(before, sumLanesOf4(tile));
      v128.store_lane<u64>(dw, sums, 0);
      v128.store_lane<u64>(dw + row, sums, 1);
    }
    return;
  }
  for (let i = 0; i < rows; i++, tile += step, dw += row) {
    for (let j: usize = 0; j < <usize>columns; j++) {
      const to = dw + (j << 2);
      store<f32>(to, load<f32>(to) + sumLanes(v128.load(tile + (j << 4))));
    }
  }
}

/**
 * Adds to dw, of rows [first, last), the product of the outputs at `packed` and the image at `image`
 * over the `count` groups of pixels at `bases`.
 */
function multiplyOuter(
  plan: usize, packed: usize, image: usize, offsets: usize, bases: usize, count: i32, first: i32, last: i32, tall: i32,
  dw: usize, tile: usize,
): void {
  const K = field(plan, Field.weights);
  const paired = field(plan, Field.paired);
  const row = <usize>K << 2;
  for (let r = first; r < last; r += tall) {
    const height = min(tall, last - r);
    const rows = min(height, field(plan, Field.outputs) - r);
    const y = packed + (<usize>((r - first) * count) << 4);
    const width = 6 - height;
    for (let k = 0; k < K; k += width) {
      const off = offsets + (<usize>k << 2);
      if (height == 3) {
        if (paired) outer3pairs(y, image, off, bases, count, tile);
        else outer3(y, image, off, bases, count, tile);
      } else if (height == 4) {
        if (paired) outer4pairs(y, image, off, bases, count, tile);
        else outer4(y, image, off, bases, count, tile);
      } else if (paired) outer2pairs(y, image, off, bases, count, tile);
      else outer2(y, image, off, bases, count, tile);
      addTile(tile, <usize>width << 4, rows, min(width, K - k), dw + <usize>r * row + (<usize>k << 2), row);
    }
  }
}

/**
 * The gradient of the weights, in panels of `tall` rows, 2, 3, 4 or 8. An item is (chunk of `unitsEach` images or blocks, group,
 * part of the rows) and writes its part of partial sum `chunk`; partial sums are `partialStep` floats apart. Those of the
 * bias, sums over y, stand `toSums` floats behind them; 0 for none.
 * Images go `block` at a time, as many as stay in the cache. In scratch: the tile, the sums of y as float64, the bases of all
 * groups, or rows, of pixels of a block (`basesBytes`), the images (`imageBytes` each), their outputs.
 */
export function conv_outer(
  plan: usize, x: usize, y: usize, offsets: usize, bases: usize, outBases: usize, partial: usize, partialStep: i32,
  toSums: i32, unitsEach: i32, block: i32, tall: i32, splits: i32, panelsEach: i32, basesBytes: usize, imageBytes: usize,
  begin: i32, end: i32, scratch: usize,
): void {
  const groups = field(plan, Field.groups);
  const outputs = field(plan, Field.outputs);
  const K = field(plan, Field.weights);
  const pixelGroups = field(plan, Field.pixelGroups);
  const inPlace = field(plan, Field.mode) == IN_PLACE;
  const outHeight = field(plan, Field.outHeight);
  const outWidth = field(plan, Field.outWidth);
  const padded = tall == 3 ? outputs : outputs + (outputs & 1);
  const perUnit = field(plan, Field.mode) == INTERLEAVED ? BLOCK : 1;
  const units = (field(plan, Field.images) + perUnit - 1) / perUnit;
  const totals = scratch + TILE;
  const allBases = totals + (<usize>(outputs + (outputs & 1)) << 3);
  const places = allBases + basesBytes;
  const room = tall == 2 ? places + basesBytes : places;
  const packed = inPlace ? room : room + <usize>block * imageBytes;
  const imagesStep = inPlace ? imageStep(plan) : imageBytes;
  if (tall == 2) repeatBases(outBases, pixelGroups, block, outStep(plan), places);
  if (tall == 8) repeatRows(plan, bases, block, imagesStep, allBases);
  else repeatBases(bases, pixelGroups, block, imagesStep, allBases);
  for (let item = begin; item < end; item++) {
    const whole = item / splits;
    const first = (item - whole * splits) * panelsEach * tall;
    const last = min(padded, first + panelsEach * tall);
    const g = whole % groups;
    const chunk = whole / groups;
    const dw = partial + (<usize>(chunk * partialStep + g * outputs * K) << 2);
    for (let i = first * K; i < min(outputs, last) * K; i++) store<f32>(dw + (<usize>i << 2), 0);
    const sums = toSums == 0 ? 0 : totals;
    if (sums != 0) memory.fill(sums, 0, <usize>(last - first) << 3);
    const endUnit = min(units, (chunk + 1) * unitsEach);
    for (let u = chunk * unitsEach; u < endUnit; u += block) {
      const count = min(block, endUnit - u);
      let image: usize = 0;
      for (let i = 0; i < count; i++) {
        const at = prepare(plan, x, (u + i) * perUnit, g, room + <usize>i * imageBytes);
        if (i == 0) image = at;
        if (tall == 2) {
          if (sums != 0) sumOutput(plan, y, u + i, g, first, last, sums);
        } else if (tall == 8) packOutput8(plan, y, u + i, g, first, last, i, count, packed, sums);
        else packOutput(plan, y, (u + i) * perUnit, g, first, last, tall, i, count, packed, sums);
      }
      if (tall == 2) {
        const from = y + <usize>u * outStep(plan) + ((<usize>(g * outputs) * <usize>(outHeight * outWidth)) << 2);
        multiplyOuter5(plan, from, places, image, offsets, allBases, count * pixelGroups, first, last, dw, scratch);
      } else if (tall == 8) multiplyOuter8(plan, packed, image, offsets, allBases, count * outHeight, first, last, dw, scratch);
      else multiplyOuter(plan, packed, image, offsets, allBases, count * pixelGroups, first, last, tall, dw, scratch);
    }
    if (sums == 0) continue;
    const db = partial + (<usize>(chunk * partialStep + toSums + g * outputs) << 2);
    for (let r = first; r < min(outputs, last); r++) {
      store<f32>(db + (<usize>r << 2), <f32>load<f64>(sums + (<usize>(r - first) << 3)));
    }
  }
}

/** The bases of one image, then of the next, `step` bytes on, … */
function repeatBases(bases: usize, count: i32, images: i32, step: usize, to: usize): void {
  for (let i: usize = 0; i < <usize>images; i++) {
    for (let p: usize = 0; p < <usize>count; p++, to += 4) {
      store<u32>(to, load<u32>(bases + (p << 2)) + <u32>(i * step));
    }
  }
}
