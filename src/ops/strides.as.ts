// Walking strided axes in a kernel.

/**
 * How many elements from an operand's start row `r` begins. `table` holds three int32 for each of `ndim` axes,
 * outermost first: its length, and the strides of two operands along it; `which` is 4 for the first operand, 8 for
 * the second.
 */
export function offsetOf(r: i32, table: usize, ndim: i32, which: usize): usize {
  if (ndim == 0) return 0;
  let offset: usize = 0;
  let rest = <u32>r;
  for (let axis = ndim - 1; axis > 0; axis--) {
    const entry = table + <usize>axis * 12;
    const length = load<u32>(entry);
    const outer = rest / length;
    offset += <usize>(rest - outer * length) * load<u32>(entry + which);
    rest = outer;
  }
  return offset + <usize>rest * load<u32>(table + which);
}
