// C = A B (+ bias): packing, and the loops around the micro-kernels of tiles.as.ts. Matrices are
// given by a pointer and two strides, so that a transpose costs nothing; strides and offsets count
// elements unless they are called bytes.

import { fma, storeTransposed, sumLanes } from "../../backend/wasm/simd.as";
import { tile, wideTile } from "./tiles.as";

/** Packs `all` columns, 12 or 24, of which `columns` exist, as [K][all]; the others are the last once more, or zero. */
function packColumns(b: usize, rs: usize, cs: usize, K: i32, columns: i32, all: i32, out: usize): void {
  let k = 0;
  const row = <usize>all << 2;
  if (cs == 4 && columns == all) {
    for (; k < K; k++, b += rs, out += row) {
      v128.store(out, v128.load(b));
      v128.store(out, v128.load(b, 16), 16);
      v128.store(out, v128.load(b, 32), 32);
      if (all == 12) continue;
      v128.store(out, v128.load(b, 48), 48);
      v128.store(out, v128.load(b, 64), 64);
      v128.store(out, v128.load(b, 80), 80);
    }
    return;
  }
  if (rs == 4) {
    // Columns are contiguous: transpose four by four.
    const whole = K & ~3;
    for (let j = 0; j < all; j += 4) {
      const b0 = b + <usize>min(j, columns - 1) * cs, b1 = b + <usize>min(j + 1, columns - 1) * cs;
      const b2 = b + <usize>min(j + 2, columns - 1) * cs, b3 = b + <usize>min(j + 3, columns - 1) * cs;
      let to = out + (<usize>j << 2);
      for (let at: usize = 0; at < <usize>whole << 2; at += 16, to += row << 2) {
        storeTransposed(v128.load(b0 + at), v128.load(b1 + at), v128.load(b2 + at), v128.load(b3 + at), to, row);
      }
    }
    k = whole;
    out += <usize>whole * row;
  }
  for (; k < K; k++, out += row) {
    // Multiplying what happens to lie there could take a hundred times as long, if it is subnormal.
    for (let i: usize = 0; i < row; i += 16) v128.store(out + i, f32x4.splat(0));
    for (let j: usize = 0; j < <usize>columns; j++) store<f32>(out + (j << 2), load<f32>(b + <usize>k * rs + j * cs));
  }
}

/**
 * Copies matrices A[M, K] so that they are contiguous along k. An item is 16 rows: `blocks` a matrix, the matrices
 * starting at `offsets` (int32).
 */
export function matmul_rows(
  a: usize, rs: i32, cs: i32, M: i32, K: i32, offsets: usize, blocks: i32, out: usize, begin: i32, end: i32,
): void {
  const aRow = <usize>rs << 2, aColumn = <usize>cs << 2, step = <usize>K << 2;
  for (let item = begin; item < end; item++) {
    const matrix = item / blocks;
    const first = (item - matrix * blocks) * 16;
    const rows = min(16, M - first);
    const from = a + (<usize>load<u32>(offsets + (matrix << 2)) << 2) + <usize>first * aRow;
    const to = out + (<usize>matrix * <usize>M + <usize>first) * step;
    const wide = rs == 1 ? K & ~3 : 0;
    const high = rows & ~3;
    // Lines of 16 k at a time: as many are on their way at once, and whole lines are written.
    for (let k0 = 0; k0 < wide; k0 += 16) {
      const stop = min(k0 + 16, wide);
      for (let i = 0; i < high; i += 4) {
        for (let k = k0; k < stop; k += 4) {
          const p0 = from + <usize>k * aColumn + (<usize>i << 2);
          const p1 = p0 + aColumn, p2 = p1 + aColumn, p3 = p2 + aColumn;
          const into = to + <usize>i * step + (<usize>k << 2);
          storeTransposed(v128.load(p0), v128.load(p1), v128.load(p2), v128.load(p3), into, step);
        }
      }
    }
    // What is left: the last of k, and all of k of the last rows.
    for (let i = 0; i < rows; i++) {
      const source = from + <usize>i * aRow, into = to + <usize>i * step;
      for (let k = i < high ? wide : 0; k < K; k++) store<f32>(into + (<usize>k << 2), load<f32>(source + <usize>k * aColumn));
    }
  }
}

