// How far two outputs are apart.

export interface Difference {
	/** The largest difference of two values. */
	readonly largest: number;
	/** That as a share of the largest value expected; 0 where both are zero throughout. */
	readonly relative: number;
	/** How many of the values expected were finite: with none, nothing was compared. */
	readonly finite: number;
}

/**
 * Compares `found` with `expected`. Where both are NaN, or the same infinity, they agree; where only one is, they are
 * infinitely far apart.
 */
export function differenceOf(found: ArrayLike<number>, expected: ArrayLike<number>): Difference {
	const finite = Array.prototype.filter.call(expected, Number.isFinite).length;
	if (found.length !== expected.length)
		return { largest: Number.POSITIVE_INFINITY, relative: Number.POSITIVE_INFINITY, finite };
	let [largest, size] = [0, 0];
	for (let i = 0; i < expected.length; i++) {
		const [a, b] = [found[i], expected[i]];
		if (Object.is(a, b) || a === b) {
			if (Number.isFinite(b)) size = Math.max(size, Math.abs(b));
			continue;
		}
		const apart = Math.abs(a - b);
		largest = Math.max(largest, Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart);
		if (Number.isFinite(b)) size = Math.max(size, Math.abs(b));
	}
	return { largest, relative: largest === 0 ? 0 : largest / size, finite };
}

/** The worse of two, of all that they compared. */
export function worse(a: Difference, b: Difference): Difference {
	return {
		largest: Math.max(a.largest, b.largest),
		relative: Math.max(a.relative, b.relative),
		finite: a.finite + b.finite,
	};
}
