// C = A B (+ bias): packing, and the loops around the micro-kernels of tiles.as.ts. Matrices are
// given by a pointer and two strides, so that a transpose costs nothing; strides and offsets count
// elements unless they are called bytes.

import { fma, sumLanes } from "../../backend/wasm/simd.as";
import { tile } from "./tiles.as";

/** Writes columns 0 to 3 of four rows as rows: out[j, 0..3] = (r0[j], r1[j], r2[j], r3[j]). */
// @ts-ignore: decorator
@inline
function storeTransposed(r0: v128, r1: v128, r2: v128, r3: v128, out: usize, step: usize): void {
  const low01 = i32x4.shuffle(r0, r1, 0, 4, 1, 5);
  const low23 = i32x4.shuffle(r2, r3, 0, 4, 1, 5);
  const high01 = i32x4.shuffle(r0, r1, 2, 6, 3, 7);
  const high23 = i32x4.shuffle(r2, r3, 2, 6, 3, 7);
  v128.store(out, i64x2.shuffle(low01, low23, 0, 2));
  v128.store(out + step, i64x2.shuffle(low01, low23, 1, 3));
  v128.store(out + 2 * step, i64x2.shuffle(high01, high23, 0, 2));
  v128.store(out + 3 * step, i64x2.shuffle(high01, high23, 1, 3));
}

/** Packs 8 columns, of which `columns` exist, as [K][8]. What does not exist is never used. */
function packColumns(b: usize, rs: usize, cs: usize, K: i32, columns: i32, out: usize): void {
  let k = 0;
  if (cs == 4) {
    for (; k < K; k++, b += rs, out += 32) {
      v128.store(out, v128.load(b));
      v128.store(out, v128.load(b, 16), 16);
    }
    return;
  }
  if (rs == 4) {
    // Columns are contiguous: transpose four by four.
    const last = <usize>columns - 1;
    const b1 = b + min<usize>(1, last) * cs, b2 = b + min<usize>(2, last) * cs, b3 = b + min<usize>(3, last) * cs;
    const b4 = b + min<usize>(4, last) * cs, b5 = b + min<usize>(5, last) * cs;
    const b6 = b + min<usize>(6, last) * cs, b7 = b + min<usize>(7, last) * cs;
    for (; k + 4 <= K; k += 4, out += 128) {
      const at = <usize>k << 2;
      storeTransposed(v128.load(b + at), v128.load(b1 + at), v128.load(b2 + at), v128.load(b3 + at), out, 32);
      storeTransposed(v128.load(b4 + at), v128.load(b5 + at), v128.load(b6 + at), v128.load(b7 + at), out + 16, 32);
    }
  }
  for (; k < K; k++, out += 32) {
    for (let j: usize = 0; j < <usize>columns; j++) store<f32>(out + (j << 2), load<f32>(b + <usize>k * rs + j * cs));
  }
}

/** Packs four values as four vectors, each of one of them. */
// @ts-ignore: decorator
@inline
function storeBroadcast(v: v128, out: usize, step: usize): void {
  v128.store(out, i32x4.shuffle(v, v, 0, 0, 0, 0));
  v128.store(out + step, i32x4.shuffle(v, v, 1, 1, 1, 1));
  v128.store(out + 2 * step, i32x4.shuffle(v, v, 2, 2, 2, 2));
  v128.store(out + 3 * step, i32x4.shuffle(v, v, 3, 3, 3, 3));
}

/** Packs 4 rows, of which `rows` exist, as [K][4], each value four times. What does not exist is never used. */
function packRows(a: usize, rs: usize, cs: usize, K: i32, rows: i32, out: usize): void {
  let k = 0;
  if (rs == 4) {
    for (; k < K; k++, a += cs, out += 64) storeBroadcast(v128.load(a), out, 16);
    return;
  }
  if (cs == 4) {
    const last = <usize>rows - 1;
    const a1 = a + min<usize>(1, last) * rs, a2 = a + min<usize>(2, last) * rs, a3 = a + last * rs;
    for (; k + 4 <= K; k += 4, out += 256) {
      const at = <usize>k << 2;
      storeBroadcast(v128.load(a + at), out, 64);
      storeBroadcast(v128.load(a1 + at), out + 16, 64);
      storeBroadcast(v128.load(a2 + at), out + 32, 64);
      storeBroadcast(v128.load(a3 + at), out + 48, 64);
    }
  }
  for (; k < K; k++, out += 64) {
    const from = a + <usize>k * cs;
    for (let i: usize = 0; i < <usize>rows; i++) v128.store(out + (i << 4), v128.load32_splat(from + i * rs));
  }
}

/**
 * Packs matrices B[K, N] into panels of 8 columns. An item is a panel: `panels` a matrix, the
 * matrices starting at `offsets` (int32).
 */
