// Processes that talk over Open MPI and over MPICH; one that was started alone; and how runs end.

import { describe, expect, test } from "vitest";
import { launchers, runRanks } from "../support/ranks.ts";

const libraries = { "Open MPI": "libmpi.so.40", MPICH: "libmpich.so.12" };
const without = new URL("programs/without-koffi.mjs", import.meta.url).href;

/** What `collectives.mjs` is to find as one rank of so many. */
function expected(rank: number, size: number) {
	const ranks = Array.from({ length: size }, (_, i) => i);
	const sum = (of: (rank: number) => number) => ranks.reduce((total, r) => total + of(r), 0);
	const all = sum((r) => r + 1);
	return {
		...{ rank, size, same: true, none: [], bytes: [200, 7], broadcast: [size - 1, (size - 1) / 3], finished: true },
		sum: [all, size / 2],
		double: [all, expect.closeTo(size * 1e-12, 20)],
		integer: [sum((r) => r), -(2 ** 20) * all],
		min: [0, 1 - size],
		max: [size - 1, 0],
		small: sum((r) => 2000 * r + 1999 * 1000),
		overlapped: {
			sums: [all, all, 2 * all, 2 * all, 3 * all, 3 * all, 4 * all, 4 * all],
			polls: expect.any(Number),
			again: true,
		},
		gathered: ranks.flatMap((r) => [r, 10 * r]),
		lengths: ranks.map((r) => Array.from({ length: 2 * r }, (_, i) => r + i / 4)),
		text: ranks.map((r) => `rank ${"#".repeat(r)}`),
		outOfBounds: "RuntimeError: memory access out of bounds",
		refused: [
			`EvenkeelError: broadcast: root ${size} is no rank; there are ${size}, from 0`,
			'EvenkeelError: allreduce: op is "sum", "min" or "max", got "mean"',
			"EvenkeelError: allgather: expected a Float32Array, Float64Array, Int32Array or Uint8Array, got Uint16Array",
		],
		after: "EvenkeelError: barrier: called after finalize(), which is to be the last call",
	};
}

describe.each(launchers)("$name", (launcher) => {
	test.each([2, 3])("every collective, on %i ranks", async (size) => {
		const { code, stderr, ranks } = await runRanks("collectives", { launcher, ranks: size });
		expect(code, stderr).toBe(0);
		for (const [rank, found] of ranks.entries()) {
			expect(found).toMatchObject(expected(rank, size));
			expect(found).toMatchObject({ library: expect.stringMatching(launcher.name), host: expect.stringMatching(/./) });
		}
	});

	test("a process that nothing launched is rank 0 of 1", async () => {
		const env = { EVENKEEL_MPI_LIBRARY: libraries[launcher.name] };
		const { code, stderr, ranks } = await runRanks("collectives", { launcher: null, ranks: 1, env });
		expect(code, stderr).toBe(0);
		expect(ranks[0]).toMatchObject({ ...expected(0, 1), library: expect.stringMatching(launcher.name) });
	});

	test.each<[string, RegExp]>([
		["throw", /rank 1 on .*: Error: the disk is full/],
		["exit", /rank 1 on .*: exits with code 3/],
		// What it wrote last is to be read, though the launcher ends at once.
		["abort", /rank 1 gives up/],
		["kill", /./],
	])("a rank that ends with an error ends the others: %s", async (how, says) => {
		const { code, stderr, stdout, ended, ranks } = await runRanks("failing", { launcher, ranks: 3, args: [how] });
		expect(code).not.toBe(0);
		expect(stderr + stdout).toMatch(says);
		expect((ended - Number(ranks[1])) / 1000).toBeLessThan(30);
	});
});

const [first, second] = launchers;
test.skipIf(second === undefined)(
	"a library of another MPI than the launcher's is told from N runs alone",
	async () => {
		for (const [launcher, library] of [
			[first, libraries[second.name]],
			[second, libraries[first.name]],
		] as const) {
			const env = { EVENKEEL_MPI_LIBRARY: library };
			const { code, stderr } = await runRanks("collectives", { launcher, ranks: 2, env });
			expect(code).not.toBe(0);
			expect(stderr).toMatch(
				/mpirun started 2 processes, but .* finds only this one: it is another MPI than the launcher's/,
			);
		}
	},
);

describe("what is missing is said in one line, with what to install", () => {
	const alone = { launcher: null, ranks: 1 };

	test("koffi", async () => {
		const { stderr } = await runRanks("collectives", { ...alone, nodeOptions: ["--import", without] });
		expect(stderr).toMatch(
			/EvenkeelError: evenkeel\/mpi: the package koffi, which calls the MPI library, could not be loaded; run: npm install koffi\n/,
		);
	});

	test("the library", async () => {
		const { stderr } = await runRanks("collectives", { ...alone, env: { EVENKEEL_MPI_LIBRARY: "libnothing.so.1" } });
		expect(stderr).toMatch(
			/EVENKEEL_MPI_LIBRARY names libnothing\.so\.1, which could not be loaded \(.*\); install one \(Debian: apt-get install openmpi-bin, or mpich\), load the cluster's module \(module load openmpi\), or name its file in EVENKEEL_MPI_LIBRARY\n/,
		);
	});

	test("a library that is no MPI", async () => {
		const { stderr } = await runRanks("collectives", { ...alone, env: { EVENKEEL_MPI_LIBRARY: "libm.so.6" } });
		expect(stderr).toMatch(/EvenkeelError: evenkeel\/mpi: libm\.so\.6 is no MPI library \(.*MPI_Get_library_version/);
	});
});
