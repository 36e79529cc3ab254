// Numbers as people read them beside a picture.

import { formatNumber } from "../../i18n/i18n.ts";

/** Three digits that count; very small and very large ones as `1.2e-7`. */
export function formatValue(value: number): string {
	if (!Number.isFinite(value)) return "–";
	const size = Math.abs(value);
	if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(1).replace("e+", "e").replace(".0e", "e");
	return formatNumber(value, { maximumSignificantDigits: 3 });
}

export function formatShare(value: number): string {
	return Number.isFinite(value) ? formatNumber(value, { style: "percent", maximumFractionDigits: 1 }) : "–";
}
