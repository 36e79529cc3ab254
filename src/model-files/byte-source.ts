// Where the bytes of a file come from: memory, or the disk, of which only what is asked for is read.

import { check, EvenkeelError } from "../errors.ts";
import { messageOf, needNodeModule, systemErrorCode } from "../node.ts";

/** Bytes that can be read in any order. */
export interface ByteSource {
	/** What errors call it: its path. */
	readonly name: string;
	/** How many bytes there are. */
	readonly size: number;
	/** The bytes from `begin` up to `end`, which must lie within the source. A view where that is possible. */
	read(begin: number, end: number): Uint8Array;
}

/** Bytes in memory. What is read are views of them. */
export function bytesInMemory(bytes: Uint8Array, name: string): ByteSource {
	return { name, size: bytes.length, read: (begin, end) => bytes.subarray(begin, end) };
}

/** The part of `source` from `begin` up to `end` as a source of its own. */
export function partOf(source: ByteSource, begin: number, end: number, name = source.name): ByteSource {
	return { name, size: end - begin, read: (from, to) => source.read(begin + from, begin + to) };
}

/** What one call to the operating system reads at most. */
const CHUNK = 1 << 30;

/** A file on the disk, open until `close()`. Only what is read comes into memory. */
export class FileSource implements ByteSource, Disposable {
	readonly name: string;
	readonly size: number;
	#descriptor: number | null;

	/**
	 * Opens the file `path` for reading.
	 *
	 * @throws EvenkeelError if it is not there, no file, or may not be read
	 */
	constructor(path: string) {
		const fs = needNodeModule("node:fs", "opening a file");
		this.name = path;
		try {
			this.#descriptor = fs.openSync(path, "r");
		} catch (error) {
			throw refusal(path, error);
		}
		const stats = fs.fstatSync(this.#descriptor);
		this.size = stats.size;
		if (!stats.isFile()) {
			this.close();
			throw new EvenkeelError(`${path}: this is ${stats.isDirectory() ? "a folder" : "no file"}; name a file`);
		}
	}

	read(begin: number, end: number): Uint8Array {
		const fs = needNodeModule("node:fs", "reading a file");
		const descriptor = this.#descriptor;
		check(descriptor !== null, () => `${this.name}: it was closed; read before close()`);
		const bytes = new Uint8Array(end - begin);
		let done = 0;
		while (done < bytes.length) {
			const length = Math.min(CHUNK, bytes.length - done);
			const read = fs.readSync(descriptor, bytes, done, length, begin + done);
			check(read > 0, () => `${this.name}: it became shorter while it was read; try again`);
			done += read;
		}
		return bytes;
	}

	/** Closes the file. What was read from it stays. */
	close(): void {
		if (this.#descriptor === null) return;
		needNodeModule("node:fs", "closing a file").closeSync(this.#descriptor);
		this.#descriptor = null;
	}

	[Symbol.dispose](): void {
		this.close();
	}
}

function refusal(path: string, error: unknown): EvenkeelError {
	const code = systemErrorCode(error);
	const known: Record<string, string> = {
		ENOENT: "there is no such file; check the path",
		ENOTDIR: "a part of the path is a file, not a folder; check the path",
		EACCES: "no permission to read it; change its permissions",
	};
	return new EvenkeelError(`${path}: ${known[code] ?? `it cannot be read: ${messageOf(error)}`}`);
}
