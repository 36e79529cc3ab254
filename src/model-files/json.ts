// JSON that came with a file: its depth and the number of its values are looked at before it is parsed, since
// two bytes of text can make an object that takes fifty.

import { check, EvenkeelError } from "../errors.ts";
import { shorten } from "./show.ts";

/** Deeper than any configuration is. */
const DEEPEST = 200;
/** Some fifty megabytes, if all are objects. */
const MOST = 1_000_000;

/**
 * The value that `text` spells. `what` opens the message of an error.
 *
 * @throws EvenkeelError if it is no JSON, nested deeper than 200, or holds more than a million values
 */
export function parseJson(text: string, what: string): unknown {
	checkExtent(text, what);
	try {
		return JSON.parse(text);
	} catch (error) {
		const reason = error instanceof Error ? shorten(error.message.replace(/\s+/g, " "), 160) : "";
		throw new EvenkeelError(`${what} is not JSON (${reason}); the file is damaged`);
	}
}

/** An object, and not a list or null. */
export function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

function checkExtent(text: string, what: string): void {
	let [depth, values, inString] = [0, 1, false];
	for (let i = 0; i < text.length; i++) {
		const char = text.charCodeAt(i);
		if (inString) {
			if (char === 0x5c) i++;
			else if (char === 0x22) inString = false;
		} else if (char === 0x22) inString = true;
		else if (char === 0x5b || char === 0x7b) {
			values++;
			check(++depth <= DEEPEST, () => `${what} is nested more than ${DEEPEST} deep; the file is damaged`);
		} else if (char === 0x5d || char === 0x7d) depth--;
		else if (char === 0x2c) {
			check(++values <= MOST, () => `${what} holds more than ${MOST} values; the file is damaged`);
		}
	}
}