/** Copies a rows x columns corner between two tiles whose rows lie `fromStep` and `toStep` bytes apart. */
function copyCorner(from: usize, fromStep: usize, to: usize, toStep: usize, rows: i32, columns: i32): void {
  for (let i = 0; i < rows; i++, from += fromStep, to += toStep) {
    for (let j = 0; j < columns; j++) store<f32>(to + (j << 2), load<f32>(from + (j << 2)));
  }
}

/**
 * C = A B + bias for each product of the batch. An item is a block of `blockM` x `blockN` tiles of 3 x 12, where vectors may be
 * merged two of them side by side, of one
 * product. `aStarts` and `bStarts` (int32, by product, in elements) say where A and B start; A is contiguous along k, its
 * rows `rsA` apart. `bias` is 0 where there is none. K is cut into `kBlocks` equal blocks: of B, `together` times twelve
 * columns of a block are packed at a time, and stay in the first-level cache while all rows use them.
 *
 * Scratch: 288 bytes for a tile at the edge, 96 of zeros, then B packed.
 */
export function matmul_multiply(
  a: usize, rsA: i32, aStarts: usize, b: usize, rsB: i32, csB: i32, bStarts: usize,
  c: usize, M: i32, N: i32, K: i32, bias: usize, blockM: i32, blockN: i32, kBlocks: i32, together: i32,
  begin: i32, end: i32, scratch: usize,
): void {
  const tilesM = (M + 2) / 3;
  const tilesN = (N + 11) / 12;
  const blocksM = (tilesM + blockM - 1) / blockM;
  const blocksN = (tilesN + blockN - 1) / blockN;
  const kStep = max(1, (K + kBlocks - 1) / kBlocks);
  const ldc = <usize>N << 2;
  const aRow = <usize>rsA << 2;
  const bRow = <usize>rsB << 2;
  const bColumn = <usize>csB << 2;
  const zeros = scratch + 288;
  const packed = scratch + 384;
  for (let i: usize = 0; i < 96; i += 16) v128.store(zeros + i, f32x4.splat(0));
  for (let item = begin; item < end; item++) {
    const product = item / (blocksM * blocksN);
    const block = item - product * blocksM * blocksN;
    const firstM = (block / blocksN) * blockM;
    const firstN = (block % blocksN) * blockN;
    const lastRow = min(M, (firstM + blockM) * 3);
    const lastN = min(tilesN, firstN + blockN);
    const aStart = a + (<usize>load<u32>(aStarts + (product << 2)) << 2);
    const bStart = b + (<usize>load<u32>(bStarts + (product << 2)) << 2);
    const cStart = c + <usize>product * <usize>M * ldc;
    let k = 0;
    do {
      const kc = min(kStep, K - k);
      const panel = <usize>max(1, kc) * 48;
      for (let j0 = firstN; j0 < lastN; j0 += together) {
        const j1 = min(lastN, j0 + together);
        for (let j = j0; j < j1;) {
          const to = packed + <usize>(j - j0) * panel;
          const all = across(j, j1);
          // Without any k it is 0 times 0 that is added.
          if (kc == 0) copyCorner(zeros, 0, to, 0, 1, all);
          else packColumns(bStart + <usize>k * bRow + <usize>(j * 12) * bColumn, bRow, bColumn, kc, min(all, N - j * 12), all, to);
          j += all / 12;
        }
        for (let i = firstM * 3; i < lastRow;) {
          // The last one or two rows go one by one, as a tile of three times the same.
          const rows = lastRow - i >= 3 ? 3 : 1;
          const aTile = kc == 0 ? zeros : aStart + <usize>i * aRow + (<usize>k << 2);
          const aStep = rows == 3 && kc > 0 ? aRow : 0;
          for (let j = j0; j < j1;) {
            const all = across(j, j1);
            const columns = min(all, N - j * 12);
            const whole = rows == 3 && columns == all;
            const row = <usize>all << 2;
            const cTile = cStart + <usize>i * ldc + <usize>j * 48;
            const to = whole ? cTile : scratch;
            const toStep = whole ? ldc : row;
            let from = to;
            let fromStep = toStep;
            if (k == 0 && (columns == all || !bias)) {
              from = bias ? bias + <usize>j * 48 : zeros;
              fromStep = 0;
            } else if (!whole) {
              if (k == 0) copyCorner(bias + <usize>j * 48, 0, scratch, row, rows, columns);
              else copyCorner(cTile, ldc, scratch, row, rows, columns);
            }
            const b = packed + <usize>(j - j0) * panel;
            if (WIDE && all == 24) wideTile(aTile, b, aStep, max(1, kc), from, fromStep, to, toStep);
            else tile(aTile, b, aStep, max(1, kc), from, fromStep, to, toStep);
            if (!whole) copyCorner(scratch, row, cTile, ldc, rows, columns);
            j += all / 12;
          }
          i += rows;
        }
      }
      k += kc;
    } while (k < K);
  }
}

