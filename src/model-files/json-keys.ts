// JSON.parse takes the last of several equal names without a word. Where a name stands for a
// tensor, that would be another file than the one that was written.

import { check } from "../errors.ts";

/** Throws if an object within `text`, which JSON.parse has accepted, has a name twice. `what` opens the message. */
export function checkUniqueKeys(text: string, what: string): void {
	/** The names seen in each open object; null for an array. */
	const open: (Set<string> | null)[] = [];
	// A string, with the colon that makes it a name; or a bracket.
	for (const [token, literal, colon] of text.matchAll(/("(?:[^"\\]|\\.)*")\s*(:?)|[{}[\]]/g)) {
		if (token === "{") open.push(new Set());
		else if (token === "[") open.push(null);
		else if (token === "}" || token === "]") open.pop();
		else if (colon) {
			const key: string = JSON.parse(literal);
			const seen = open[open.length - 1];
			check(!seen?.has(key), () => `${what} has the name "${key}" twice; the file is damaged`);
			seen?.add(key);
		}
	}
}
