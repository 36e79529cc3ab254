// Every command of the program, in the order in which --help lists them.

import type { CliCommand } from "./command.ts";
import { bench } from "./commands/bench.ts";
import { compareCommand } from "./commands/compare.ts";
import { convertCommand } from "./commands/convert.ts";
import { explain } from "./commands/explain.ts";
import { exportCommand } from "./commands/export.ts";
import { foldCommand } from "./commands/fold.ts";
import { inspect } from "./commands/inspect.ts";
import { lab } from "./commands/lab.ts";
import { recalibrateCommand } from "./commands/recalibrate.ts";
import { train } from "./commands/train.ts";

export const commands: readonly CliCommand[] = [
	train,
	explain,
	inspect,
	exportCommand,
	foldCommand,
	recalibrateCommand,
	convertCommand,
	compareCommand,
	bench,
	lab,
];
