// What many measurements come to.

/**
 * @typedef {object} Summary
 * @property {number} median
 * @property {number} low the first quartile
 * @property {number} high the third quartile
 * @property {number} count how many were measured
 */

/** @param {readonly number[]} values */
export function median(values) {
	return quantile(values, 0.5);
}

/**
 * The value below which the share `q` of the values lies, between two of them by proportion.
 *
 * @param {readonly number[]} values @param {number} q from 0 to 1
 */
export function quantile(values, q) {
	if (values.length === 0) throw new Error("quantile: there are no values");
	const sorted = [...values].sort((a, b) => a - b);
	const at = q * (sorted.length - 1);
	const below = Math.floor(at);
	const above = Math.min(below + 1, sorted.length - 1);
	return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

/** Median and quartiles. @param {readonly number[]} values @returns {Summary} */
export function summarize(values) {
	return {
		median: median(values),
		low: quantile(values, 0.25),
		high: quantile(values, 0.75),
		count: values.length,
	};
}

/** Half the distance of the quartiles, as a share of the median. @param {Summary} summary */
export function spread({ median, low, high }) {
	return median === 0 ? 0 : (high - low) / 2 / median;
}
