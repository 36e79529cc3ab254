// --trace: one step of the run, as Chrome's trace viewer shows it. A step in the middle of things is taken, when the
// engine has compiled what it will compile.

import { writeFileSync } from "node:fs";
import { chromeTrace, startTrace, stopTrace } from "../../trace.ts";

/** Steps to let pass first. */
const WARM_UP = 50;

/** To be called after each step; writes `file` when one step has been recorded. `steps`: how many the run has. */
export function stepTrace(file: string, steps: number): () => void {
	const first = Math.min(WARM_UP, steps - 1);
	let step = 0;
	return () => {
		step++;
		if (step === first) startTrace();
		else if (step === first + 1) writeFileSync(file, chromeTrace(stopTrace()));
	};
}
