// A terminal that remembers what was written, for tests of commands.

import { runProgram } from "../../src/cli/program.ts";
import { type Environment, openTerminal, type Terminal } from "../../src/cli/ui/terminal.ts";

export interface Recorded {
	readonly terminal: Terminal;
	readonly out: () => string;
	readonly err: () => string;
}

/** Records both streams; `isTTY` and `columns` are those of both. No color unless `env` asks for it. */
export function recordTerminal(options: { isTTY?: boolean; columns?: number; env?: Environment } = {}): Recorded {
	const { isTTY = false, columns = 100, env = {} } = options;
	const written = { out: "", err: "" };
	const stream = (name: "out" | "err") => ({
		isTTY,
		columns,
		write: (text: string) => {
			written[name] += text;
		},
	});
	const terminal = openTerminal(stream("out"), stream("err"), env);
	return { terminal, out: () => written.out, err: () => written.err };
}

/** Runs the program as the shell would; resolves to its exit code and what it wrote. */
export async function runForTest(...args: string[]): Promise<{ code: number; out: string; err: string }> {
	const recorded = recordTerminal();
	const code = await runProgram(args, recorded.terminal);
	return { code, out: recorded.out(), err: recorded.err() };
}
