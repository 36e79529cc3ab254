// Writing a file so that whoever reads it finds the old one or the new one, whole, whatever happens
// in between: written beside it under another name, flushed to the disk, then renamed.

import { EvenkeelError } from "../errors.ts";
import { messageOf, needNodeModule, systemErrorCode } from "../node.ts";

/**
 * Writes `contents` to `path`, all or nothing. Existing files are replaced; a failure leaves them as they are and
 * nothing beside them.
 *
 * @throws EvenkeelError naming the path, the cause and what to do: no space, no permission, no such folder
 */
export async function writeFileAtomic(path: string, contents: Uint8Array | string): Promise<void> {
	const { promises: fs } = needNodeModule("node:fs", "writeFileAtomic");
	const temporary = temporaryName(path);
	try {
		const file = await fs.open(temporary, "wx");
		try {
			await file.writeFile(contents);
			await file.sync();
		} finally {
			await file.close();
		}
		await fs.rename(temporary, path);
	} catch (error) {
		await fs.rm(temporary, { force: true }).catch(() => {});
		throw explain(path, error);
	}
	syncFolder(path);
}

/**
 * Copies a file, all or nothing, block by block.
 *
 * @throws EvenkeelError naming the new path, as {@link writeFileAtomic} does
 */
export async function copyFileAtomic(from: string, to: string): Promise<void> {
	const { promises: fs } = needNodeModule("node:fs", "copyFileAtomic");
	const temporary = temporaryName(to);
	try {
		await fs.copyFile(from, temporary);
		const file = await fs.open(temporary, "r+");
		try {
			await file.sync();
		} finally {
			await file.close();
		}
		await fs.rename(temporary, to);
	} catch (error) {
		await fs.rm(temporary, { force: true }).catch(() => {});
		throw explain(to, error);
	}
	syncFolder(to);
}

/** As {@link writeFileAtomic}, at once: for when the process is about to end. */
export function writeFileAtomicSync(path: string, contents: Uint8Array | string): void {
	const fs = needNodeModule("node:fs", "writeFileAtomicSync");
	const temporary = temporaryName(path);
	try {
		const file = fs.openSync(temporary, "wx");
		try {
			fs.writeFileSync(file, contents);
			fs.fsyncSync(file);
		} finally {
			fs.closeSync(file);
		}
		fs.renameSync(temporary, path);
	} catch (error) {
		removeQuietly(temporary);
		throw explain(path, error);
	}
	syncFolder(path);
}

let written = 0;

/** In the same folder, since a rename does not cross file systems; unlike any other of this or another process. */
function temporaryName(path: string): string {
	const { basename, dirname, join } = needNodeModule("node:path", "writeFileAtomic");
	return join(dirname(path), `.${basename(path)}.${globalThis.process.pid}.${written++}.tmp`);
}

function removeQuietly(path: string): void {
	try {
		needNodeModule("node:fs", "writeFileAtomic").rmSync(path, { force: true });
	} catch {
		// What stopped the writing is what the caller should hear of.
	}
}

/** Makes the rename itself outlast a power cut, where folders can be flushed. */
function syncFolder(path: string): void {
	const fs = needNodeModule("node:fs", "writeFileAtomic");
	const { dirname } = needNodeModule("node:path", "writeFileAtomic");
	try {
		const folder = fs.openSync(dirname(path), "r");
		try {
			fs.fsyncSync(folder);
		} finally {
			fs.closeSync(folder);
		}
	} catch {
		// Windows and some network file systems cannot; the file is in place all the same.
	}
}

const explanations: Record<string, string> = {
	ENOSPC: "the disk is full; free some space, or write elsewhere",
	EDQUOT: "the quota is used up; free some space, or write elsewhere",
	EFBIG: "the file is larger than is allowed here; raise the limit, or write elsewhere",
	EACCES: "no permission to write there; change the folder's permissions, or write elsewhere",
	EPERM: "no permission to write there; change the folder's permissions, or write elsewhere",
	EROFS: "the file system is read-only; write elsewhere",
	ENOENT: "the folder does not exist; create it first",
	ENOTDIR: "a part of the path is a file, not a folder; choose another path",
	EISDIR: "this is a folder; name a file",
};

function explain(path: string, error: unknown): EvenkeelError {
	const code = systemErrorCode(error);
	const cause = explanations[code] ?? messageOf(error);
	return new EvenkeelError(`${path}: it was not written: ${cause}${explanations[code] ? ` (${code})` : ""}`);
}
