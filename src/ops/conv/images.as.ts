// Bringing images into the form that the micro-kernels read, and back.
//
// - padded: zeros around each channel; with a horizontal stride s the columns are sorted by their
//   remainder modulo s, so that the pixels that neighbors in the output meet are neighbors, too;
// - interleaved: eight images side by side, [channel][row][column][8], for outputs narrower than
//   four pixels.

/** The fields of the plan, in int32, as plan.ts lays them out. */
export namespace Field {
  export const channels: usize = 0;
  export const height: usize = 1;
  export const width: usize = 2;
  export const rows: usize = 3;
  export const columns: usize = 4;
  export const pitch: usize = 5;
  export const phase: usize = 6;
  export const plane: usize = 7;
  export const stride: usize = 8;
  export const top: usize = 9;
  export const left: usize = 10;
  export const mode: usize = 11;
  export const images: usize = 12;
  export const groups: usize = 13;
  export const outputs: usize = 14;
  export const weights: usize = 15;
  export const outHeight: usize = 16;
  export const outWidth: usize = 17;
  export const pixelGroups: usize = 18;
  export const yPitch: usize = 19;
  export const yInPlace: usize = 20;
  export const rowStride: usize = 21;
  export const rowSpan: usize = 22;
  export const columnSpan: usize = 23;
  export const apart: usize = 24;
  export const taps: usize = 25;
  export const paired: usize = 26;
  export const gatherGroups: usize = 27;
  export const wide: usize = 28;
}

/** Values of Field.mode. */
export const IN_PLACE: i32 = 0;
export const PADDED: i32 = 1;
export const INTERLEAVED: i32 = 2;

/** Images of an interleaved block. */
export const BLOCK: i32 = 8;

// @ts-ignore: decorator
@inline
export function field(plan: usize, name: usize): i32 {
  return load<i32>(plan + (name << 2));
}

/** Writes zeros to `count` floats; the count is rounded up to four. */
// @ts-ignore: decorator
@inline
export function clear(to: usize, count: i32): void {
  for (const end = to + (<usize>count << 2); to < end; to += 16) v128.store(to, i64x2.splat(0));
}

/** to[i] = from[i] + add for `count` floats. The last four may be written twice: a row is rarely a multiple of four. */
// @ts-ignore: decorator
@inline
function copy(from: usize, to: usize, count: i32, add: f32): void {
  const add4 = f32x4.splat(add);
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    v128.store(to + (<usize>i << 2), f32x4.add(v128.load(from + (<usize>i << 2)), add4));
  }
  if (i < count && count >= 4) {
    const last = <usize>(count - 4) << 2;
    v128.store(to + last, f32x4.add(v128.load(from + last), add4));
    return;
  }
  for (; i < count; i++) store<f32>(to + (<usize>i << 2), load<f32>(from + (<usize>i << 2)) + add);
}

/**
 * A row of `count` columns, the first of which is column `left` of the padded row, to the even and the odd ones among those:
 * at `padded`, and `phase` floats behind it.
 */
function part(row: usize, count: i32, left: i32, padded: usize, phase: i32): void {
  const even = padded + (<usize>((left + 1) >> 1) << 2);
  const odd = even + (<usize>phase << 2);
  if (left & 1 && count > 0) {
    store<f32>(odd - 4, load<f32>(row));
    row += 4;
    count--;
  }
  let i = 0;
  const pairs = count & ~1;
  while (i < pairs && pairs >= 8) {
    i = min(i, pairs - 8);
    const a = v128.load(row + (<usize>i << 2));
    const b = v128.load(row + (<usize>i << 2), 16);
    v128.store(even + (<usize>i << 1), v128.shuffle<f32>(a, b, 0, 2, 4, 6));
    v128.store(odd + (<usize>i << 1), v128.shuffle<f32>(a, b, 1, 3, 5, 7));
    i += 8;
  }
  for (; i < count; i++) {
    store<f32>((i & 1 ? odd : even) + (<usize>(i >> 1) << 2), load<f32>(row + (<usize>i << 2)));
  }
}

