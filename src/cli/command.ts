// What a command is to the program: a name, a few examples for --help, and its options and action.

import type { Command } from "commander";
import type { Terminal } from "./ui/terminal.ts";

export interface CliCommand {
	readonly name: string;
	/** Command lines and what each is for, shown under `--help`; the program's own help shows the first. */
	readonly examples: readonly (readonly [commandLine: string, purpose: string])[];
	/** Gives `command` its description, arguments, options and action. */
	define(command: Command, terminal: Terminal): void;
}
