// Where a command writes: results to `out`, everything about the run to `err`. Commands take a
// Terminal and never touch process.stdout, so that tests can read what they say.

import picocolors from "picocolors";
import type { Colors } from "picocolors/types";

/** The part of a writable stream that the command line needs. */
export interface TextStream {
	write(text: string): unknown;
	/** True when a person is looking. */
	readonly isTTY?: boolean;
	/** The width in characters, known on a TTY. */
	readonly columns?: number;
}

/** The two streams of a command, each with the colors it may use. */
export interface Terminal {
	readonly out: TextStream;
	readonly err: TextStream;
	/** Functions that color text for `out`: they return it as it is where color is not wanted. */
	readonly outColors: Colors;
	readonly errColors: Colors;
	/** Whether more than ASCII can be shown: not where the locale says that it is another encoding than UTF-8. */
	readonly unicode: boolean;
	/** What the process will exit with if nothing is thrown. A command may set it (130 after Ctrl-C). */
	exitCode: number;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * A terminal over two streams. Color only where a person is looking (a TTY that is not `dumb`), never with
 * `NO_COLOR` (https://no-color.org), always with `FORCE_COLOR`.
 */
export function openTerminal(out: TextStream, err: TextStream, env: Environment): Terminal {
	return {
		out,
		err,
		outColors: picocolors.createColors(wantsColor(out, env)),
		errColors: picocolors.createColors(wantsColor(err, env)),
		unicode: hasUnicode(env),
		exitCode: 0,
	};
}

/** Prints one JSON object on a line of its own. */
export function printJson(terminal: Terminal, object: Readonly<Record<string, unknown>>): void {
	terminal.out.write(`${JSON.stringify(object)}\n`);
}

/** By the first of the variables that decide about characters (POSIX); where none is set, UTF-8 is what Node writes. */
function hasUnicode({ LC_ALL, LC_CTYPE, LANG }: Environment): boolean {
	const locale = LC_ALL || LC_CTYPE || LANG;
	return !locale || /utf-?8/i.test(locale);
}

function wantsColor(stream: TextStream, env: Environment): boolean {
	if (env.NO_COLOR) return false;
	if (env.FORCE_COLOR && env.FORCE_COLOR !== "0") return true;
	return stream.isTTY === true && env.TERM !== "dumb";
}