/** The other way, plus `add`. */
function join(padded: usize, phase: i32, left: i32, count: i32, row: usize, add: f32): void {
  const add4 = f32x4.splat(add);
  const even = padded + (<usize>((left + 1) >> 1) << 2);
  const odd = even + (<usize>phase << 2);
  if (left & 1 && count > 0) {
    store<f32>(row, load<f32>(odd - 4) + add);
    row += 4;
    count--;
  }
  let i = 0;
  const pairs = count & ~1;
  while (i < pairs && pairs >= 8) {
    i = min(i, pairs - 8);
    const a = f32x4.add(v128.load(even + (<usize>i << 1)), add4);
    const b = f32x4.add(v128.load(odd + (<usize>i << 1)), add4);
    v128.store(row + (<usize>i << 2), v128.shuffle<f32>(a, b, 0, 4, 1, 5));
    v128.store(row + (<usize>i << 2), v128.shuffle<f32>(a, b, 2, 6, 3, 7), 16);
    i += 8;
  }
  for (; i < count; i++) {
    store<f32>(row + (<usize>i << 2), load<f32>((i & 1 ? odd : even) + (<usize>(i >> 1) << 2)) + add);
  }
}

/** `count` floats of `value`. */
// @ts-ignore: decorator
@inline
function fill(to: usize, count: i32, value: f32): void {
  const value4 = f32x4.splat(value);
  let i = count;
  for (; i >= 4; i -= 4, to += 16) v128.store(to, value4);
  for (; i > 0; i--, to += 4) store<f32>(to, value);
}

/** Each channel's bias all over the image at `x`; `bias` 0 for zeros. */
export function fillBias(plan: usize, bias: usize, x: usize): void {
  const size = field(plan, Field.height) * field(plan, Field.width);
  const channels = field(plan, Field.channels);
  for (let c: usize = 0; c < <usize>channels; c++, x += <usize>size << 2) {
    fill(x, size, bias ? load<f32>(bias + (c << 2)) : 0);
  }
}

/** One image of the plan's channels at `x` to its padded form at `out`. May write zeros up to 12 bytes past the last row. */
export function pad(plan: usize, x: usize, out: usize): void {
  const channels = field(plan, Field.channels);
  const height = field(plan, Field.height);
  const width = field(plan, Field.width);
  const rows = field(plan, Field.rows);
  const columns = field(plan, Field.columns);
  const pitch = field(plan, Field.pitch);
  const phase = field(plan, Field.phase);
  const plane = field(plan, Field.plane);
  const stride = field(plan, Field.stride);
  const top = field(plan, Field.top);
  const left = field(plan, Field.left);
  const inside = max(0, min(width, columns - left));
  const rowStride = field(plan, Field.rowStride);
  const rowSpan = field(plan, Field.rowSpan);
  const phases = min(stride, field(plan, Field.columnSpan));
  const right = pitch - left - inside;
  for (let c = 0; c < channels; c++, out += <usize>plane << 2) {
    let to = out;
    for (let r = 0; r < rows; r++, to += <usize>pitch << 2) {
      // Where the stride is longer than the kernel, there are rows and columns that no weight meets.
      if (rowStride > rowSpan && r % rowStride >= rowSpan) continue;
      const from = r - top;
      if (from < 0 || from >= height) {
        clear(to, pitch);
        continue;
      }
      const row = x + (<usize>(c * height + from) * <usize>width << 2);
      if (stride == 1) {
        // Zeros on the left reach into what is copied next, zeros on the right into the next row.
        const first = to + (<usize>left << 2);
        clear(to, min(left, pitch));
        copy(row, first, inside, 0);
        clear(first + (<usize>inside << 2), right);
        continue;
      }
      clear(to, pitch);
      if (stride == 2) part(row, inside, left, to, phase);
      else {
        for (let f = 0; f < phases; f++) {
          const first = firstOf(f, left, stride);
          let at = to + (<usize>(f * phase + (first + left) / stride) << 2);
          for (let j = first; j < inside; j += stride, at += 4) store<f32>(at, load<f32>(row + (<usize>j << 2)));
        }
      }
    }
  }
}

