// Convolution: the loops around the micro-kernels of tiles.as.ts. An item of work is one image (or
// one interleaved block of eight) and one group of channels, or some of its rows; see plan.ts for
// what the plan and the tables hold.

import { sumLanes, sumLanesF64 } from "../../backend/wasm/simd.as";
import {
  BLOCK, clear, crop, field, Field, fillBias, groupBlock, groupRow, IN_PLACE, INTERLEAVED, interleave, pad, separate,
} from "./images.as";
import { outer2, outer2pairs, outer3, outer3pairs, outer4, outer4pairs, scatter4, scatterApart4 } from "./gradient-tiles.as";
import { gather2, gather2by3, gather2by5, gather4, gather4by3, gather4by5 } from "./tiles.as";

// See tiles.as.ts.
export {
  gather2 as conv_tile_gather2, gather2by3 as conv_tile_gather2by3, gather2by5 as conv_tile_gather2by5,
  gather4 as conv_tile_gather4, gather4by3 as conv_tile_gather4by3, gather4by5 as conv_tile_gather4by5,
};
export {
  outer2 as conv_tile_outer2, outer2pairs as conv_tile_outer2pairs, outer3 as conv_tile_outer3, outer3pairs as conv_tile_outer3pairs, outer4 as conv_tile_outer4,
  outer4pairs as conv_tile_outer4pairs, scatter4 as conv_tile_scatter4, scatterApart4 as conv_tile_scatter_apart4,
};

/** Bytes of nine sums: each item of work keeps a tile of them at the start of its scratch. */
const TILE: usize = 144;

/**
 * Packs weights into panels, for each group of channels: of four rows as [column][4][4], each value four times, and of
 * the two rows that may be left as [column][2]. Row r and column k meet at rowStarts[r] + columnStarts[k]; from `rows`
 * to `padded` rows are zero. An item is (group, panel).
 */
export function conv_pack(
  weight: usize, groupStep: i32, rowStarts: usize, rows: i32, padded: i32, columnStarts: usize, columns: i32,
  out: usize, begin: i32, end: i32,
): void {
  const panels = (padded + 3) / 4;
  for (let item = begin; item < end; item++) {
    const g = item / panels;
    const first = (item - g * panels) * 4;
    const height = min(4, padded - first);
    const each: usize = height == 4 ? 16 : 4;
    const step = <usize>height * each;
    for (let r = 0; r < height; r++) {
      let to = panelAt(out, g, first, padded, columns) + <usize>r * each;
      const inside = first + r < rows;
      const start = inside ? load<i32>(rowStarts + (<usize>(first + r) << 2)) : 0;
      const from = weight + (<usize>(g * groupStep + start) << 2);
      for (let k = 0; k < columns; k++, to += step) {
        const at = from + (<usize>load<u32>(columnStarts + (<usize>k << 2)) << 2);
        const value: f32 = inside ? load<f32>(at) : 0;
        if (height == 4) v128.store(to, f32x4.splat(value));
        else store<f32>(to, value);
      }
    }
  }
}

/** The panel of packed weights that starts with row `first` of group g. */
// @ts-ignore: decorator
@inline
function panelAt(packed: usize, g: i32, first: i32, padded: i32, columns: i32): usize {
  const group = ((padded >> 2) << 4) + (padded & 2);
  return packed + (<usize>(g * group + (first << 2)) * <usize>columns << 2);
}

/** Bytes of one image, all groups of channels. */
// @ts-ignore: decorator
@inline
function imageStep(plan: usize): usize {
  const values = field(plan, Field.channels) * field(plan, Field.height) * field(plan, Field.width);
  return <usize>(field(plan, Field.groups) * values) << 2;
}

/** Bytes of one image's output, all groups of channels. */
// @ts-ignore: decorator
@inline
function outStep(plan: usize): usize {
  const pixels = field(plan, Field.outHeight) * field(plan, Field.outWidth);
  return <usize>(field(plan, Field.groups) * field(plan, Field.outputs)) * <usize>pixels << 2;
}

/** Image n, or the block that starts with it, of group g as the tiles want it: in place, or at `room`. */
function prepare(plan: usize, x: usize, n: i32, g: i32, room: usize): usize {
  const step = imageStep(plan);
  const from = x + <usize>n * step + <usize>g * (step / <usize>field(plan, Field.groups));
  const mode = field(plan, Field.mode);
  if (mode == IN_PLACE) return from;
  if (mode == INTERLEAVED) interleave(plan, from, step, min(BLOCK, field(plan, Field.images) - n), room);
  else pad(plan, from, room);
  return room;
}

