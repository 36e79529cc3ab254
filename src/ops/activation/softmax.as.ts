// Softmax and its logarithm over the middle of [outer, n, inner]. With inner 1 the lanes run along
// the row, otherwise along the columns, four of them side by side.

import { exp4, log4, storeUpTo, sumLanes } from "../../backend/wasm/simd.as";

/** All bits in the first `count` lanes. */
// @ts-ignore: decorator
@inline
function firstLanes(count: i32): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count));
}

function maxOfRow(x: usize, n: i32): f32 {
  let y = v128.load32_splat(x);
  let i = 0;
  for (; i + 4 <= n; i += 4) y = f32x4.max(y, v128.load(x + (<usize>i << 2)));
  if (i < n) {
    const last = v128.load(x + (<usize>i << 2));
    y = f32x4.max(y, v128.bitselect(last, y, firstLanes(n - i)));
  }
  y = f32x4.max(y, i64x2.shuffle(y, y, 1, 0));
  return f32.max(f32x4.extract_lane(y, 0), f32x4.extract_lane(y, 1));
}

/** The sum of e^(x - max), which is stored at `y` if there is one. */
// @ts-ignore: decorator
@inline
function expRow(x: usize, y: usize, n: i32, max: v128): f32 {
  let a = f32x4.splat(0), b = f32x4.splat(0);
  let i = 0;
  for (; i + 8 <= n; i += 8) {
    const at = <usize>i << 2;
    const first = exp4(f32x4.sub(v128.load(x + at), max));
    const second = exp4(f32x4.sub(v128.load(x + at, 16), max));
    if (y) {
      v128.store(y + at, first);
      v128.store(y + at, second, 16);
    }
    a = f32x4.add(a, first);
    b = f32x4.add(b, second);
  }
  for (; i < n; i += 4) {
    const at = <usize>i << 2;
    const e = exp4(f32x4.sub(v128.load(x + at), max));
    if (y) storeUpTo(y + at, e, n - i);
    a = f32x4.add(a, v128.and(e, firstLanes(n - i)));
  }
  return sumLanes(f32x4.add(a, b));
}

function softmaxRow(x: usize, y: usize, n: i32): void {
  const max = f32x4.splat(maxOfRow(x, n));
  const scale = f32x4.splat(1 / expRow(x, y, n, max));
  for (let i = 0; i < n; i += 4) {
    const at = <usize>i << 2;
    storeUpTo(y + at, f32x4.mul(v128.load(y + at), scale), n - i);
  }
}

function logSoftmaxRow(x: usize, y: usize, n: i32): void {
  const max = f32x4.splat(maxOfRow(x, n));
  const logSum = log4(f32x4.splat(expRow(x, 0, n, max)));
  for (let i = 0; i < n; i += 4) {
    const at = <usize>i << 2;
    storeUpTo(y + at, f32x4.sub(f32x4.sub(v128.load(x + at), max), logSum), n - i);
  }
}

/** Four columns, of which the first `count` are written. */
function columns(isLog: bool, x: usize, y: usize, n: i32, step: usize, count: i32): void {
  const bytes = <usize>n * step;
  let max = v128.load(x);
  for (let at = step; at < bytes; at += step) max = f32x4.max(max, v128.load(x + at));
  let sum = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += step) {
    const e = exp4(f32x4.sub(v128.load(x + at), max));
    if (!isLog) storeUpTo(y + at, e, count);
    sum = f32x4.add(sum, e);
  }
  const logSum = log4(sum);
  const scale = f32x4.div(f32x4.splat(1), sum);
  for (let at: usize = 0; at < bytes; at += step) {
    if (isLog) storeUpTo(y + at, f32x4.sub(f32x4.sub(v128.load(x + at), max), logSum), count);
    else storeUpTo(y + at, f32x4.mul(v128.load(y + at), scale), count);
  }
}

/** y = softmax of x, or its logarithm. An item is an o. */
export function activation_softmax(isLog: i32, x: usize, y: usize, n: i32, inner: i32, begin: i32, end: i32): void {
  const bytes = <usize>n * inner << 2;
  for (let o = begin; o < end; o++) {
    const at = <usize>o * bytes;
    if (inner == 1) {
      if (isLog) logSoftmaxRow(x + at, y + at, n);
      else softmaxRow(x + at, y + at, n);
      continue;
    }
    for (let i = 0; i < inner; i += 4) {
      const column = at + (<usize>i << 2);
      columns(isLog != 0, x + column, y + column, n, <usize>inner << 2, inner - i);
    }
  }
}

/** What is summed over the middle: y dy for softmax, dy for its logarithm. */
// @ts-ignore: decorator
@inline
function term(isLog: bool, y: v128, dy: v128): v128 {
  return isLog ? dy : f32x4.mul(y, dy);
}

/** dx = y (dy - sum) for softmax, dy - e^y sum for its logarithm. */
// @ts-ignore: decorator
@inline
function gradient(isLog: bool, y: v128, dy: v128, sum: v128): v128 {
  return isLog ? f32x4.sub(dy, f32x4.mul(exp4(y), sum)) : f32x4.mul(y, f32x4.sub(dy, sum));
}

function rowBackward(isLog: bool, y: usize, dy: usize, dx: usize, n: i32): void {
  let total = f32x4.splat(0);
  for (let i = 0; i < n; i += 4) {
    const at = <usize>i << 2;
    total = f32x4.add(total, v128.and(term(isLog, v128.load(y + at), v128.load(dy + at)), firstLanes(n - i)));
  }
  const sum = f32x4.splat(sumLanes(total));
  for (let i = 0; i < n; i += 4) {
    const at = <usize>i << 2;
    storeUpTo(dx + at, gradient(isLog, v128.load(y + at), v128.load(dy + at), sum), n - i);
  }
}

function columnsBackward(isLog: bool, y: usize, dy: usize, dx: usize, n: i32, step: usize, count: i32): void {
  const bytes = <usize>n * step;
  let sum = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += step) {
    sum = f32x4.add(sum, term(isLog, v128.load(y + at), v128.load(dy + at)));
  }
  for (let at: usize = 0; at < bytes; at += step) {
    storeUpTo(dx + at, gradient(isLog, v128.load(y + at), v128.load(dy + at), sum), count);
  }
}

/** dx of softmax or its logarithm, from y and dy. An item is an o. */
export function activation_softmax_backward(
  isLog: i32, y: usize, dy: usize, dx: usize, n: i32, inner: i32, begin: i32, end: i32,
): void {
  const bytes = <usize>n * inner << 2;
  const wantsLog = isLog != 0;
  for (let o = begin; o < end; o++) {
    const at = <usize>o * bytes;
    if (inner == 1) {
      rowBackward(wantsLog, y + at, dy + at, dx + at, n);
      continue;
    }
    for (let i = 0; i < inner; i += 4) {
      const column = at + (<usize>i << 2);
      columnsBackward(wantsLog, y + column, dy + column, dx + column, n, <usize>inner << 2, inner - i);
    }
  }
}
