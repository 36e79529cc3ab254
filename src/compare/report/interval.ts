// A claim's evidence as a picture: the interval of the effect beside zero and the margin.

import type { Judgement } from "../verdict.ts";

const [width, height] = [220, 30];

/**
 * The 95% interval as a bar with the effect as a dot, the zero as a line, the margin as a band. Empty where there is no
 * interval. The axis holds all of them, and zero always.
 */
export function intervalPicture({ difference, claim, verdict }: Judgement): string {
	const { effect, low, high } = difference;
	if (![effect, low, high].every(Number.isFinite)) return "";
	const ends = [low, high, 0, -claim.margin, claim.margin];
	const [from, to] = [Math.min(...ends), Math.max(...ends)];
	const room = (to - from) * 0.08 || 1;
	const at = (value: number): number =>
		Math.round((10 * (width * (value - from + room))) / (to - from + 2 * room)) / 10;
	const middle = height / 2;
	const band =
		claim.margin === 0
			? ""
			: `<rect class="margin" x="${at(-claim.margin)}" y="2" width="${at(claim.margin) - at(-claim.margin)}" height="${height - 4}"/>`;
	return (
		`<svg class="interval ${verdict.split(" ").at(0)}" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" aria-hidden="true">` +
		`${band}<line class="zero" x1="${at(0)}" x2="${at(0)}" y1="2" y2="${height - 2}"/>` +
		`<line class="range" x1="${at(low)}" x2="${at(high)}" y1="${middle}" y2="${middle}"/>` +
		`<circle cx="${at(effect)}" cy="${middle}" r="5"/></svg>`
	);
}
