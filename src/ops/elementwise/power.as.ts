// x^p through logarithm and exponential in double precision: p ln x loses as many bits as it is
// large, so float32 would not do. (AssemblyScript's own pow needs large tables.)

const LN2: f64 = 0.693147180559945309417;

/** ln x for a positive, normal x (fdlibm, e_log.c). */
function logarithm(x: f64): f64 {
  const offset = reinterpret<i64>(x) - 0x3fe6a09e667f3bcd;
  const k = <f64>(offset >> 52);
  const f = reinterpret<f64>((offset & 0x000fffffffffffff) + 0x3fe6a09e667f3bcd) - 1;
  const s = f / (2 + f);
  const z = s * s;
  let p: f64 = 1.479819860511658591e-1;
  p = p * z + 1.531383769920937332e-1;
  p = p * z + 1.818357216161805012e-1;
  p = p * z + 2.222219843214978396e-1;
  p = p * z + 2.857142874366239149e-1;
  p = p * z + 3.999999999940941908e-1;
  p = p * z + 6.666666666666735130e-1;
  const half = 0.5 * f * f;
  return k * LN2 + (f - (half - s * (half + p * z)));
}

/** e^y, to 1e-12 and for |y| up to 200: more than float32 can hold. Held there, NaN stays NaN. */
function exponential(y: f64): f64 {
  const t = y > 200 ? 200 : y < -200 ? -200 : y;
  if (t != t) return t;
  const n = nearest(t / LN2);
  const r = t - n * LN2;
  let p: f64 = 1;
  for (let k: f64 = 11; k > 0; k--) p = 1 + (p * r) / k;
  return p * reinterpret<f64>((<i64>n + 1023) << 52);
}

/** x^p as C defines it: 1 for p = 0, NaN for a negative x and a p that is not whole. */
export function power(x: f32, p: f32): f32 {
  if (p == 0 || x == 1) return 1;
  if (x != x || p != p) return <f32>NaN;
  const whole = p == floor(p);
  if (x < 0 && !whole) return x == -(<f32>Infinity) ? (p > 0 ? <f32>Infinity : 0) : <f32>NaN;
  const magnitude = abs(x);
  let y: f32;
  if (magnitude == 0) y = p > 0 ? 0 : <f32>Infinity;
  else if (magnitude == <f32>Infinity) y = p > 0 ? <f32>Infinity : 0;
  else if (magnitude == 1) y = 1;
  else y = <f32>exponential(<f64>p * logarithm(<f64>magnitude));
  const odd = whole && floor(p * 0.5) * 2 != p;
  return odd ? copysign(y, x) : y;
}
