// Where a comparison keeps its results: one file a finished cell, each written in one piece, from which everything else
// is made. Whatever ends the command, what is there is whole.

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { version } from "../../../package.json" with { type: "json" };
import type { CellOptions } from "../../compare/options.ts";
import type { CellResult } from "../../compare/result.ts";
import type { CompareSpec } from "../../compare/spec.ts";
import { writeFileAtomicSync } from "../../model-files/atomic-write.ts";

/** A finished cell as it is stored. */
interface StoredCell {
	readonly result: CellResult;
	/** How long it took: for the time left, and nothing else. */
	readonly seconds: number;
}

/** The results of one comparison, in a folder. */
export class ResultsFolder {
	readonly dir: string;
	readonly #cells: string;

	constructor(dir: string) {
		this.dir = dir;
		this.#cells = join(dir, "cells");
	}

	/** Makes the folder if need be, and clears away what a process that was killed left of a file it was writing. */
	prepare(): void {
		mkdirSync(this.#cells, { recursive: true });
		for (const file of readdirSync(this.#cells)) {
			if (file.endsWith(".tmp")) rmSync(join(this.#cells, file), { force: true });
		}
	}

	/** The finished cell `key`; null if there is none, or none that can be read. */
	read(key: string): StoredCell | null {
		try {
			const stored: StoredCell = JSON.parse(readFileSync(join(this.#cells, `${key}.json`), "utf8"));
			return Array.isArray(stored.result?.epochs) ? stored : null;
		} catch {
			return null;
		}
	}

	/** Keeps a finished cell, in one piece. */
	write(key: string, cell: StoredCell): void {
		writeFileAtomicSync(join(this.#cells, `${key}.json`), `${JSON.stringify(cell)}\n`);
	}

	/** Writes a file made from the results, and returns its path. */
	writeFile(name: string, contents: string): string {
		const path = join(this.dir, name);
		writeFileAtomicSync(path, contents);
		return path;
	}

	/** A file that {@link writeFile} has written; null if there is none. */
	readFile(name: string): string | null {
		try {
			return readFileSync(join(this.dir, name), "utf8");
		} catch {
			return null;
		}
	}
}

/**
 * What a cell is called: a hash of everything its result depends on, its options, what is measured, the data and the
 * version of evenkeel, so that a result is taken up again exactly where it is that of the same run.
 */
export function keyOf(options: CellOptions, { measure }: Pick<CompareSpec, "measure">, dataHash: string): string {
	const text = JSON.stringify([Object.entries(options).sort(), [...measure].sort(), dataHash, version]);
	return createHash("sha256").update(text).digest("hex").slice(0, 20);
}
