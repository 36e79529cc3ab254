// Numbers as people write them: in a field, and in the address.

export interface Range {
	readonly least: number;
	readonly most: number;
	readonly whole: boolean;
}

/** Decimal digits and an exponent: no `0x10`, no `Infinity`. */
const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** The number that `text` is, if it is within the range; else null. */
export function readNumber(text: string, { least, most, whole }: Range): number | null {
	const plain = text.trim();
	const value = decimal.test(plain) ? Number(plain) : Number.NaN;
	return value >= least && value <= most && (!whole || Number.isInteger(value)) ? value : null;
}

/** The same for what is typed, where a comma groups the digits of whole numbers, `1,000`, and is the decimal sign of others, `0,5`. */
export function readTyped(text: string, range: Range): number | null {
	const plain = text.trim();
	if (!range.whole) return readNumber(plain.replace(",", "."), range);
	return readNumber(/^\d{1,3}(,\d{3})+$/.test(plain) ? plain.replaceAll(",", "") : plain, range);
}
