// The natural logarithm in float64, without tables: fdlibm's e_log. Losses take one a row.

/** ln x for normal x > 0, within 1 ulp; infinity and NaN stay what they are. */
export function logF64(x: f64): f64 {
  if (!(x < <f64>Infinity)) return x;
  const bits = reinterpret<u64>(x);
  // x = 2^k (1 + f) with sqrt(1/2) < 1 + f < sqrt(2).
  let high = <u32>(bits >> 32) + (0x3ff00000 - 0x3fe6a09e);
  const k = <f64>(<i32>(high >> 20) - 0x3ff);
  high = (high & 0x000fffff) + 0x3fe6a09e;
  const f = reinterpret<f64>((<u64>high << 32) | (bits & 0xffffffff)) - 1;
  const half = 0.5 * f * f;
  const s = f / (2 + f);
  const z = s * s;
  let r = 1.479819860511658591e-1;
  r = r * z + 1.531383769920937332e-1;
  r = r * z + 1.818357216161805012e-1;
  r = r * z + 2.222219843214978396e-1;
  r = r * z + 2.857142874366239149e-1;
  r = r * z + 3.99999999994094190e-1;
  r = r * z + 6.66666666666673513e-1;
  return s * (half + r * z) + k * 1.90821492927058770e-10 - half + f + k * 6.93147180369123816e-1;
}

/** ln(1 + x) for 0 <= x <= 1, with small x kept in full. */
export function log1pF64(x: f64): f64 {
  if (x < 1e-4) return x * (1 - x * (0.5 - x * (1 / 3.0)));
  return logF64(1 + x);
}
