// Where a run writes: checked before training starts, so that an hour's work does not end at a folder that is not there.

import { randomUUID } from "node:crypto";
import { accessSync, constants, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { EvenkeelError } from "../../errors.ts";
import { checkpointFile } from "../../train/index.ts";
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

/** As {@link prepareFolder}, for a command that writes once it has all: a folder that is not there is not made yet. */
export function checkFolder(option: string, dir: string): void {
	if (existsSync(dir)) {
		prepareFolder(option, dir);
		return;
	}
	let parent = dirname(resolve(dir));
	while (!existsSync(parent)) parent = dirname(parent);
	try {
		accessSync(parent, constants.W_OK | constants.X_OK);
		if (!statSync(parent).isDirectory()) throw new EvenkeelError(`${parent} is a file`);
	} catch (error) {
		throw new EvenkeelError(`${option} ${dir}: nothing can be written there: ${describeError(error)}`);
	}
}

/** Makes sure that the file of `option` can be written: its folder is there and lets us, and it is no run's checkpoint. */
export function checkWritable(option: string, file: string): void {
	checkUsage(
		basename(file) !== checkpointFile || !existsSync(file),
		() => `${option} ${file}: this is a run's checkpoint, which would be lost; name another file`,
	);
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
