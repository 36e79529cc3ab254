// `evenkeel train --distributed` on real ranks: what it prints, and how it ends when something goes wrong on one of them.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCheckpoint } from "../../src/train/index.ts";
import { cli, type Group, jsonLines, launchers, mpirun, startMpirun } from "../support/ranks.ts";

let root: string;
let planted: string;

beforeAll(() => {
	root = mkdtempSync(join(tmpdir(), "evenkeel-distributed-"));
	planted = join(root, "planted.mjs");
	const program = pathToFileURL(join(import.meta.dirname, "programs/planted.mjs")).href;
	writeFileSync(planted, `export { preset as default } from ${JSON.stringify(program)};\n`);
});

afterAll(() => {
	rmSync(root, { recursive: true, force: true });
});

const train = (ranks: number, out: string, ...more: string[]): Group => {
	const common = ["--distributed", "--json", "--threads", "1", "--checkpoint-every", "1", "--out", join(root, out)];
	return [ranks, cli, "train", planted, ...common, ...more];
};

interface Span {
	ph: string;
	cat: string;
	name: string;
	tid: number;
	ts: number;
	dur: number;
}

// Over all launchers at the same time: it waits a good deal.
test.runIf(launchers.length > 0)(
	"a rank that is stopped, as one whose machine is gone, ends the others too",
	async () => {
		const runs = launchers.map(async (launcher, i) => {
			const out = `stopped-${i}`;
			const { code, stderr, seconds } = await mpirun([train(3, out)], { launcher, env: { PLANT: "stop 2 5" } });
			expect(code, launcher.name).toBe(1);
			expect(stderr).toMatch(/evenkeel train: rank 2 \(.*, process \d+\) has not been heard of for 15 s/);
			expect(seconds).toBeLessThan(35);
			expect(readCheckpoint(join(root, out)).state.step).toBe(4);
		});
		await Promise.all(runs);
	},
);

