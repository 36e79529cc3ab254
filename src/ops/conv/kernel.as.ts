// Convolution: the loops around the micro-kernels of tiles.as.ts. An item of work is one image (or
// one interleaved block of eight) and one group of channels, or some of its rows; see plan.ts for
// what the plan and the tables hold.

import { sumLanesF64 } from "../../backend/wasm/simd.as";
import {
  BLOCK, clear, crop, field, Field, fillBias, groupBlock, groupRow, imageStep, IN_PLACE, INTERLEAVED, outStep, prepare, separate,
} from "./images.as";
import { scatter4, scatterApart4 } from "./scatter-tiles.as";
import { gather2, gather2by3, gather2by5, gather4, gather4by3, gather4by5, TILE } from "./tiles.as";
import { gather2wide, gather4wide } from "./wide.as";

// See tiles.as.ts.
export {
  gather2 as conv_tile_gather2, gather2by3 as conv_tile_gather2by3, gather2by5 as conv_tile_gather2by5,
  gather4 as conv_tile_gather4, gather4by3 as conv_tile_gather4by3, gather4by5 as conv_tile_gather4by5,
  gather2wide as conv_tile_gather2wide, gather4wide as conv_tile_gather4wide,
};
export { scatter4 as conv_tile_scatter4, scatterApart4 as conv_tile_scatter_apart4 };

/**
 * Packs weights into panels, for each group of channels: of four rows as [column][4][copies], each value one or four times, and of
 * the two rows that may be left as [column][2]. Row r and column k meet at rowStarts[r] + columnStarts[k]; from `rows`
 * to `padded` rows are zero. An item is (group, panel).
 */
export function conv_pack(
  weight: usize, groupStep: i32, rowStarts: usize, rows: i32, padded: i32, columnStarts: usize, columns: i32,
  copies: i32, out: usize, begin: i32, end: i32,
): void {
  const panels = (padded + 3) / 4;
  for (let item = begin; item < end; item++) {
    const g = item / panels;
    const first = (item - g * panels) * 4;
    const height = min(4, padded - first);
    const each: usize = height == 4 ? <usize>copies << 2 : 4;
    const step = <usize>height * each;
    for (let r = 0; r < height; r++) {
      let to = panelAt(out, g, first, padded, columns, copies) + <usize>r * each;
      const inside = first + r < rows;
      const start = inside ? load<i32>(rowStarts + (<usize>(first + r) << 2)) : 0;
      const from = weight + (<usize>(g * groupStep + start) << 2);
      for (let k = 0; k < columns; k++, to += step) {
        const at = from + (<usize>load<u32>(columnStarts + (<usize>k << 2)) << 2);
        const value: f32 = inside ? load<f32>(at) : 0;
        if (each == 16) v128.store(to, f32x4.splat(value));
        else store<f32>(to, value);
      }
    }
  }
}

/** The panel of packed weights that starts with row `first` of group g. */
// @ts-ignore: decorator
@inline
function panelAt(packed: usize, g: i32, first: i32, padded: i32, columns: i32, copies: i32): usize {
  const group = (padded & ~3) * copies + (padded & 2);
  return packed + (<usize>(g * group + first * copies) * <usize>columns << 2);
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

/** The tile of four rows for so many weights that lie next to each other, or for groups of pixels that do. */
// @ts-ignore: decorator
@inline
function gather4Of(
  wide: bool, taps: i32, w: usize, off: usize, k: i32, x: usize, base: usize, from: usize, fromStep: usize, y: usize, yBase: usize,
  row: usize, last: i32, groups: i32,
): void {
  if (wide) gather4wide(w, off, k * taps, x, base, from, fromStep, y, yBase, row, last, groups);
  else if (taps == 5) gather4by5(w, off, k, x, base, from, fromStep, y, yBase, row, last, groups);
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
  const pixelGroups = field(plan, Field.gatherGroups);
  const images = field(plan, Field.images);
  const interleaved = field(plan, Field.mode) == INTERLEAVED;
  const taps = field(plan, Field.taps);
  const steps = K / taps;
  const wide: bool = WIDE != 0 && field(plan, Field.wide) != 0;
  const copies = wide ? 1 : 4;
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
      const w = panelAt(packed, g, r, padded, K, copies);
      const last = r + height <= outputs ? 1 : 0;
      fillTile(scratch, bias ? bias + (<usize>(g * outputs + r) << 2) : 0, height);
      const result = (interleaved ? room : to) + <usize>(r - firstRow) * row;
      if (height == 4) {
        for (let block = 0; block < blocks; block++) {
          const k = (block * steps) / blocks;
          const some = ((block + 1) * steps) / blocks - k;
          const panel = w + (<usize>(k * taps * copies) << 4);
          const off = offsets + (<usize>(k * taps) << 2);
          const done = block + 1 == blocks;
          let image = first, out = result, part = parts;
          for (let i = 0; i < count; i++, image += imagesStep, out += step, part += partBytes) {
            const from = block == 0 ? scratch : part;
            gather4Of(
              wide, taps, panel, off, some, image, bases, from, block == 0 ? 0 : 128, done ? out : part,
              done ? yBases : partBases, done ? row : 32, done ? last : 1, pixelGroups,
            );
          }
        }
        continue;
      }
      let image = first, out = result;
      for (let i = 0; i < count; i++, image += imagesStep, out += step) {
        if (wide) gather2wide(w, offsets, K, image, bases, scratch, out, yBases, row, last, pixelGroups);
        else if (taps == 5) gather2by5(w, offsets, steps, image, bases, scratch, out, yBases, row, last, pixelGroups);
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