export function matmul_pack(
  b: usize, rs: i32, cs: i32, K: i32, N: i32, offsets: usize, panels: i32, out: usize, begin: i32, end: i32,
): void {
  for (let item = begin; item < end; item++) {
    const matrix = item / panels;
    const column = (item - matrix * panels) * 8;
    const start = <usize>load<u32>(offsets + (matrix << 2)) + <usize>column * cs;
    const to = out + <usize>item * <usize>K * 32;
    packColumns(b + (start << 2), <usize>rs << 2, <usize>cs << 2, K, min(8, N - column), to);
  }
}

/** Copies a rows x columns corner between two tiles whose rows lie `fromStep` and `toStep` bytes apart. */
function copyCorner(from: usize, fromStep: usize, to: usize, toStep: usize, rows: i32, columns: i32): void {
  for (let i = 0; i < rows; i++, from += fromStep, to += toStep) {
    for (let j = 0; j < columns; j++) store<f32>(to + (j << 2), load<f32>(from + (j << 2)));
  }
}

/**
 * C = A B + bias for each product of the batch. An item is a block of `blockM` x `blockN` tiles of
 * 4 x 8 of one product. `aStarts` and `bStarts` (int32, by product) say where A and B start: A in
 * elements, B in bytes after `b`. Of B, panel j starts `bPanel` bytes after panel j - 1, and k + 1
 * `bStep` bytes after k: 32 if packed. `bias` is 0 where there is none. K is cut into `kBlocks`
 * equal blocks, so that a panel stays in the first-level cache.
 *
 * Scratch: 192 bytes for a tile at the edge, 64 bytes of zeros, then A packed.
 */
export function matmul_multiply(
  a: usize, rsA: i32, csA: i32, aStarts: usize, b: usize, bStep: usize, bPanel: usize, bStarts: usize,
  c: usize, M: i32, N: i32, K: i32, bias: usize, blockM: i32, blockN: i32, kBlocks: i32,
  begin: i32, end: i32, scratch: usize,
): void {
  const tilesM = (M + 3) / 4;
  const tilesN = (N + 7) / 8;
  const blocksM = (tilesM + blockM - 1) / blockM;
  const blocksN = (tilesN + blockN - 1) / blockN;
  const kStep = max(1, (K + kBlocks - 1) / kBlocks);
  const ldc = <usize>N << 2;
  const aRow = <usize>rsA << 2;
  const aColumn = <usize>csA << 2;
  const zeros = scratch + 192;
  for (let i: usize = 0; i < 64; i += 16) v128.store(zeros + i, f32x4.splat(0));
  for (let item = begin; item < end; item++) {
    const product = item / (blocksM * blocksN);
    const block = item - product * blocksM * blocksN;
    const firstM = (block / blocksN) * blockM;
    const firstN = (block % blocksN) * blockN;
    const lastM = min(tilesM, firstM + blockM);
    const lastN = min(tilesN, firstN + blockN);
    const aStart = a + (<usize>load<u32>(aStarts + (product << 2)) << 2);
    const bStart = b + <usize>load<u32>(bStarts + (product << 2));
    const cStart = c + <usize>product * <usize>M * ldc;
    let k = 0;
    do {
      const kc = min(kStep, K - k);
      for (let i = firstM; i < lastM; i++) {
        const from = aStart + <usize>(i * 4) * aRow + <usize>k * aColumn;
        packRows(from, aRow, aColumn, kc, min(4, M - i * 4), scratch + 256 + (<usize>(i - firstM) * <usize>kc << 6));
      }
      for (let j = firstN; j < lastN; j++) {
        // Without any k it is 0 times 0 that is added.
        const bTile = kc == 0 ? zeros : bStart + <usize>j * bPanel + <usize>k * bStep;
        const columns = min(8, N - j * 8);
        for (let i = firstM; i < lastM; i++) {
          const rows = min(4, M - i * 4);
          const whole = rows == 4 && columns == 8;
          const cTile = cStart + <usize>(i * 4) * ldc + (<usize>j << 5);
          const to = whole ? cTile : scratch;
          const toStep = whole ? ldc : 32;
          let from = to;
          let fromStep = toStep;
          if (k == 0) {
            from = bias ? bias + (<usize>j << 5) : zeros;
            fromStep = 0;
          } else if (!whole) copyCorner(cTile, ldc, scratch, 32, rows, columns);
          const aTile = kc == 0 ? zeros : scratch + 256 + (<usize>(i - firstM) * <usize>kc << 6);
          tile(aTile, bTile, bStep, max(1, kc), from, fromStep, to, toStep);
          if (!whole) copyCorner(scratch, 32, cTile, ldc, rows, columns);
        }
      }
      k += kc;
    } while (k < K);
  }
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
export { tile as matmul_tile };
