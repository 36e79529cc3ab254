// Lengths and angles of vectors that are kept in pieces, one a parameter.

/** The length of the vector that the pieces make: sqrt(Σ x²). */
export function norm(pieces: readonly Float64Array[]): number {
	let sum = 0;
	for (const piece of pieces) for (const value of piece) sum += value * value;
	return Math.sqrt(sum);
}

/** The distance of two such vectors: sqrt(Σ (a - b)²). */
export function distance(a: readonly Float64Array[], b: readonly Float64Array[]): number {
	let sum = 0;
	for (const [index, piece] of a.entries()) {
		const other = b[index];
		for (let i = 0; i < piece.length; i++) sum += (piece[i] - other[i]) ** 2;
	}
	return Math.sqrt(sum);
}

/** The angle between two vectors in degrees: acos(a b / (|a| |b|)); NaN where one has no length. */
export function angleBetween(a: Float64Array, b: Float64Array): number {
	let product = 0;
	for (let i = 0; i < a.length; i++) product += a[i] * b[i];
	const cosine = product / (norm([a]) * norm([b]));
	return (Math.acos(Math.max(-1, Math.min(1, cosine))) * 180) / Math.PI;
}

/** The root of the mean square. */
export function rms(values: Float64Array): number {
	return norm([values]) / Math.sqrt(values.length);
}
