// Two runs that write to one folder would take turns at its checkpoint. A run leaves the number of its process there,
// and a second one sees it. What a process left that is no more, the next takes over.

import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { EvenkeelError } from "../../errors.ts";
import { systemErrorCode } from "../../node.ts";
import { describeError } from "../errors.ts";

/** The file in the folder, while a run writes there: the process and its machine. */
export const lockFile = "train.lock";

const own = () => `${process.pid} ${hostname()}\n`;

/** Throws if another process's run writes to `dir`. */
export function checkUnlocked(dir: string): void {
	const file = join(dir, lockFile);
	const holder = holderOf(file);
	if (holder === null) return;
	throw new EvenkeelError(
		`--out ${dir}: the run of process ${holder} writes there; let it end, or name another folder ` +
			`(if that is no run, delete ${file})`,
	);
}

/** Takes the folder for this run until the function that it returns is called, or the process exits. */
export function lockFolder(dir: string): () => void {
	const file = join(dir, lockFile);
	try {
		take(file);
	} catch (error) {
		if (systemErrorCode(error) !== "EEXIST") throw new EvenkeelError(`--out ${dir}: ${describeError(error)}`);
		checkUnlocked(dir);
		rmSync(file, { force: true });
		take(file);
	}
	const release = (): void => {
		process.off("exit", release);
		if (contentsOf(file) === own()) rmSync(file, { force: true });
	};
	process.on("exit", release);
	return release;
}

/** Makes the file, which must not be there. */
function take(file: string): void {
	const descriptor = openSync(file, "wx");
	try {
		writeFileSync(descriptor, own());
	} finally {
		closeSync(descriptor);
	}
}

/** The process that holds the lock and still runs; null if none does, or nobody can tell, as on another machine. */
function holderOf(file: string): number | null {
	const [, pid, host] = /^(\d+) (.*)\n$/.exec(contentsOf(file) ?? "") ?? [];
	if (host !== hostname() || Number(pid) === process.pid) return null;
	try {
		process.kill(Number(pid), 0);
		return Number(pid);
	} catch (error) {
		// Somebody else's process runs, too.
		return systemErrorCode(error) === "EPERM" ? Number(pid) : null;
	}
}

function contentsOf(file: string): string | null {
	try {
		return readFileSync(file, "utf8");
	} catch {
		return null;
	}
}
