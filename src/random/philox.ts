// Philox4x32-10: a keyed bijection of 128 bits, good enough to turn a plain counter into random
// numbers (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; SC11). Since a
// number depends on its place alone, any thread and any backend can compute any of them.

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
/** Weyl constants by which the key moves on each round: the golden ratio and the square root of 3, minus 1. */
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const ROUNDS = 10;

/** The high 32 bits of the product of two 32-bit numbers, by 16-bit halves. */
function multiplyHigh(a: number, b: number): number {
	const aLow = a & 0xffff;
	const aHigh = a >>> 16;
	const bLow = b & 0xffff;
	const bHigh = b >>> 16;
	const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
	const carry = aLow * bHigh + (middle & 0xffff);
	return aHigh * bHigh + (middle >>> 16) + (carry >>> 16);
}

/**
 * Four random 32-bit words for the 128-bit counter (c0, c1, c2, c3), lowest word first, under the
 * 64-bit key (k0, k1). Written to `out[0..3]`.
 */
export function philox(c0: number, c1: number, c2: number, c3: number, k0: number, k1: number, out: Uint32Array): void {
	let [a, b, c, d, key0, key1] = [c0, c1, c2, c3, k0, k1];
	for (let round = 0; round < ROUNDS; round++) {
		const high0 = multiplyHigh(MULTIPLIER_0, a);
		const low0 = Math.imul(MULTIPLIER_0, a);
		const high1 = multiplyHigh(MULTIPLIER_1, c);
		const low1 = Math.imul(MULTIPLIER_1, c);
		a = (high1 ^ b ^ key0) >>> 0;
		c = (high0 ^ d ^ key1) >>> 0;
		b = low1 >>> 0;
		d = low0 >>> 0;
		key0 = (key0 + WEYL_0) >>> 0;
		key1 = (key1 + WEYL_1) >>> 0;
	}
	out[0] = a;
	out[1] = b;
	out[2] = c;
	out[3] = d;
}