/** Columns of the tile that starts with the j-th twelve of them, of those up to j1. */
// @ts-ignore: decorator
@inline
function across(j: i32, j1: i32): i32 {
  return WIDE && j + 2 <= j1 ? 24 : 12;
}

/** The dot product of two contiguous runs of n values. */
// @ts-ignore: decorator
@inline
function dot(p: usize, q: usize, n: i32): f32 {
  let s0 = f32x4.splat(0), s1 = s0;
  let i = 0;
  for (; i + 8 <= n; i += 8, p += 32, q += 32) {
    s0 = fma(v128.load(p), v128.load(q), s0);
    s1 = fma(v128.load(p, 16), v128.load(q, 16), s1);
  }
  let total = sumLanes(f32x4.add(s0, s1));
  for (; i < n; i++, p += 4, q += 4) total += load<f32>(p) * load<f32>(q);
  return total;
}

/**
 * Few rows against many, both contiguous along k: c[i * cP + j * cQ] = p[i] . q[j] + bias, for i in
 * [begin, end) and j < Q. Reads P once, which is all that there is to win. `bias` is indexed by
 * i * biasP + j * biasQ; 0 where there is none. Rows of p and q lie `pRow` and `qRow` apart.
 */
export function matmul_dots(
  p: usize, pRow: i32, q: usize, qRow: i32, Q: i32, K: i32, c: usize, cP: i32, cQ: i32,
  bias: usize, biasP: i32, biasQ: i32, begin: i32, end: i32,
): void {
  for (let i = begin; i < end; i++) {
    const pAt = p + (<usize>i * pRow << 2);
    for (let j = 0; j < Q; j++) {
      const start = bias ? load<f32>(bias + (<usize>(i * biasP + j * biasQ) << 2)) : 0;
      store<f32>(c + (<usize>(i * cP + j * cQ) << 2), dot(pAt, q + (<usize>j * qRow << 2), K) + start);
    }
  }
}

/**
 * out[o] = sum of `count` vectors of `size` elements, those of o starting at starts[o * count …]
 * (int32, elements). Items are (o, run of elements): `runs` runs of `run` elements for each o.
 */
export function matmul_sum(
  x: usize, starts: usize, count: i32, size: i32, runs: i32, run: i32, out: usize, begin: i32, end: i32,
): void {
  for (let item = begin; item < end; item++) {
    const o = item / runs;
    const first = (item - o * runs) * run;
    const last = min(size, first + run);
    const list = starts + (<usize>o * count << 2);
    const to = out + (<usize>o * size << 2);
    for (let i = first; i < last; i += 4) {
      const at = <usize>i << 2;
      let sum = f32x4.splat(0);
      for (let j = 0; j < count; j++) {
        const start = <usize>load<u32>(list + (<usize>j << 2)) << 2;
        sum = f32x4.add(sum, v128.load(x + start + at));
      }
      if (i + 4 <= last) v128.store(to + at, sum);
      else {
        store<f32>(to + at, f32x4.extract_lane(sum, 0));
        if (i + 1 < last) store<f32>(to + at + 4, f32x4.extract_lane(sum, 1));
        if (i + 2 < last) store<f32>(to + at + 8, f32x4.extract_lane(sum, 2));
      }
    }
  }
}

// See tiles.as.ts.
export { tile as matmul_tile, wideTile as matmul_wide_tile };
