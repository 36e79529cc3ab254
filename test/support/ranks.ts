// Starting real ranks: `mpirun -n 3 node program.mjs`, with whichever launchers are installed, and what came of it. Without
// any, the tests that use this are skipped, and say so.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./package.ts";

/** A launcher that is installed. */
export interface Launcher {
	readonly name: "Open MPI" | "MPICH";
	readonly command: string;
	/** What it needs to start more processes than there are cores, as any user. */
	readonly options: readonly string[];
}

const known: readonly (Pick<Launcher, "name" | "options"> & { commands: string[]; says: RegExp })[] = [
	{
		name: "Open MPI",
		commands: ["mpirun.openmpi", "mpirun"],
		says: /Open MPI|OpenRTE/,
		options: ["--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "--mca", "mpi_yield_when_idle", "1"],
	},
	{ name: "MPICH", commands: ["mpirun.mpich", "mpiexec.hydra", "mpirun"], says: /HYDRA/, options: [] },
];

/** The launchers on this machine. */
export const launchers: readonly Launcher[] = known.flatMap(({ name, commands, says, options }) => {
	const command = commands.find((one) => says.test(spawnSync(one, ["--version"], { encoding: "utf8" }).stdout ?? ""));
	return command === undefined ? [] : [{ name, command, options }];
});

const missing = known.filter(({ name }) => !launchers.some((launcher) => launcher.name === name));
if (missing.length > 0) {
	const names = missing.map(({ name }) => name).join(" and ");
	console.warn(`SKIPPED: the tests over ${names}, as no mpirun of it is installed (Debian: openmpi-bin, mpich)`);
}

/** Groups of ranks: how many, and what each is to run, Node's arguments. */
export type Group = readonly [ranks: number, ...args: string[]];

export interface Outcome {
	/** Of the launcher, or of the process that was started without one. */
	readonly code: number | null;
	readonly stdout: string;
	readonly stderr: string;
	/** From the start until the last of the processes had ended. */
	readonly seconds: number;
}

export interface StartOptions {
	/** Default: the first there is. Null: without a launcher, as one process. */
	launcher?: Launcher | null;
	env?: Readonly<Record<string, string>>;
}

/** Runs Node on so many ranks. Several groups are ranks of one run with different arguments. */
export function mpirun(groups: readonly Group[], options: StartOptions = {}): Promise<Outcome> {
	return startMpirun(groups, options).ended;
}

/** As {@link mpirun}, with the launcher's process to send signals to. */
export function startMpirun(
	groups: readonly Group[],
	{ launcher = launchers[0] ?? null, env = {} }: StartOptions = {},
): { child: ChildProcess; ended: Promise<Outcome> } {
	const [command, ...args] =
		launcher === null
			? [process.execPath, ...groups[0].slice(1).map(String)]
			: [
					launcher.command,
					...launcher.options,
					...groups.flatMap(([ranks, ...own], i) => [
						...(i === 0 ? [] : [":"]),
						...["-n", String(ranks), process.execPath, ...own],
					]),
				];
	const started = performance.now();
	const child = spawn(command, args, { cwd: root, env: { ...process.env, ...env, NO_COLOR: "1" } });
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
			// That a signal is passed on is a remark of the launcher's own.
			const stderr = output.stderr.replace(/^mpirun\S*: Forwarding signal.*\n/gm, "");
			resolve({ code, stdout: output.stdout, stderr, seconds: (performance.now() - started) / 1000 });
		});
	});
	return { child, ended };
}

export interface RunOptions extends StartOptions {
	ranks: number;
	args?: readonly string[];
	/** Options of Node, before the program. */
	nodeOptions?: readonly string[];
}

/**
 * Runs `test/mpi/programs/<program>.mjs`, on the build. `ranks` of the outcome is what each rank wrote with `report()`, null
 * where it did not come to that; `ended` when all had ended, as `Date.now()` has it.
 */
export async function runRanks(
	program: string,
	{ ranks, args = [], nodeOptions = [], ...options }: RunOptions,
): Promise<Outcome & { ended: number; ranks: readonly unknown[] }> {
	const folder = mkdtempSync(join(tmpdir(), "evenkeel-mpi-"));
	const group: Group = [ranks, ...nodeOptions, join(root, `test/mpi/programs/${program}.mjs`), ...args];
	const outcome = await mpirun([group], { ...options, env: { ...options.env, EVENKEEL_TEST_REPORTS: folder } });
	const ended = Date.now();
	const reports = Array.from({ length: ranks }, (_, rank): unknown => {
		const file = join(folder, `${rank}.json`);
		return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : null;
	});
	rmSync(folder, { recursive: true, force: true });
	return { ...outcome, ended, ranks: reports };
}

/** The JSON lines of stdout. */
export function jsonLines(stdout: string): Record<string, unknown>[] {
	return stdout
		.split("\n")
		.filter((line) => line.startsWith("{"))
		.map((line) => JSON.parse(line));
}

export const cli = join(root, "dist/cli/main.mjs");
