// When what the program prints can no longer be written: the reader of the pipe has gone, or the disk is full.

import { describeError } from "./errors.ts";
import { stopAll } from "./train/stop-on-signal.ts";

/** The exit code of a process whose reader has gone: 128 + SIGPIPE. */
const readerGone = 141;

/** Commands whose work is not what they print; it is stopped, as Ctrl-C would, with what there is kept. */
const workers: readonly string[] = ["train", "compare", "recalibrate"];
/** Options with which they print, and do nothing else. */
const printing: readonly string[] = ["--help", "-h", "--yaml", "--docs"];

/**
 * Watches both streams of the process. Returns a function that gives the exit code, from that of the command: another one
 * where its output was cut off.
 */
export function watchOutput(
	{ stdout, stderr, exit }: Pick<NodeJS.Process, "stdout" | "stderr" | "exit">,
	args: readonly string[],
): (code: number) => number {
	const command = args.find((arg) => !arg.startsWith("-")) ?? "";
	const works = workers.includes(command) && !args.some((arg) => printing.includes(arg));
	let broken: number | null = null;
	stdout.on("error", (error: NodeJS.ErrnoException) => {
		if (broken !== null) return;
		const gone = error.code === "EPIPE";
		// `evenkeel explain | head`: the reader has seen enough, and that is no error.
		broken = gone ? (works ? readerGone : 0) : 1;
		if (!gone) stderr.write(`evenkeel: nothing more can be printed: ${describeError(error)}\n`);
		if (works) stopAll();
		else exit(broken);
	});
	// Progress that nobody follows; and there is nowhere left to say so.
	stderr.on("error", () => {});
	return (code) => broken ?? code;
}