/** The first column j >= 0 of the image with (j + left) % stride == f. */
// @ts-ignore: decorator
@inline
function firstOf(f: i32, left: i32, stride: i32): i32 {
  const j = f - (left % stride);
  return j < 0 ? j + stride : j;
}

/** The other way: what has gathered at `padded` to the image at `x`, plus the channel's bias; `bias` 0 for none. */
export function crop(plan: usize, padded: usize, bias: usize, x: usize): void {
  const channels = field(plan, Field.channels);
  const height = field(plan, Field.height);
  const width = field(plan, Field.width);
  const rows = field(plan, Field.rows);
  const columns = field(plan, Field.columns);
  const pitch = field(plan, Field.pitch);
  const phase = field(plan, Field.phase);
  const plane = field(plan, Field.plane);
  const stride = field(plan, Field.stride);
  const top = field(plan, Field.top);
  const left = field(plan, Field.left);
  const inside = max(0, min(width, columns - left));
  for (let c = 0; c < channels; c++) {
    const add = bias ? load<f32>(bias + (<usize>c << 2)) : 0;
    for (let r = 0; r < height; r++, x += <usize>width << 2) {
      const from = padded + (<usize>(c * plane + (r + top) * pitch) << 2);
      let j = 0;
      if (r + top < rows) {
        if (stride == 1) copy(from + (<usize>left << 2), x, inside, add);
        else if (stride == 2) join(from, phase, left, inside, x, add);
        else {
          for (let f = 0; f < stride; f++) {
            const first = firstOf(f, left, stride);
            let at = from + (<usize>(f * phase + (first + left) / stride) << 2);
            for (let i = first; i < inside; i += stride, at += 4) store<f32>(x + (<usize>i << 2), load<f32>(at) + add);
          }
        }
        j = inside;
      }
      for (; j < width; j++) store<f32>(x + (<usize>j << 2), add);
    }
  }
}

/**
 * `count` images, `step` bytes apart, to an interleaved block. Lanes without an image are zero.
 */
export function interleave(plan: usize, x: usize, step: usize, count: i32, out: usize): void {
  const channels = field(plan, Field.channels);
  const height = field(plan, Field.height);
  const width = field(plan, Field.width);
  const rows = field(plan, Field.rows);
  const columns = field(plan, Field.columns);
  const top = field(plan, Field.top);
  const left = field(plan, Field.left);
  for (let c = 0; c < channels; c++) {
    for (let r = 0; r < rows; r++) {
      for (let j = 0; j < columns; j++, out += BLOCK << 2) {
        const row = r - top;
        const column = j - left;
        clear(out, BLOCK);
        if (row < 0 || row >= height || column < 0 || column >= width) continue;
        let from = x + (<usize>((c * height + row) * width + column) << 2);
        for (let i = 0; i < count; i++, from += step) store<f32>(out + (<usize>i << 2), load<f32>(from));
      }
    }
  }
}

/** The other way, plus the channel's bias; `bias` 0 for none. */
export function separate(plan: usize, block: usize, bias: usize, x: usize, step: usize, count: i32): void {
  const channels = field(plan, Field.channels);
  const height = field(plan, Field.height);
  const width = field(plan, Field.width);
  const rows = field(plan, Field.rows);
  const columns = field(plan, Field.columns);
  const top = field(plan, Field.top);
  const left = field(plan, Field.left);
  for (let c = 0; c < channels; c++) {
    const add = bias ? load<f32>(bias + (<usize>c << 2)) : 0;
    for (let r = 0; r < height; r++) {
      for (let j = 0; j < width; j++, x += 4) {
        const met = r + top < rows && j + left < columns;
        const from = block + (<usize>((c * rows + r + top) * columns + j + left) << 5);
        for (let i = 0; i < count; i++) {
          store<f32>(x + <usize>i * step, add + (met ? load<f32>(from + (<usize>i << 2)) : 0));
        }
      }
    }
  }
}

