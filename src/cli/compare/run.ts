// `compare`: settle what to run, run what is not there yet, and make tables and the report of all there is.

import { join } from "node:path";
import { compareReport } from "../../compare/report/report.ts";
import type { CellResult } from "../../compare/result.ts";
import { type CompareSpec, cellsOf } from "../../compare/spec.ts";
import { resultsCsv, resultsJsonl, tabulate } from "../../compare/table.ts";
import { judge } from "../../compare/verdict.ts";
import { checkUsage } from "../errors.ts";
import { prepareFolder } from "../train/outputs.ts";
import { interrupted, stoppable } from "../train/stop-on-signal.ts";
import type { Terminal } from "../ui/terminal.ts";
import { CellPool, type Job } from "./cell-pool.ts";
import type { Comparison } from "./comparison.ts";
import { writeClaims } from "./docs.ts";
import { loadSpec, specAsYaml } from "./load-spec.ts";
import { jobCount, threadsPerJob, workOf } from "./plan-jobs.ts";
import { CompareProgress } from "./progress.ts";
import { keyOf, ResultsFolder } from "./results-folder.ts";
import { sayResults } from "./say.ts";

/** The options of `compare` as the command line gives them. */
export interface CompareFlags {
	out?: string;
	jobs?: number;
	seeds?: number;
	data?: string;
	download: boolean;
	yaml?: boolean;
	docs?: string;
	json?: boolean;
}

/** The folder of a comparison that names none. */
export function defaultFolder(name: string): string {
	return join("runs", "compare", name);
}

export async function runCompare(name: string | undefined, flags: CompareFlags, terminal: Terminal): Promise<void> {
	if (flags.docs !== undefined) {
		writeClaims(flags.docs, flags.out ?? defaultFolder(""), terminal);
		return;
	}
	checkUsage(name !== undefined, "name a comparison or a file: evenkeel compare learning-rate");
	if (flags.yaml) {
		terminal.out.write(specAsYaml(name));
		return;
	}
	const loaded = loadSpec(name);
	const spec = flags.data === undefined ? loaded : { ...loaded, data: flags.data };
	const dir = flags.out ?? defaultFolder(spec.name);
	prepareFolder("--out", dir);
	const folder = new ResultsFolder(dir);
	folder.prepare();
	const comparison = await stoppable(
		(signal) => finish(spec, flags, folder, terminal, signal),
		() => terminal.err.write("\nstopping; finished runs are kept\n"),
	);
	if (!comparison) {
		terminal.exitCode = interrupted;
		return;
	}
	const files = writeFiles(comparison, folder);
	sayResults(comparison, files, terminal, flags.json === true);
}

/** Runs what is missing. Resolves to null if it was told to stop first. */
async function finish(
	spec: CompareSpec,
	flags: CompareFlags,
	folder: ResultsFolder,
	terminal: Terminal,
	signal: AbortSignal,
): Promise<Comparison | null> {
	const seeds = flags.seeds ?? spec.seeds;
	const cells = cellsOf(spec, seeds);
	const jobs = jobCount(flags.jobs, cells.length);
	const { data: from, measure } = spec;
	const pool = new CellPool({ data: from, download: flags.download, threads: threadsPerJob(jobs), measure });
	// A signal that comes while data is loaded ends that, too.
	const close = (): void => pool.close();
	signal.addEventListener("abort", close);
	try {
		// The first process tells which data there is; results of other data are not those of this comparison.
		const data = await pool.open();
		const all = cells.map((options): Job => ({ options, key: keyOf(options, spec, data.hash) }));
		const results = new Map<string, CellResult>();
		for (const { key } of all) {
			const stored = folder.read(key);
			if (stored) results.set(key, stored.result);
		}
		const missing = all
			.filter(({ key }) => !results.has(key))
			.sort((a, b) => workOf(b.options, data.trainExamples) - workOf(a.options, data.trainExamples));
		const progress = new CompareProgress(terminal, {
			total: all.length,
			work: new Map(missing.map(({ key, options }) => [key, workOf(options, data.trainExamples)])),
			jobs: Math.min(jobs, Math.max(1, missing.length)),
			json: flags.json === true,
		});
		progress.start(spec, data, all.length - missing.length);
		const more = Math.min(jobs, missing.length) - 1;
		await Promise.all(Array.from({ length: Math.max(0, more) }, () => pool.open()));
		const onDone = ({ key }: Job, result: CellResult, seconds: number): void => {
			folder.write(key, { result, seconds });
			results.set(key, result);
			progress.done(key, result, seconds);
		};
		await pool.run(missing, { onDone }, signal);
		progress.end();
		if (signal.aborted) return null;
		return { spec, seeds, data, results: all.flatMap(({ key }) => results.get(key) ?? []) };
	} catch (error) {
		if (signal.aborted) return null;
		throw error;
	} finally {
		signal.removeEventListener("abort", close);
		pool.close();
	}
}

/** Writes everything that is made of the results; returns the paths. */
function writeFiles(comparison: Comparison, folder: ResultsFolder): string[] {
	const { spec, seeds, data, results } = comparison;
	const judgements = spec.claims.map((claim) => judge(claim, results, spec.target));
	const command = `evenkeel compare ${spec.name}${seeds === spec.seeds ? "" : ` --seeds ${seeds}`}`;
	return [
		folder.writeFile("results.jsonl", resultsJsonl(results)),
		folder.writeFile("results.csv", resultsCsv(results, spec.target)),
		folder.writeFile("comparison.json", `${JSON.stringify({ spec, seeds, data }, null, "\t")}\n`),
		folder.writeFile(
			"report.html",
			compareReport({ spec, seeds, data, results, judgements, table: tabulate(results, spec.target), command }),
		),
	];
}
