// --trace: one step of the run, as Chrome's trace viewer shows it. A step in the middle of things is taken, when the
// engine has compiled what it will compile.

import { writeFileAtomicSync } from "../../model-files/atomic-write.ts";
import { chromeTrace, startTrace, stopTrace } from "../../trace.ts";
import { describeError } from "../errors.ts";

/** Steps to let pass first. */
const WARM_UP = 50;

export interface StepTrace {
	/** To be called after each step; writes the file when one step has been recorded. */
	step(): void;
	/** To be called when training is over: why nothing was written, or null. */
	end(): string | null;
}

/** `left`: how many steps the run has left. Training does not end for a file that cannot be written. */
export function stepTrace(file: string, left: number): StepTrace {
	const first = Math.min(WARM_UP, left - 1);
	let step = 0;
	let problem: string | null =
		left < 1
			? `--trace ${file}: there was no step left to trace`
			: `--trace ${file}: the run ended before the step to trace`;
	if (first === 0) startTrace();
	return {
		step() {
			step++;
			if (step === first) startTrace();
			if (step !== first + 1) return;
			try {
				writeFileAtomicSync(file, chromeTrace(stopTrace()));
				problem = null;
			} catch (error) {
				problem = `--trace: ${describeError(error)}`;
			}
		},
		end() {
			stopTrace();
			return problem;
		},
	};
}