/**
 * One channel of an output to groups of pixels, `step` bytes apart, and their sums. Where the last group of a row
 * overlaps the one before, the lanes that the latter has are zero.
 */
export function groupRow(y: usize, outHeight: i32, outWidth: i32, to: usize, step: usize): v128 {
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
  if ((outWidth & 3) == 0) {
    let left = outHeight * outWidth;
    for (; left >= 16; left -= 16, y += 64) {
      const a = v128.load(y), b = v128.load(y, 16), c = v128.load(y, 32), d = v128.load(y, 48);
      v128.store(to, a);
      to += step;
      v128.store(to, b);
      to += step;
      v128.store(to, c);
      to += step;
      v128.store(to, d);
      to += step;
      s0 = f32x4.add(s0, a);
      s1 = f32x4.add(s1, b);
      s2 = f32x4.add(s2, c);
      s3 = f32x4.add(s3, d);
    }
    for (; left > 0; left -= 4, y += 16, to += step) {
      const a = v128.load(y);
      v128.store(to, a);
      s0 = f32x4.add(s0, a);
    }
    return f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3));
  }
  const start = <usize>(outWidth - 4) << 2;
  const fresh = i32x4.ge_s(i32x4(0, 1, 2, 3), i32x4.splat(4 - (outWidth & 3)));
  for (let r = 0; r < outHeight; r++, y += <usize>outWidth << 2) {
    for (let at: usize = 0; at <= start; at += 16, to += step) {
      const a = v128.load(y + at);
      v128.store(to, a);
      s0 = f32x4.add(s0, a);
    }
    const a = v128.and(v128.load(y + start), fresh);
    v128.store(to, a);
    s1 = f32x4.add(s1, a);
    to += step;
  }
  return f32x4.add(s0, s1);
}

/** The same for an interleaved block of `count` images, `image` bytes apart: two groups a pixel. */
export function groupBlock(y: usize, image: usize, count: i32, pixels: i32, to: usize, step: usize): v128 {
  let sum = f32x4.splat(0);
  for (let p = 0; p < pixels; p++, y += 4, to += 2 * step) {
    v128.store(to, i64x2.splat(0));
    v128.store(to + step, i64x2.splat(0));
    for (let i = 0; i < count; i++) {
      store<f32>(to + <usize>(i >> 2) * step + (<usize>(i & 3) << 2), load<f32>(y + <usize>i * image));
    }
    sum = f32x4.add(sum, f32x4.add(v128.load(to), v128.load(to + step)));
  }
  return sum;
}

/** Bytes of one image, all groups of channels. */
// @ts-ignore: decorator
@inline
export function imageStep(plan: usize): usize {
  const values = field(plan, Field.channels) * field(plan, Field.height) * field(plan, Field.width);
  return <usize>(field(plan, Field.groups) * values) << 2;
}

/** Bytes of one image's output, all groups of channels. */
// @ts-ignore: decorator
@inline
export function outStep(plan: usize): usize {
  const pixels = field(plan, Field.outHeight) * field(plan, Field.outWidth);
  return <usize>(field(plan, Field.groups) * field(plan, Field.outputs)) * <usize>pixels << 2;
}

/** Image n, or the block that starts with it, of group g as the tiles want it: in place, or at `room`. */
export function prepare(plan: usize, x: usize, n: i32, g: i32, room: usize): usize {
  const step = imageStep(plan);
  const from = x + <usize>n * step + <usize>g * (step / <usize>field(plan, Field.groups));
  const mode = field(plan, Field.mode);
  if (mode == IN_PLACE) return from;
  if (mode == INTERLEAVED) interleave(plan, from, step, min(BLOCK, field(plan, Field.images) - n), room);
  else pad(plan, from, room);
  return room;
}
