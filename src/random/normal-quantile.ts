// The inverse of the normal distribution function, from + - * / and sqrt alone. Those five are
// exactly rounded everywhere, while Math.log, Math.cos and Math.sin differ from engine to engine in
// the last bit; a network initialized with them would, too.

const LN2_HIGH = 6.9314718036912381649e-1;
const LN2_LOW = 1.90821492927058770002e-10;
const SQRT1_2 = 0.7071067811865475244;

/**
 * The natural logarithm of 0 < x < 1, x not subnormal, within 1 ulp (the method and coefficients of fdlibm's
 * e_log.c): x = 2^k m with m in [sqrt(1/2), sqrt(2)), then a polynomial in s = (m - 1) / (m + 1).
 */
export function portableLog(x: number): number {
	let m = x;
	let k = 0;
	// Scaling by a power of two is exact.
	while (m < 2 ** -16) {
		m *= 2 ** 16;
		k -= 16;
	}
	while (m < SQRT1_2) {
		m *= 2;
		k--;
	}
	const f = m - 1;
	const s = f / (2 + f);
	const z = s * s;
	const w = z * z;
	const even = w * (3.999999999940941908e-1 + w * (2.222219843214978396e-1 + w * 1.531383769920937332e-1));
	const odd =
		z *
		(6.66666666666673513e-1 +
			w * (2.857142874366239149e-1 + w * (1.818357216161805012e-1 + w * 1.479819860511658591e-1)));
	const half = 0.5 * f * f;
	return k * LN2_HIGH - (half - (s * (half + odd + even) + k * LN2_LOW) - f);
}

/** Coefficients of PPND16: numerator and denominator for the center, the flanks and the tails, constant term first. */
const CENTER = [
	[
		3.387132872796366608, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
		4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3,
	],
	[
		1, 4.2313330701600911252e1, 6.871870074920579083e2, 5.3941960214247511077e3, 2.1213794301586595867e4,
		3.930789580009271061e4, 2.8729085735721942674e4, 5.226495278852854561e3,
	],
];
const FLANK = [
	[
		1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504,
		1.27045825245236838258, 2.4178072517745061177e-1, 2.27238449892691845833e-2, 7.7454501427834140764e-4,
	],
	[
		1, 2.05319162663775882187, 1.6763848301838038494, 6.8976733498510000455e-1, 1.4810397642748007459e-1,
		1.51986665636164571966e-2, 5.475938084995344946e-4, 1.05075007164441684324e-9,
	],
];
const TAIL = [
	[
		6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, 2.9656057182850489123e-1,
		2.6532189526576123093e-2, 1.2426609473880784386e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
	],
	[
		1, 5.9983220655588793769e-1, 1.3692988092273580531e-1, 1.48753612908506148525e-2, 7.868691311456132591e-4,
		1.8463183175100546818e-5, 1.4215117583164458887e-7, 2.04426310338993978564e-15,
	],
];

function ratio([numerator, denominator]: number[][], x: number): number {
	let above = 0;
	let below = 0;
	for (let i = 7; i >= 0; i--) {
		above = above * x + numerator[i];
		below = below * x + denominator[i];
	}
	return above / below;
}

/**
 * The z for which a standard normal variable is below z with probability p, 0 < p < 1, to about 1e-16
 * relative (Wichura: Algorithm AS 241, PPND16; Applied Statistics 37, 1988).
 */
export function normalQuantile(p: number): number {
	const q = p - 0.5;
	if (Math.abs(q) <= 0.425) return q * ratio(CENTER, 0.180625 - q * q);
	const r = Math.sqrt(-portableLog(q < 0 ? p : 1 - p));
	const z = r <= 5 ? ratio(FLANK, r - 1.6) : ratio(TAIL, r - 5);
	return q < 0 ? -z : z;
}
