// Numbers from a .npy or .csv file.

import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { parseCsv } from "../../model-files/csv.ts";
import { decodeNpy } from "../../model-files/npy.ts";
import { UsageError } from "../errors.ts";
import type { NumberArray } from "./lesson.ts";

/** An array and, where the file has them, the names of its columns. */
export interface NamedArray extends NumberArray {
	columns?: string[];
}

/**
 * Reads `path` by its ending: `.npy` as NumPy saves it, `.csv` as a table with or without names above.
 *
 * @throws EvenkeelError if the file is none of the two, or cannot be understood
 */
export async function readNumbers(path: string): Promise<NamedArray> {
	const ending = extname(path).toLowerCase();
	if (ending === ".npy") {
		// A plain Uint8Array: slice() of Node's Buffer would not copy.
		const { shape, data } = decodeNpy(new Uint8Array(await readFile(path)), path);
		return { shape, data: Float64Array.from<number | bigint>(data, Number) };
	}
	if (ending === ".csv") {
		const { shape, data, columns } = parseCsv(await readFile(path, "utf8"), { name: path });
		return { shape, data, columns: columns ?? undefined };
	}
	throw new UsageError(
		`${path}: expected a file that ends in .npy or .csv; numpy.save() and numpy.savetxt() write them`,
	);
}
