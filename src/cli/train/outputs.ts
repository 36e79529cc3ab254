// Where a run writes: checked before training starts, so that an hour's work does not end at a folder that is not there.

import { randomUUID } from "node:crypto";
import { accessSync, constants, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { EvenkeelError } from "../../errors.ts";
import { checkUsage, describeError } from "../errors.ts";

/** Makes the folder of `option`, and makes sure that files can be written in it. */
export function prepareFolder(option: string, dir: string): void {
	const probe = join(dir, `.write-test-${randomUUID()}`);
	try {
		mkdirSync(dir, { recursive: true });
		writeFileSync(probe, "");
		rmSync(probe);
	} catch (error) {
		throw new EvenkeelError(`${option} ${dir}: nothing can be written there: ${describeError(error)}`);
	}
}

/** A function to be called now and then, which calls `then` once `file` has been replaced, or is there where it was not. */
export function whenReplaced(file: string, then: () => void): () => void {
	const identity = (): string | undefined => {
		const found = statSync(file, { throwIfNoEntry: false });
		return found && `${found.ino} ${found.mtimeMs}`;
	};
	const before = identity();
	let done = false;
	return () => {
		if (done || identity() === before) return;
		done = true;
		then();
	};
}

/** Makes sure that the file of `option` can be written: its folder is there and lets us. */
export function checkWritable(option: string, file: string): void {
	const folder = dirname(resolve(file));
	checkUsage(
		statSync(folder, { throwIfNoEntry: false })?.isDirectory(),
		() => `${option} ${file}: the folder ${folder} does not exist; make it first, or name another`,
	);
	checkUsage(
		!statSync(file, { throwIfNoEntry: false })?.isDirectory(),
		() => `${option} ${file}: this is a folder; name the file in it, such as ${join(file, "curves.svg")}`,
	);
	try {
		accessSync(folder, constants.W_OK);
	} catch (error) {
		throw new EvenkeelError(`${option} ${file}: it cannot be written: ${describeError(error)}`);
	}
}
