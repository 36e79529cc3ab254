// The normal distribution function in float64, for the reference backend: JavaScript has none.

const SQRT_2_PI = Math.sqrt(2 * Math.PI);

/**
 * Phi(x), the probability that a standard normal variable is below x: by a power series up to |x| = 4, and by
 * the continued fraction of the tail beyond (Abramowitz, Stegun, 26.2.11 and 26.2.14), so that small
 * probabilities keep their digits.
 */
export function normal(x: number): number {
	if (x < -4) return tail(-x);
	if (x > 4) return 1 - tail(x);
	return 0.5 + centralPart(x);
}

function density(x: number): number {
	return Math.exp(-0.5 * x * x) / SQRT_2_PI;
}

/** Phi(x) - 1/2 = phi(x) (x + x^3 / 3 + x^5 / 15 + …): all terms of one sign, nothing cancels. */
function centralPart(x: number): number {
	let term = x;
	let sum = x;
	for (let n = 3; Math.abs(term) > Math.abs(sum) * 1e-17; n += 2) {
		term *= (x * x) / n;
		sum += term;
	}
	return density(x) * sum;
}

/** 1 - Phi(x) = phi(x) / (x + 1 / (x + 2 / (x + 3 / (x + …)))) for x > 4. */
function tail(x: number): number {
	if (x === Infinity) return 0;
	let fraction = x;
	for (let k = 80; k > 0; k--) fraction = x + k / fraction;
	return density(x) / fraction;
}
