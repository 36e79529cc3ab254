// A safetensors file on the disk: the header is read at once, a tensor when it is asked for.

import { check } from "../../errors.ts";
import { FileSource } from "../byte-source.ts";
import { quote } from "../show.ts";
import { readHeader, type SafetensorsEntry } from "./header.ts";
import { StoredTensor, TensorOnDisk } from "./stored-tensor.ts";

/**
 * An open safetensors file, of which only the header is in memory.
 *
 *     const file = new SafetensorsFile("model.safetensors");
 *     net.loadStateDict(file.tensors());      // reads one tensor after the other
 *     file.close();                           // or: using file = …
 *
 * In browsers, which have no file system, use `decodeSafetensors`.
 */
export class SafetensorsFile implements Disposable {
	/** The header's `__metadata__`. */
	readonly metadata: Readonly<Record<string, string>>;
	/** Type, shape and place of each tensor, by name. */
	readonly entries: ReadonlyMap<string, SafetensorsEntry>;
	readonly #source: FileSource;

	/**
	 * Opens the file `path` and checks its header.
	 *
	 * @throws EvenkeelError if it cannot be read, or breaks any of the format's rules
	 */
	constructor(path: string) {
		this.#source = new FileSource(path);
		try {
			const { entries, metadata } = readHeader(this.#source);
			this.entries = entries;
			this.metadata = metadata;
		} catch (error) {
			this.#source.close();
			throw error;
		}
	}

	/** The path. */
	get path(): string {
		return this.#source.name;
	}

	/**
	 * Reads one tensor.
	 *
	 * @throws EvenkeelError if there is none of that name
	 */
	tensor(name: string): StoredTensor {
		const entry = this.entries.get(name);
		check(entry, () => `${this.path}: there is no tensor ${quote(name)}; there are ${this.#names()}`);
		return new StoredTensor(entry, this.#source.read(entry.begin, entry.end), this.#what(name));
	}

	/**
	 * Every tensor, by name, still on the disk: each is read when its `data` or `numbers()` are asked for, so the
	 * file must stay open until then.
	 */
	tensors(): Record<string, TensorOnDisk> {
		return Object.fromEntries(
			[...this.entries].map(([name, entry]) => [name, new TensorOnDisk(entry, this.#source, this.#what(name))]),
		);
	}

	/** Closes the file. What was read stays. */
	close(): void {
		this.#source.close();
	}

	[Symbol.dispose](): void {
		this.close();
	}

	#what(name: string): string {
		return `${this.path}: tensor ${quote(name)}`;
	}

	#names(): string {
		const names = [...this.entries.keys()];
		return names.slice(0, 8).map(quote).join(", ") + (names.length > 8 ? ` and ${names.length - 8} more` : "");
	}
}
