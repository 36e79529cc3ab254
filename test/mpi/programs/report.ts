// What a rank found, for the test that started it.

import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Writes `value` as this rank's result. */
export function report(rank: number, value: unknown): void {
	const folder = process.env.EVENKEEL_TEST_REPORTS;
	if (folder === undefined) throw new Error("EVENKEEL_TEST_REPORTS names no folder; runRanks() sets it");
	writeFileSync(join(folder, `${rank}.json`), JSON.stringify(value));
}
