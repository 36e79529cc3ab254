#!/usr/bin/env node
// The `evenkeel` command. Everything it does is in program.ts and the commands; this file only ties
// them to the process.

import { watchOutput } from "./broken-output.ts";
import { runProgram } from "./program.ts";
import { openTerminal } from "./ui/terminal.ts";

const args = process.argv.slice(2);
const exitCode = watchOutput(process, args);
const terminal = openTerminal(process.stdout, process.stderr, process.env);
process.on("exit", () => {
	process.exitCode = exitCode(Number(process.exitCode ?? 0));
});
// Not process.exit(): what is still on its way to a pipe would be lost.
process.exitCode = await runProgram(args, terminal);
