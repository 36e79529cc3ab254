// Numbers and names as an inspection shows them, in the terminal and on a page.

/** A number in three significant digits, small and large ones with an exponent; `-` for none. */
export function formatNumber(value: number | null): string {
	if (value === null) return "-";
	if (value === 0) return "0";
	const size = Math.abs(value);
	if (size < 1e-3 || size >= 1e6) return value.toExponential(1).replace(/(\.0)?e\+?/, "e");
	return size >= 1000 ? value.toFixed(0) : value.toPrecision(3);
}

/** How many: `61,706`. */
export function formatCount(count: number): string {
	return count.toLocaleString("en-US");
}

/** Operations in thousands, millions and billions: `4.2 M`; `-` where they are not known. */
export function formatFlops(flops: number | null): string {
	if (flops === null) return "-";
	const units = ["", " k", " M", " G", " T", " P"];
	let [value, unit] = [flops, 0];
	while (value >= 999.5 && unit < units.length - 1) {
		value /= 1000;
		unit++;
	}
	return `${unit > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)}${units[unit]}`;
}

/** `4.2 MFLOPs`, `812 FLOPs` */
export function withUnit(flops: number): string {
	const text = formatFlops(flops);
	return /\d$/.test(text) ? `${text} FLOPs` : `${text}FLOPs`;
}

/** The norm's numbers that there are, in order, each with what it is called. */
export const quantities = [
	["scale", "scale"],
	["shift", "shift"],
	["runningMean", "running mean"],
	["runningVar", "running variance"],
] as const;

/** `24 channels, eps 1e-5, 312 batches` */
export function factsOf({ channels, eps, batches }: { channels: number; eps: number; batches: number | null }): string {
	const counted = batches === null ? [] : [`${formatCount(batches)} ${batches === 1 ? "batch" : "batches"}`];
	const wide = `${formatCount(channels)} ${channels === 1 ? "channel" : "channels"}`;
	return [wide, `eps ${formatNumber(eps)}`, ...counted].join(", ");
}