/** An interleaved output, [row][pixel][8] at `block`, to the images that it belongs to. */
function spread(block: usize, rows: i32, pixels: i32, y: usize, step: usize, count: i32): void {
  for (let i = rows * pixels; i > 0; i--, block += BLOCK << 2, y += 4) {
    for (let n = 0; n < count; n++) store<f32>(y + <usize>n * step, load<f32>(block + (<usize>n << 2)));
  }
}

/** The tile that a panel's sums start from: each row's bias eight or, two rows high, sixteen times; zeros without. */
function fillTile(tile: usize, bias: usize, height: i32): void {
  for (let i: usize = 0; i < 8; i++) {
    const row = height == 2 ? i >> 2 : i >> 1;
    const value: f32 = bias && row < <usize>height ? load<f32>(bias + (row << 2)) : 0;
    v128.store(tile + (i << 4), f32x4.splat(value));
  }
}

/** The tile of four rows for so many weights that lie next to each other. */
// @ts-ignore: decorator
@inline
function gather4Of(
  taps: i32, w: usize, off: usize, k: i32, x: usize, base: usize, from: usize, fromStep: usize, y: usize, yBase: usize,
  row: usize, last: i32, groups: i32,
): void {
  if (taps == 5) gather4by5(w, off, k, x, base, from, fromStep, y, yBase, row, last, groups);
  else if (taps == 3) gather4by3(w, off, k, x, base, from, fromStep, y, yBase, row, last, groups);
  else gather4(w, off, k, x, base, from, fromStep, y, yBase, row, last, groups);
}

/**
 * y = w x + bias, for the panels [0, …) of four rows of w, cut into `splits` parts of `panelsEach`. An item takes `together` images,
 * so that weights that do not stay in the first-level cache are fetched once for all of them; an interleaved block goes
 * alone. So that a panel of four rows does stay there, its weights go in `blocks`; what the blocks before have summed up waits
 * in the form of tiles, two groups each, which `partBases` says. In scratch: the tile, the images of `imageBytes` each,
 * these parts, and an interleaved output until it is spread.
 */
export function conv_gather(
  plan: usize, x: usize, offsets: usize, bases: usize, packed: usize, bias: usize, y: usize, yBases: usize,
  partBases: usize, blocks: i32, splits: i32, panelsEach: i32, together: i32, imageBytes: usize, begin: i32, end: i32,
  scratch: usize,
): void {
  const groups = field(plan, Field.groups);
  const outputs = field(plan, Field.outputs);
  const K = field(plan, Field.weights);
  const pixels = field(plan, Field.outHeight) * field(plan, Field.outWidth);
  const pixelGroups = field(plan, Field.pixelGroups);
  const images = field(plan, Field.images);
  const interleaved = field(plan, Field.mode) == INTERLEAVED;
  const taps = field(plan, Field.taps);
  const steps = K / taps;
  const padded = outputs + (outputs & 1);
  const step = outStep(plan);
  const imagesStep = imageBytes ? imageBytes : imageStep(plan);
  const parts = scratch + TILE + <usize>together * imageBytes;
  const partBytes = <usize>((pixelGroups + 1) / 2) << 7;
  const room = blocks > 1 ? parts + <usize>together * partBytes : parts;
  for (let item = begin; item < end; item++) {
    const whole = item / splits;
    const firstRow = (item - whole * splits) * panelsEach * 4;
    const endRow = min(padded, firstRow + panelsEach * 4);
    const g = whole % groups;
    const n = (whole / groups) * (interleaved ? BLOCK : together);
    const count = interleaved ? 1 : min(together, images - n);
    let first: usize = 0;
    for (let i = count - 1; i >= 0; i--) first = prepare(plan, x, n + i, g, scratch + TILE + <usize>i * imageBytes);
    const to = y + <usize>n * step + (<usize>(g * outputs + firstRow) * <usize>pixels << 2);
    const row = <usize>pixels << (interleaved ? 5 : 2);
    for (let r = firstRow; r < endRow; r += 4) {
      const height = min(4, endRow - r);
      const w = panelAt(packed, g, r, padded, K);
      const last = r + height <= outputs ? 1 : 0;
      fillTile(scratch, bias ? bias + (<usize>(g * outputs + r) << 2) : 0, height);
      const result = (interleaved ? room : to) + <usize>(r - firstRow) * row;
      if (height == 4) {
        for (let block = 0; block < blocks; block++) {
          const k = (block * steps) / blocks;
          const some = ((block + 1) * steps) / blocks - k;
          const panel = w + (<usize>(k * taps) << 6);
          const off = offsets + (<usize>(k * taps) << 2);
          const done = block + 1 == blocks;
          let image = first, out = result, part = parts;
          for (let i = 0; i < count; i++, image += imagesStep, out += step, part += partBytes) {
            const from = block == 0 ? scratch : part;
            gather4Of(
              taps, panel, off, some, image, bases, from, block == 0 ? 0 : 128, done ? out : part,
              done ? yBases : partBases, done ? row : 32, done ? last : 1, pixelGroups,
            );
          }
        }
        continue;
      }
      let image = first, out = result;
      for (let i = 0; i < count; i++, image += imagesStep, out += step) {
        if (taps == 5) gather2by5(w, offsets, steps, image, bases, scratch, out, yBases, row, last, pixelGroups);
        else if (taps == 3) gather2by3(w, offsets, steps, image, bases, scratch, out, yBases, row, last, pixelGroups);
        else gather2(w, offsets, steps, image, bases, scratch, out, yBases, row, last, pixelGroups);
      }
    }
    if (interleaved) {
      const rows = min(outputs, endRow) - firstRow;
      spread(room, rows, pixels, to, step, min(BLOCK, images - n));
    }
  }
}

