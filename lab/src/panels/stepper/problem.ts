// Why given numbers cannot be normalized, in the page's words where they are known.

import type { Text } from "../../i18n/i18n.ts";
import { strings } from "./strings.ts";

/** In both languages, or, where the page has no words for it, as evenkeel says it. */
export type Problem = Text | string;

/** @param offset the channel of the layer that the first one shown is */
export function problemOf(message: string, offset: number): Problem {
	const channel = /channel (\d+)/.exec(message)?.[1];
	const shown = channel === undefined ? "" : String(Number(channel) + offset);
	if (/eps must be/.test(message)) return strings.badEps;
	if (/is constant and eps is 0/.test(message)) return strings.constant(shown);
	if (/squares in channel/.test(message)) return strings.overflow(shown);
	if (/finite/.test(message)) return strings.notFinite;
	// The name of the function says nothing here.
	return message.replace(/^explainBatchNorm: /, "");
}