describe.each(launchers)("train --distributed over $name", (launcher) => {
	test("rank 0 alone prints and writes", async () => {
		const { code, stdout } = await mpirun([train(3, "whole")], { launcher });
		expect(code).toBe(0);
		const lines = jsonLines(stdout);
		expect(lines.map(({ event }) => event)).toEqual(["start", "epoch", "epoch", "epoch", "end"]);
		expect(lines[0]).toMatchObject({ ranks: 3, machines: 1, threads: 1, batchSize: 12, trainExamples: 240 });
	});

	test("a rank that is killed in the middle of an epoch ends the others; two go on from its checkpoint", async () => {
		const { code, stdout, stderr, seconds } = await mpirun([train(3, "killed")], {
			launcher,
			env: { PLANT: "kill 1 33" },
		});
		expect(code).not.toBe(0);
		const isMpich = launcher.name === "MPICH";
		// MPICH's launcher ends the others before they notice, and knows the process alone.
		const says = isMpich
			? /PID \d+ RUNNING AT[\s\S]*EXIT CODE: 9/
			: /rank 1 .*(has ended in the middle of the run|exited on signal 9)/;
		expect(stderr + stdout).toMatch(says);
		expect(seconds).toBeLessThan(30);
		expect(jsonLines(stdout).map(({ event }) => event)).toEqual(["start", "epoch"]);
		const { state } = readCheckpoint(join(root, "killed"));
		// MPICH's may end rank 0 before it has written that of step 32.
		expect(isMpich ? [31, 32] : [32]).toContain(state.step);
		expect(state.loader).toMatchObject({ epoch: 1, position: state.step - 20 });
		const rest = await mpirun([[2, cli, "train", "--distributed", "--json", "--resume", join(root, "killed")]], {
			launcher,
		});
		expect(rest.code).toBe(0);
		const lines = jsonLines(rest.stdout);
		expect(lines[0]).toMatchObject({ event: "start", ranks: 2, step: state.step });
		expect(lines.slice(1).map(({ event, epoch }) => [event, epoch])).toEqual([
			["epoch", 2],
			["epoch", 3],
			["end", undefined],
		]);
	});

	test("NaN on one rank is told with rank and layer, by rank 0", async () => {
		const inNorm = await mpirun([train(3, "nan")], { launcher, env: { PLANT: "nan 2 7" } });
		expect(inNorm.code).toBe(1);
		expect(inNorm.stderr).toMatch(/^evenkeel train: rank 2: BatchNorm1d "2": .*(NaN|Infinity|infinite|finite)/m);
		const inLoss = await mpirun([train(3, "nan-loss")], { launcher, env: { PLANT: "nan 1 7", NORM: "none" } });
		expect(inLoss.code).toBe(1);
		expect(inLoss.stderr).toMatch(
			/^evenkeel train: rank 1: epoch 1, batch 7 of 20: the loss is NaN.*that of Planted "1"/m,
		);
		expect(readCheckpoint(join(root, "nan-loss")).state.step).toBe(6);
	});

	test("so it is with shared batch norm, where all ranks meet the NaN of one", async () => {
		const { code, stderr } = await mpirun([train(3, "nan-sync", "--sync-bn")], { launcher, env: { PLANT: "nan 1 7" } });
		expect(code).toBe(1);
		// Rank 0 says what it found itself, or, where that was faster, what another rank told it.
		expect(stderr).toMatch(/^evenkeel train: ((rank 2: )?SyncBatchNorm "2": .*rank 1|rank 1: SyncBatchNorm "2": )/m);
	});

	test("any error on one rank is told by rank 0", async () => {
		const { code, stderr } = await mpirun([train(2, "thrown")], { launcher, env: { PLANT: "throw 1 3" } });
		expect(code).toBe(1);
		expect(stderr).toMatch(/^evenkeel train: rank 1: the planted error$/m);
	});

	test("ranks that were started differently are told apart", async () => {
		const sizes = await mpirun([train(2, "unlike"), train(1, "unlike", "--batch-size", "24")], { launcher });
		expect(sizes.code).toBe(1);
		expect(sizes.stderr).toMatch(
			/^evenkeel train: the ranks were not started alike: batchSize is 12 on ranks 0 and 1 and 24 on rank 2\. Start/m,
		);
		const [one, other] = [train(1, "unlike"), train(1, "unlike")];
		const withRows = ([ranks, ...args]: Group): Group => {
			return [ranks, "--import", "data:text/javascript,process.env.ROWS=230", ...args];
		};
		const data = await mpirun([one, withRows(other)], { launcher });
		expect(data.code).toBe(1);
		expect(data.stderr).toMatch(/examples is 240 on rank 0 and 230 on rank 1; .*hash of training examples is "/);
	});

	test("a trace shows reductions of gradients that begin before backward has ended", async () => {
		const trace = join(root, "trace.json");
		const shape = [
			"--epochs",
			"1",
			"--limit",
			"3000",
			"--batch-size",
			"64",
			"--out",
			join(root, "traced"),
			"--trace",
			trace,
		];
		const { code } = await mpirun(
			[[2, cli, "train", "mlp-bn", "--distributed", "--threads", "1", "--quiet", ...shape]],
			{ launcher },
		);
		expect(code).toBe(0);
		const { traceEvents } = JSON.parse(readFileSync(trace, "utf8")) as { traceEvents: Span[] };
		const spans = traceEvents.filter(({ ph }) => ph === "X");
		const backwards = spans.filter(({ cat }) => cat === "backward");
		const reductions = spans.filter(({ name }) => name.startsWith("gradients"));
		expect(reductions.length).toBeGreaterThan(1);
		const end = Math.max(...backwards.map(({ ts, dur }) => ts + dur));
		const under = reductions.filter(({ ts }) => backwards.some((other) => other.ts >= ts) && ts < end);
		expect(under.length).toBeGreaterThan(0);
		expect(reductions.every(({ tid }) => tid > 2)).toBe(true);
	});

	test("told to stop, they stop after the same step, and say how to go on", async () => {
		const { child, ended } = startMpirun([train(2, "told", "--epochs", "2000")], { launcher });
		child.stdout?.on("data", (text: string) => {
			if (text.includes('"epoch":2,')) child.kill("SIGTERM");
		});
		const { stdout } = await ended;
		expect(jsonLines(stdout).at(-1)).toMatchObject({ event: "end", stopped: "aborted" });
	});
});