/** The output of image n, or of the block that starts with it, as groups of pixels: in place or at `room`. */
function groupOutput(plan: usize, y: usize, n: i32, g: i32, room: usize): usize {
  const outputs = field(plan, Field.outputs);
  const outHeight = field(plan, Field.outHeight);
  const outWidth = field(plan, Field.outWidth);
  const row = <usize>(outHeight * outWidth) << 2;
  const step = outStep(plan);
  let from = y + <usize>n * step + <usize>(g * outputs) * row;
  if (field(plan, Field.yInPlace)) return from;
  const pitch = field(plan, Field.yPitch);
  let to = room;
  for (let m = 0; m < outputs; m++, from += row, to += <usize>pitch << 2) {
    v128.store(to + (<usize>(pitch - 4) << 2), i64x2.splat(0));
    if (field(plan, Field.mode) == INTERLEAVED) {
      groupBlock(from, step, min(BLOCK, field(plan, Field.images) - n), outHeight * outWidth, to, 16);
    } else groupRow(from, outHeight, outWidth, to, 16);
  }
  return room;
}

/**
 * x = wᵀ y + bias: the adjoint of conv_gather. `packed` holds panels of four weights, [m][4][4], whose
 * offsets are in `offsets`; past the last weight they are those of the first. In scratch: the tile,
 * the image of `imageBytes`, unless x has its form already, and the output.
 */
export function conv_scatter(
  plan: usize, y: usize, offsets: usize, bases: usize, packed: usize, bias: usize, x: usize, imageBytes: usize,
  begin: i32, end: i32, scratch: usize,
): void {
  const groups = field(plan, Field.groups);
  const channels = field(plan, Field.channels);
  const outputs = field(plan, Field.outputs);
  const panels = (field(plan, Field.weights) + 3) / 4;
  const pixelGroups = field(plan, Field.pixelGroups);
  const interleaved = field(plan, Field.mode) == INTERLEAVED;
  const inPlace = field(plan, Field.mode) == IN_PLACE;
  const apart = field(plan, Field.apart);
  const row = <usize>field(plan, Field.yPitch) << 2;
  const step = imageStep(plan);
  for (let item = begin; item < end; item++) {
    const g = item % groups;
    const n = (item / groups) * (interleaved ? BLOCK : 1);
    const from = groupOutput(plan, y, n, g, scratch + TILE + imageBytes);
    const to = x + <usize>n * step + <usize>g * (step / <usize>groups);
    const b = bias ? bias + (<usize>(g * channels) << 2) : 0;
    const image = inPlace ? to : scratch + TILE;
    if (inPlace) fillBias(plan, b, to);
    else clear(image, channels * field(plan, Field.plane));
    for (let k = 0; k < panels; k++) {
      const w = packed + (<usize>(g * panels + k) * <usize>outputs << 6);
      const off = offsets + (<usize>k << 4);
      if (k < apart) scatterApart4(w, outputs, from, row, off, image, bases, pixelGroups);
      else scatter4(w, outputs, from, row, off, image, bases, pixelGroups, scratch);
    }
    if (interleaved) separate(plan, image, b, to, step, min(BLOCK, field(plan, Field.images) - n));
    else if (!inPlace) crop(plan, image, b, to);
  }
}

