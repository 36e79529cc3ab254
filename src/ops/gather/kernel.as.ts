// Making a batch: chosen rows copied one below the other, and chosen images turned from bytes
// into floats on the way.

/** The one item: `bytes` bytes at `from` to `out`. */
export function gather_index(out: usize, from: usize, bytes: usize, begin: i32, end: i32): void {
  if (begin < end) memory.copy(out, from, bytes);
}

/** out[i] = x[rows[i]], rows of `bytes` bytes, for the rows [begin, end) of the batch. */
export function gather_rows(out: usize, x: usize, rows: usize, bytes: usize, begin: i32, end: i32): void {
  for (let i = begin; i < end; i++) {
    const row = load<i32>(rows + (<usize>i << 2));
    memory.copy(out + <usize>i * bytes, x + <usize>row * bytes, bytes);
  }
}

/** to[j] = table[from[j]] for `length` bytes. */
// @ts-ignore: decorator
@inline
function lookup(to: usize, from: usize, length: usize, table: usize): void {
  let j: usize = 0;
  for (; j + 4 <= length; j += 4) {
    const four = load<u32>(from + j);
    let v = v128.load32_zero(table + (<usize>(four & 255) << 2));
    v = v128.load_lane<f32>(table + (<usize>((four >> 8) & 255) << 2), v, 1);
    v = v128.load_lane<f32>(table + (<usize>((four >> 16) & 255) << 2), v, 2);
    v = v128.load_lane<f32>(table + (<usize>(four >> 24) << 2), v, 3);
    v128.store(to + (j << 2), v);
  }
  for (; j < length; j++) {
    store<f32>(to + (j << 2), load<f32>(table + (<usize>load<u8>(from + j) << 2)));
  }
}

/** Reads a byte of each cache line of a row, so that they are on their way. */
// @ts-ignore: decorator
@inline
function touch(row: usize, size: usize): void {
  for (let j: usize = 0; j < size; j += 64) load<u8>(row + j);
}

/** Whole images: out[i, c, p] = tables[c][x[rows[i], c, p]] for `plane` pixels p a channel. */
export function gather_images(
  out: usize,
  x: usize,
  rows: usize,
  tables: usize,
  channels: i32,
  plane: usize,
  begin: i32,
  end: i32,
): void {
  const size = <usize>channels * plane;
  for (let i = begin; i < end; i++) {
    const from = x + <usize>load<i32>(rows + (<usize>i << 2)) * size;
    const to = out + ((<usize>i * size) << 2);
    // Rows lie far apart: asking for all of the next one's cache lines at once overlaps their latencies.
    if (i + 1 < end) touch(x + <usize>load<i32>(rows + (<usize>i << 2), 4) * size, size);
    for (let c = 0; c < channels; c++) {
      const at = <usize>c * plane;
      lookup(to + (at << 2), from + at, plane, tables + (<usize>c << 10));
    }
  }
}

/**
 * Cropped and flipped images. `windows` holds (top, left, flip) for each image of the batch: the
 * window of outHeight x outWidth pixels whose corner is there, black where it leaves the image,
 * mirrored from left to right if flip is 1.
 */
export function gather_windows(
  out: usize,
  x: usize,
  rows: usize,
  tables: usize,
  windows: usize,
  channels: i32,
  height: i32,
  width: i32,
  outHeight: i32,
  outWidth: i32,
  begin: i32,
  end: i32,
): void {
  for (let i = begin; i < end; i++) {
    const size = <usize>(channels * height * width);
    const image = x + <usize>load<i32>(rows + (<usize>i << 2)) * size;
    if (i + 1 < end) touch(x + <usize>load<i32>(rows + (<usize>i << 2), 4) * size, size);
    const window = windows + <usize>i * 12;
    const top = load<i32>(window);
    const left = load<i32>(window, 4);
    const flip = load<i32>(window, 8);
    // The columns of the window that lie within the image.
    const first = min(max(-left, 0), outWidth);
    const last = max(min(width - left, outWidth), first);
    for (let c = 0; c < channels; c++) {
      const table = tables + (<usize>c << 10);
      const black = load<f32>(table);
      for (let h = 0; h < outHeight; h++) {
        const to = out + (<usize>(((i * channels + c) * outHeight + h) * outWidth) << 2);
        const y = top + h;
        const inside = y >= 0 && y < height;
        const begins = inside ? first : outWidth;
        const ends = inside ? last : outWidth;
        const from = image + <usize>((c * height + y) * width + left);
        fillBlack(to, 0, begins, outWidth, flip, black);
        if (flip) {
          for (let w = begins; w < ends; w++) {
            const value = load<f32>(table + (<usize>load<u8>(from + w) << 2));
            store<f32>(to + (<usize>(outWidth - 1 - w) << 2), value);
          }
        } else {
          lookup(to + (<usize>begins << 2), from + begins, ends - begins, table);
        }
        fillBlack(to, ends, outWidth, outWidth, flip, black);
      }
    }
  }
}

/** Columns [begin, end) of the window, before it is mirrored. */
// @ts-ignore: decorator
@inline
function fillBlack(to: usize, begin: i32, end: i32, width: i32, flip: i32, black: f32): void {
  for (let w = begin; w < end; w++) store<f32>(to + (<usize>(flip ? width - 1 - w : w) << 2), black);
}
