#!/usr/bin/env node
// The `evenkeel` command. Everything it does is in program.ts and the commands; this file only ties
// them to the process.

import { runProgram } from "./program.ts";
import { openTerminal } from "./ui/terminal.ts";

// `evenkeel explain | head`: the reader has seen enough, and that is no error.
for (const stream of [process.stdout, process.stderr]) {
	stream.on("error", (error: NodeJS.ErrnoException) => {
		if (error.code === "EPIPE") process.exit(0);
		throw error;
	});
}

const terminal = openTerminal(process.stdout, process.stderr, process.env);
// Not process.exit(): what is still on its way to a pipe would be lost.
process.exitCode = await runProgram(process.argv.slice(2), terminal);
