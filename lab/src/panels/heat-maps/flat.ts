// How much of an activation is dead or saturated: where its slope is under a twentieth of its steepest, hardly any gradient
// gets through.

/** Of the steepest slope. */
const FLAT = 1 / 20;

/** Slopes, as shares of the steepest, from input x and output y. */
const slopes: Record<string, (x: number, y: number) => number> = {
	Sigmoid: (_, y) => 4 * y * (1 - y),
	Tanh: (_, y) => 1 - y * y,
	ReLU: (x) => (x > 0 ? 1 : 0),
	LeakyReLU: (x) => (x > 0 ? 1 : 0.01),
	GELU: (x) => Math.abs(normal(x) + x * 0.3989422804014327 * Math.exp(-0.5 * x * x)),
	SiLU: (x) => {
		const gate = 1 / (1 + Math.exp(-x));
		return Math.abs(gate * (1 + x * (1 - gate)));
	},
};

/** Flat on both sides: each output is counted by itself. The others have one flat side, on which half of the outputs belong. */
const saturating = new Set(["Sigmoid", "Tanh"]);

/**
 * The share of outputs that are flat (sigmoid, tanh), or of units that are flat for every example (ReLU and its kin); NaN
 * for a layer that is no activation.
 *
 * @param x `[examples, units]`
 * @param y `[examples, units]`
 */
export function flatShare(type: string, x: ArrayLike<number>, y: ArrayLike<number>, examples: number): number {
	const slope = slopes[type];
	if (!slope || y.length === 0) return Number.NaN;
	const units = y.length / examples;
	if (saturating.has(type)) {
		let flat = 0;
		for (let i = 0; i < y.length; i++) if (slope(x[i], y[i]) < FLAT) flat++;
		return flat / y.length;
	}
	let dead = 0;
	for (let unit = 0; unit < units; unit++) {
		let i = unit;
		while (i < y.length && slope(x[i], y[i]) < FLAT) i += units;
		if (i >= y.length) dead++;
	}
	return dead / units;
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
