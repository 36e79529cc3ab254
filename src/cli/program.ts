// The program around the commands: version, help, and one way to fail.

import { Command, CommanderError } from "commander";
import type { Colors } from "picocolors/types";
import { version } from "../../package.json" with { type: "json" };
import type { CliCommand } from "./command.ts";
import { commands } from "./commands.ts";
import { checkUsage, describeError, exitCodeOf, usageErrorFrom } from "./errors.ts";
import { tableLines } from "./ui/table.ts";
import type { Terminal } from "./ui/terminal.ts";

/**
 * Runs the command line `args` (without node and the script) and resolves to the exit code: 0, 1 for an error, 2 for
 * wrong usage, or what the command set on the terminal. Never rejects and never exits the process.
 */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<number> {
	let running = "evenkeel";
	const program = buildProgram(terminal, commands, (name) => {
		running = name;
	});
	try {
		checkHelped(args);
		await program.parseAsync(args, { from: "user" });
		return terminal.exitCode;
	} catch (error) {
		if (error instanceof CommanderError && error.exitCode === 0) return 0;
		// Without a command there is no complaint: commander has printed the help.
		if (!(error instanceof CommanderError && error.code === "commander.help")) report(error, running, args, terminal);
		return exitCodeOf(error);
	}
}

/** `help nope` would print the help of the whole program. */
function checkHelped(args: readonly string[]): void {
	const [first, name] = args.filter((arg) => !arg.startsWith("-"));
	const known = [...commands.map((command) => command.name), "help"];
	checkUsage(
		first !== "help" || name === undefined || known.includes(name),
		() => `unknown command '${name}' (see evenkeel --help)`,
	);
}

/**
 * The program with the given commands; its help goes to `terminal.out`. `onCommand` learns which command runs or was
 * called wrongly.
 */
export function buildProgram(
	terminal: Terminal,
	list: readonly CliCommand[],
	onCommand: (name: string) => void = () => {},
): Command {
	const program = new Command("evenkeel")
		.description("Train, understand and deploy networks that use batch normalization and its family.")
		.version(version, "-V, --version", "print the version")
		.helpOption("-h, --help", "print help")
		.helpCommand("help [command]", "print help for a command")
		.option("--debug", "print the stack trace of an error")
		.configureHelp({ showGlobalOptions: true, styleTitle: (text) => terminal.outColors.bold(text) })
		.configureOutput({
			writeOut: (text) => terminal.out.write(text),
			writeErr: (text) => terminal.err.write(text),
			outputError: () => {},
			getOutHelpWidth: () => Math.min(terminal.out.columns ?? 100, 120),
			getErrHelpWidth: () => Math.min(terminal.err.columns ?? 100, 120),
			getOutHasColors: () => terminal.outColors.isColorSupported,
			getErrHasColors: () => terminal.errColors.isColorSupported,
		});
	throwUsageErrors(program, () => onCommand("evenkeel"));
	program.hook("preAction", (_, action) => onCommand(`evenkeel ${action.name()}`));
	for (const entry of list) {
		const command = program.command(entry.name).helpOption("-h, --help", "print help");
		throwUsageErrors(command, () => onCommand(`evenkeel ${entry.name}`));
		entry.define(command, terminal);
		command.addHelpText("after", () => examplesText(entry.examples, terminal.outColors));
	}
	const firsts = list.flatMap((entry) => entry.examples.slice(0, 1));
	program.addHelpText("after", () => examplesText(firsts, terminal.outColors));
	return program;
}

/** Commander would end the process; it is made to throw instead. */
function throwUsageErrors(command: Command, before: () => void): void {
	command.exitOverride((error) => {
		before();
		throw error;
	});
}

function report(error: unknown, command: string, args: readonly string[], terminal: Terminal): void {
	const shown = error instanceof CommanderError ? usageErrorFrom(error, command) : error;
	terminal.err.write(`${terminal.errColors.red(`${command}:`)} ${describeError(shown)}\n`);
	if (args.includes("--debug") && error instanceof Error) terminal.err.write(`${error.stack}\n`);
}

function examplesText(examples: CliCommand["examples"], colors: Colors): string {
	if (examples.length === 0) return "";
	const rows = examples.map(([commandLine, purpose]) => [commandLine, colors.dim(purpose)]);
	return `\n${colors.bold("Examples:")}\n${tableLines(rows, { indent: 2, gap: 3 }).join("\n")}\n`;
}
