// Numbers as people read them.

/** `61706` as `61,706`. */
export function formatCount(count: number): string {
	return Math.round(count).toLocaleString("en-US");
}

/** `0.9012` as `90.1%`; what is not known (null, NaN) as `-`. */
export function formatPercent(fraction: number | null | undefined, digits = 1): string {
	return isKnown(fraction) ? `${(fraction * 100).toFixed(digits)}%` : "-";
}

/** A loss or a metric with `digits` decimals; very large or small ones with an exponent; unknown ones as `-`. */
export function formatMetric(value: number | null | undefined, digits = 4): string {
	if (value === null || value === undefined) return "-";
	if (!Number.isFinite(value)) return String(value);
	const size = Math.abs(value);
	if (size !== 0 && (size >= 1e5 || size < 0.5 * 10 ** -digits)) return value.toExponential(digits - 1);
	return value.toFixed(digits);
}

/** Seconds as `0.8 s`, `42 s`, `3 min 05 s`, `2 h 07 min`. */
export function formatDuration(seconds: number): string {
	if (!Number.isFinite(seconds)) return "-";
	const whole = Math.round(seconds);
	if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(1)} s`;
	if (whole < 60) return `${whole} s`;
	if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad2(whole % 60)} s`;
	const minutes = Math.round(seconds / 60);
	return `${Math.floor(minutes / 60)} h ${pad2(minutes % 60)} min`;
}

/** Bytes as `512 B`, `26.4 kB`, `10.6 MB`: powers of 1000. */
export function formatBytes(bytes: number): string {
	if (bytes < 1000) return `${bytes} B`;
	const units = ["kB", "MB", "GB", "TB"];
	let value = bytes / 1000;
	let unit = 0;
	while (value >= 999.95 && unit < units.length - 1) {
		value /= 1000;
		unit++;
	}
	return `${value.toFixed(1)} ${units[unit]}`;
}

/**
 * One way to write all of `values`, so that a column of them can be read: `digits` decimals where that shows
 * them, else `digits` decimals and an exponent. What rounds to zero has no minus sign.
 */
export function numberFormat(values: Iterable<number>, digits: number): (value: number) => string {
	let largest = 0;
	for (const value of values) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
	const plain = largest === 0 || (largest < 1e6 && largest >= 10 ** (1 - digits));
	return (value) => {
		if (!Number.isFinite(value)) return String(value);
		const text = plain ? value.toFixed(digits) : value.toExponential(digits);
		return /^-[0.]+(e[+-]\d+)?$/.test(text) ? text.slice(1) : text;
	};
}

function isKnown(value: number | null | undefined): value is number {
	return typeof value === "number" && !Number.isNaN(value);
}

function pad2(value: number): string {
	return String(value).padStart(2, "0");
}
