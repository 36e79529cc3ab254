// Starting a program as several processes over MPI, with whichever launchers are installed.

import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

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
		options: ["--allow-run-as-root", "--oversubscribe", "--mca", "mpi_yield_when_idle", "1"],
	},
	{ name: "MPICH", commands: ["mpirun.mpich", "mpiexec.hydra", "mpirun"], says: /HYDRA/, options: [] },
];

/** The launchers on this machine. */
export function findLaunchers(): Launcher[] {
	return known.flatMap(({ name, commands, says, options }) => {
		const command = commands.find((one) => {
			const { stdout } = spawnSync(one, ["--version"], { encoding: "utf8" });
			return says.test(stdout ?? "");
		});
		return command === undefined ? [] : [{ name, command, options }];
	});
}

export interface RunOutcome {
	/** Of the launcher, or of the process that was started without one. */
	readonly code: number | null;
	readonly stdout: string;
	readonly stderr: string;
	/** When it ended, as `Date.now()` has it. */
	readonly ended: number;
	/** What each rank wrote with `report()`, in the order of the ranks; null where it did not come to that. */
	readonly ranks: readonly unknown[];
}

export interface RunOptions {
	/** Null: without a launcher. */
	launcher: Launcher | null;
	ranks: number;
	args?: readonly string[];
	env?: Readonly<Record<string, string>>;
	/** Options of Node, before the program. */
	nodeOptions?: readonly string[];
	/** Seconds until it is ended. Default 200. */
	limit?: number;
}

/** Runs `test/mpi/programs/<program>.mjs`, on the build. */
export function runRanks(program: string, options: RunOptions): Promise<RunOutcome> {
	const { launcher, ranks, args = [], env = {}, nodeOptions = [], limit = 200 } = options;
	const folder = mkdtempSync(join(tmpdir(), "evenkeel-mpi-"));
	const node = [...nodeOptions, join(root, `test/mpi/programs/${program}.mjs`), ...args];
	const [command, ...rest] = launcher
		? [launcher.command, ...launcher.options, "-n", String(ranks), process.execPath, ...node]
		: [process.execPath, ...node];
	return new Promise((resolve) => {
		const settings = {
			cwd: root,
			env: { ...process.env, ...env, EVENKEEL_TEST_REPORTS: folder },
			timeout: limit * 1000,
			killSignal: "SIGKILL",
			maxBuffer: 1 << 26,
		} as const;
		execFile(command, rest, settings, (error, stdout, stderr) => {
			const code = error === null ? 0 : typeof error.code === "number" ? error.code : null;
			const reports = Array.from({ length: ranks }, (_, rank): unknown => {
				const file = join(folder, `${rank}.json`);
				return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : null;
			});
			rmSync(folder, { recursive: true, force: true });
			resolve({ code, stdout, stderr, ended: Date.now(), ranks: reports });
		});
	});
}
