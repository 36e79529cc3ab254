// How much of an activation is dead or saturated: where its slope is under a twentieth of its steepest, hardly any gradient
// gets through.

/** Of the steepest slope. */
const FLAT = 1 / 20;

/**
 * Flat on both sides: each output is counted by itself. It is flat where it is further than `distance` from `center`,
 * from 4 y (1 - y) < FLAT of the sigmoid and 1 - y² < FLAT of tanh.
 */
const saturating: Record<string, { readonly center: number; readonly distance: number }> = {
	Sigmoid: { center: 0.5, distance: Math.sqrt(1 - FLAT) / 2 },
	Tanh: { center: 0, distance: Math.sqrt(1 - FLAT) },
};

/** One flat side, on which half of the outputs belong: slopes, as shares of the steepest, from input x. */
const oneSided: Record<string, (x: number) => number> = {
	ReLU: (x) => (x > 0 ? 1 : 0),
	LeakyReLU: (x) => (x > 0 ? 1 : 0.01),
	GELU: (x) => Math.abs(normal(x) + x * 0.3989422804014327 * Math.exp(-0.5 * x * x)),
	SiLU: (x) => {
		const gate = 1 / (1 + Math.exp(-x));
		return Math.abs(gate * (1 + x * (1 - gate)));
	},
};

/**
 * The share of outputs that are flat (sigmoid, tanh), or of units that are flat for every example (ReLU and its kin); NaN
 * for a layer that is no activation.
 *
 * @param x `[examples, units]`
 * @param y `[examples, units]`
 */
export function flatShare(type: string, x: ArrayLike<number>, y: ArrayLike<number>, examples: number): number {
	if (y.length === 0) return Number.NaN;
	const ends = saturating[type];
	if (ends) return shareBeyond(y, ends.center, ends.distance);
	const slope = oneSided[type];
	if (!slope) return Number.NaN;
	const units = y.length / examples;
	let dead = 0;
	for (let unit = 0; unit < units; unit++) {
		let i = unit;
		while (i < y.length && slope(x[i]) < FLAT) i += units;
		if (i >= y.length) dead++;
	}
	return dead / units;
}

function shareBeyond(y: ArrayLike<number>, center: number, distance: number): number {
	let beyond = 0;
	for (let i = 0; i < y.length; i++) if (Math.abs(y[i] - center) > distance) beyond++;
	return beyond / y.length;
}

/** The standard normal distribution function, within 7.5e-8 (Abramowitz and Stegun 26.2.17). */
function normal(x: number): number {
	const t = 1 / (1 + 0.2316419 * Math.abs(x));
	const tail =
		0.3989422804014327 *
		Math.exp(-0.5 * x * x) *
		t *
		(0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
	return x > 0 ? 1 - tail : tail;
}
