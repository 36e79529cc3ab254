// Parts of untrusted files in messages: short, whatever their length.

/** The longest piece of a file that a message quotes. */
const LONGEST = 80;

/** `text`, shortened to what a line can take. */
export function shorten(text: string, longest = LONGEST): string {
	return text.length <= longest ? text : `${text.slice(0, longest)}… (${text.length} characters)`;
}

/** `text` in quotes, shortened, with control characters escaped. */
export function quote(text: string): string {
	return JSON.stringify(shorten(text));
}

/** A shape, shortened: `[64, 3, 7, 7]`. */
export function showShape(shape: readonly number[]): string {
	const shown = shape.slice(0, 12).join(", ");
	return shape.length <= 12 ? `[${shown}]` : `[${shown}, …] (${shape.length} dimensions)`;
}
