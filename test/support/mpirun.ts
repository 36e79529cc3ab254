// Starting real ranks: `mpirun -n 3 node program.mjs`, with what came of it. Without an MPI and its launcher on the machine
// the tests that use this are skipped, and say so.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "./package.ts";

/** What `mpirun --version` says, or null where there is none. */
const version = spawnSync("mpirun", ["--version"], { encoding: "utf8" }).stdout ?? "";

/** Whether there is an mpirun. */
export const hasMpirun = version !== "";
export const isOpenMpi = version.includes("Open MPI");

if (!hasMpirun) {
	console.warn(
		"mpirun is not on this machine: the tests of several ranks are skipped (Debian: apt-get install openmpi-bin)",
	);
}

/** More ranks than cores, and root in containers, are what tests are run with. */
const flags = isOpenMpi ? ["--allow-run-as-root", "--oversubscribe", "--bind-to", "none"] : [];

export interface Outcome {
	code: number | null;
	stdout: string;
	stderr: string;
	/** From the start until the last of the processes had ended. */
	seconds: number;
}

/** Groups of ranks: how many, and what each is to run, Node's arguments. */
export type Group = readonly [ranks: number, ...args: string[]];

/** Runs Node on so many ranks. Several groups are ranks of one run with different arguments. */
export function mpirun(groups: readonly Group[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
	return startMpirun(groups, env).ended;
}

/** As {@link mpirun}, with the launcher's process to send signals to. */
export function startMpirun(
	groups: readonly Group[],
	env: Readonly<Record<string, string>> = {},
): { child: ChildProcess; ended: Promise<Outcome> } {
	const args = groups.flatMap(([ranks, ...own], i) => [
		...(i === 0 ? flags : [":"]),
		...["-n", String(ranks), process.execPath, ...own],
	]);
	const started = performance.now();
	const child = spawn("mpirun", args, { cwd: root, env: { ...process.env, ...env, NO_COLOR: "1" } });
	const output = { stdout: "", stderr: "" };
	for (const name of ["stdout", "stderr"] as const) {
		child[name].setEncoding("utf8").on("data", (text: string) => {
			output[name] += text;
		});
	}
	const limit = setTimeout(() => child.kill("SIGKILL"), 120_000);
	const ended = new Promise<Outcome>((resolve) => {
		child.on("close", (code) => {
			clearTimeout(limit);
			resolve({ code, ...output, seconds: (performance.now() - started) / 1000 });
		});
	});
	return { child, ended };
}

/** The JSON lines of stdout. */
export function jsonLines(stdout: string): Record<string, unknown>[] {
	return stdout
		.split("\n")
		.filter((line) => line.startsWith("{"))
		.map((line) => JSON.parse(line));
}

export const cli = join(root, "dist/cli/main.mjs");
