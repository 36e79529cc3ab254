// What a rank found, for the test that started it.

import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Writes `value` as this rank's result. @param {number} rank @param {unknown} value */
export function report(rank, value) {
	const folder = process.env.EVENKEEL_TEST_REPORTS;
	if (folder === undefined) throw new Error("EVENKEEL_TEST_REPORTS names no folder; runRanks() sets it");
	writeFileSync(join(folder, `${rank}.json`), JSON.stringify(value));
}
