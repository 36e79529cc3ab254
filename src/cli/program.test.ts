import type { Command } from "commander";
import { expect, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { recordTerminal, runForTest } from "../../test/support/terminal.ts";
import { EvenkeelError } from "../errors.ts";
import { commands } from "./commands.ts";
import { describeError, exitCodeOf, UsageError } from "./errors.ts";
import { buildProgram } from "./program.ts";

test("--version and --help answer on stdout", async () => {
	expect(await runForTest("--version")).toEqual({ code: 0, out: `${packageJson.version}\n`, err: "" });
	const help = await runForTest("--help");
	expect(help).toMatchObject({ code: 0, err: "" });
	for (const { name, examples } of commands) {
		expect(help.out).toContain(`  ${name} `);
		expect(help.out).toContain(examples[0][0]);
	}
});

test.each(commands)("every example in the help of $name starts as a command line does", async ({ name, examples }) => {
	const { code, out } = await runForTest(name, "--help");
	expect(code).toBe(0);
	expect(examples.length).toBeGreaterThan(0);
	for (const [commandLine, purpose] of examples) {
		// What starts several processes stands before it.
		expect(commandLine.replace(/^mpirun -n \d+ npx /, "")).toMatch(new RegExp(`^evenkeel ${name}\\b`));
		expect(out).toContain(commandLine);
		expect(out).toContain(purpose);
	}
});

test("no command prints the help, and is wrong usage", async () => {
	const { code, out, err } = await runForTest();
	expect({ code, out }).toEqual({ code: 2, out: "" });
	expect(err).toContain("Usage: evenkeel");
});

test.each([
	[["explian"], "evenkeel: unknown command 'explian'; did you mean explain? (see evenkeel --help)"],
	[["help", "nope"], "evenkeel: unknown command 'nope' (see evenkeel --help)"],
	[["--nope"], "evenkeel: unknown option '--nope' (see evenkeel --help)"],
	[
		["explain", "--dgits", "3"],
		"evenkeel explain: unknown option '--dgits'; did you mean --digits? (see evenkeel explain --help)",
	],
	[["explain", "--eps"], "evenkeel explain: option '--eps <x>' argument missing (see evenkeel explain --help)"],
	[
		["explain", "--digits", "x"],
		"evenkeel explain: option '--digits <n>' argument 'x' is invalid: it must be a whole number from 0 to 15 (see evenkeel explain --help)",
	],
])("wrong usage is one line and exit code 2: %j", async (args, line) => {
	expect(await runForTest(...args)).toEqual({ code: 2, out: "", err: `${line}\n` });
});

test("the stack comes with --debug only", async () => {
	const plain = await runForTest("explain", "no-such-file.csv");
	expect(plain.code).toBe(1);
	expect(plain.err.split("\n")).toHaveLength(2);
	const debug = await runForTest("train", "no-such-network", "--debug");
	expect(debug.err).toMatch(/\n {4}at /);
	expect((await runForTest("train", "no-such-network")).err).not.toMatch(/\n {4}at /);
});

test("every kind of error is one line that names the way out", () => {
	const system = (code: string, path?: string) =>
		Object.assign(new Error(`${code}: raw`), { code, syscall: "open", path });
	expect(describeError(new EvenkeelError("two\n  lines"))).toBe("two lines");
	expect(describeError(system("ENOENT", "/x/y"))).toBe("/x/y: no such file or folder; check the path");
	expect(describeError(system("ENOSPC"))).toBe("the disk is full; free some space or choose another place");
	expect(describeError(system("EWEIRD", "/x"))).toBe("/x: EWEIRD: raw");
	expect(describeError(new TypeError("x is not a function"))).toMatch(
		/^unexpected TypeError: x is not a function; this is a bug/,
	);
	expect(describeError("thrown text")).toContain("thrown text");
	expect([exitCodeOf(new UsageError("")), exitCodeOf(new EvenkeelError("")), exitCodeOf(new Error("any"))]).toEqual([
		2, 1, 1,
	]);
});

test("commands may set the exit code, and color follows the stream", async () => {
	const tty = recordTerminal({ isTTY: true });
	const define = (command: Command) => {
		command.action(() => {
			tty.terminal.exitCode = 130;
		});
	};
	await buildProgram(tty.terminal, [{ name: "stop", examples: [], define }]).parseAsync(["stop"], { from: "user" });
	expect(tty.terminal.exitCode).toBe(130);
	expect(tty.terminal.outColors.bold("x")).not.toBe("x");
	for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }]) {
		expect(recordTerminal({ isTTY: true, env }).terminal.outColors.bold("x")).toBe("x");
	}
	expect(recordTerminal({ env: { FORCE_COLOR: "1" } }).terminal.errColors.red("x")).not.toBe("x");
});