/**
 * The rows [first, last) of one output as [group][height][4], for each panel of `tall` rows; panels lie
 * `units` outputs apart, so that a panel runs through the outputs of all units, of which this is the
 * u-th. What each row sums up to is added to `sums`, where that is not 0.
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
      const total = sums + (<usize>(r + i) << 2);
      store<f32>(total, load<f32>(total) + sumLanes(sum));
    }
  }
}

/** The sums of the lanes of four vectors that follow each other, each in the order of sumLanes. */
// @ts-ignore: decorator
@inline
function sumLanesOf4(at: usize): v128 {
  const a = v128.load(at), b = v128.load(at, 16), c = v128.load(at, 32), d = v128.load(at, 48);
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 1, 4, 5), v128.shuffle<f32>(a, b, 2, 3, 6, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 1, 4, 5), v128.shuffle<f32>(c, d, 2, 3, 6, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 2, 4, 6), v128.shuffle<f32>(ab, cd, 1, 3, 5, 7));
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
 * The gradient of the weights, in panels of `tall` rows, 3 or 4. An item is (chunk of `unitsEach` images or blocks, group,
 * part of the rows) and writes its part of partial sum `chunk`; partial sums are `partialStep` floats apart. Those of the
 * bias, sums over y, stand `toSums` floats behind them; 0 for none.
 * Images go `block` at a time, as many as stay in the cache. In scratch: the tile, the bases of all
 * groups of pixels of a block (`basesBytes`), the images (`imageBytes` each), their outputs.
 */
export function conv_outer(
  plan: usize, x: usize, y: usize, offsets: usize, bases: usize, partial: usize, partialStep: i32,
  toSums: i32, unitsEach: i32, block: i32, tall: i32, splits: i32, panelsEach: i32, basesBytes: usize, imageBytes: usize,
  begin: i32, end: i32, scratch: usize,
): void {
  const groups = field(plan, Field.groups);
  const outputs = field(plan, Field.outputs);
  const K = field(plan, Field.weights);
  const pixelGroups = field(plan, Field.pixelGroups);
  const inPlace = field(plan, Field.mode) == IN_PLACE;
  const padded = tall == 3 ? outputs : outputs + (outputs & 1);
  const perUnit = field(plan, Field.mode) == INTERLEAVED ? BLOCK : 1;
  const units = (field(plan, Field.images) + perUnit - 1) / perUnit;
  const allBases = scratch + TILE;
  const room = allBases + basesBytes;
  const packed = inPlace ? room : room + <usize>block * imageBytes;
  repeatBases(bases, pixelGroups, block, inPlace ? imageStep(plan) : imageBytes, allBases);
  for (let item = begin; item < end; item++) {
    const whole = item / splits;
    const first = (item - whole * splits) * panelsEach * tall;
    const last = min(padded, first + panelsEach * tall);
    const g = whole % groups;
    const chunk = whole / groups;
    const dw = partial + (<usize>(chunk * partialStep + g * outputs * K) << 2);
    for (let i = first * K; i < min(outputs, last) * K; i++) store<f32>(dw + (<usize>i << 2), 0);
    const sums = toSums == 0 ? 0 : partial + (<usize>(chunk * partialStep + toSums + g * outputs) << 2);
    if (sums != 0) for (let i = first; i < min(outputs, last); i++) store<f32>(sums + (<usize>i << 2), 0);
    const endUnit = min(units, (chunk + 1) * unitsEach);
    for (let u = chunk * unitsEach; u < endUnit; u += block) {
      const count = min(block, endUnit - u);
      let image: usize = 0;
      for (let i = 0; i < count; i++) {
        const at = prepare(plan, x, (u + i) * perUnit, g, room + <usize>i * imageBytes);
        if (i == 0) image = at;
        packOutput(plan, y, (u + i) * perUnit, g, first, last, tall, i, count, packed, sums);
      }
      multiplyOuter(plan, packed, image, offsets, allBases, count * pixelGroups, first, last, tall, dw, scratch);
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

/**
 * Sums over each channel of x [images, channels, size]. An item is (chunk of `imagesEach` images,
 * channel); out[chunk, channel].
 */
export function conv_channel_sums(
  x: usize, images: i32, channels: i32, size: i32, imagesEach: i32, out: usize, begin: i32, end: i32,
): void {
  const step = <usize>(channels * size) << 2;
  for (let item = begin; item < end; item++) {
    const chunk = item / channels;
    const channel = item - chunk * channels;
    const last = min(images, (chunk + 1) * imagesEach);
    let total: f64 = 0;
    for (let n = chunk * imagesEach; n < last; n++) {
      let at = x + <usize>n * step + (<usize>(channel * size) << 2);
      let s0 = f32x4.splat(0), s1 = s0;
      let i = 0;
      for (; i + 8 <= size; i += 8, at += 32) {
        s0 = f32x4.add(s0, v128.load(at));
        s1 = f32x4.add(s1, v128.load(at, 16));
      }
      total += sumLanesF64(f32x4.add(s0, s1));
      for (; i < size; i++, at += 4) total += <f64>load<f32>(at);
    }
    store<f32>(out + (<usize>item << 2), <f32>total);
  }
}
