// Texts out of a file, made fit for a terminal.

import { shorten } from "../../model-files/show.ts";

/** `text` without control characters, which a terminal would obey. */
export function printable(text: string): string {
	return text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, "\uFFFD");
}

/** A name, which is not to take more than a line either. */
export function printableName(name: string): string {
	return shorten(printable(name));
}
