// How the command line fails: one line on stderr that says what was wrong, where and what to do;
// exit code 1, or 2 for wrong usage. A stack trace only with --debug.

import { CommanderError } from "commander";
import { EvenkeelError } from "../errors.ts";

/** The command was called in a way that cannot work: exit code 2. */
export class UsageError extends EvenkeelError {
	override name = "UsageError";
}

/** Throws a {@link UsageError} with `message` unless `condition` holds. */
export function checkUsage(condition: unknown, message: string | (() => string)): asserts condition {
	if (!condition) throw new UsageError(typeof message === "string" ? message : message());
}

/** What `commander` complains of, in our words: its message without `error:`, on one line, with the way out. */
export function usageErrorFrom(error: CommanderError, command: string): UsageError {
	const message = error.message
		.replace(/^error: /, "")
		.replace(" is invalid. It must", " is invalid: it must")
		.replace(/\s*\n\(Did you mean (.*)\?\)$/, (_, names: string) => `; did you mean ${names}?`);
	return new UsageError(`${message.replace(/\.$/, "")} (see ${command} --help)`);
}

/** The message of any error, on one line. */
export function describeError(error: unknown): string {
	return messageOf(error)
		.replace(/\s*\r?\n\s*/g, " ")
		.trim();
}

/** The exit code for an error that ended a command. */
export function exitCodeOf(error: unknown): 1 | 2 {
	return error instanceof UsageError || error instanceof CommanderError ? 2 : 1;
}

function messageOf(error: unknown): string {
	if (error instanceof EvenkeelError) return error.message;
	if (!(error instanceof Error)) return `unexpected: ${String(error)}; --debug prints more`;
	if ("code" in error && typeof error.code === "string" && "syscall" in error) return systemMessage(error, error.code);
	const cause = error.cause instanceof Error ? ` (${error.cause.message})` : "";
	return `unexpected ${error.name}: ${error.message}${cause}; this is a bug, please report what --debug prints`;
}

/** The operating system's refusals, in words. */
function systemMessage(error: Error, code: string): string {
	const path = "path" in error && typeof error.path === "string" ? error.path : "";
	const where = path === "" ? "" : `${path}: `;
	const known: Record<string, string> = {
		ENOENT: "no such file or folder; check the path",
		EACCES: "permission denied; choose another place, or change its permissions",
		EPERM: "not permitted; choose another place, or change its permissions",
		EROFS: "the file system is read-only; choose another place",
		EISDIR: "is a folder, a file was expected",
		ENOTDIR: "a part of the path is a file, a folder was expected",
		EEXIST: "exists already; choose another place",
		ENOSPC: "the disk is full; free some space or choose another place",
		EDQUOT: "the disk quota is used up; free some space or choose another place",
		EMFILE: "too many open files; close some, or raise the limit (ulimit -n)",
	};
	return where + (known[code] ?? error.message);
}
