// How far a comparison is: a bar with the time left on a terminal, a line a run elsewhere. All of it on stderr.

import { figureOf } from "../../compare/metrics.ts";
import { showValue } from "../../compare/options.ts";
import type { CellResult, DataFacts } from "../../compare/result.ts";
import { type CompareSpec, cellsOf, varyingOptions } from "../../compare/spec.ts";
import { formatCount, formatDuration, formatPercent } from "../ui/format.ts";
import { ProgressDisplay, progressBar } from "../ui/progress.ts";
import { printJson, type Terminal } from "../ui/terminal.ts";

/** What the time left is told from. */
export interface ProgressPlan {
	/** Runs in all, finished before or not. */
	readonly total: number;
	/** The work of each run to do, in any unit. */
	readonly work: ReadonlyMap<string, number>;
	/** Runs at a time. */
	readonly jobs: number;
	readonly json: boolean;
}

/** Shows how far a comparison is. */
export class CompareProgress {
	readonly #terminal: Terminal;
	readonly #display: ProgressDisplay;
	readonly #plan: ProgressPlan;
	readonly #now: () => number;
	#varying: ReturnType<typeof varyingOptions> = [];
	#finished = 0;
	#workDone = 0;
	#secondsDone = 0;
	#timer: ReturnType<typeof setInterval> | undefined;
	#started = 0;

	/** @param now milliseconds, for tests */
	constructor(terminal: Terminal, plan: ProgressPlan, now: () => number = () => performance.now()) {
		this.#terminal = terminal;
		this.#display = new ProgressDisplay(terminal);
		this.#plan = plan;
		this.#now = now;
	}

	/** Says what will be run; `finished` runs are there already. */
	start(spec: CompareSpec, data: DataFacts, finished: number): void {
		this.#varying = varyingOptions(cellsOf(spec));
		this.#finished = finished;
		this.#started = this.#now();
		const { total, jobs, json } = this.#plan;
		const facts = { trainExamples: data.trainExamples, testExamples: data.testExamples, data: data.sources };
		if (json) printJson(this.#terminal, { event: "start", name: spec.name, runs: total, finished, jobs, ...facts });
		const kept = finished === 0 ? "" : `, ${finished} of them finished before`;
		const at = jobs === 1 ? "one at a time" : `${jobs} at a time`;
		this.#display.print(
			`${spec.title}: ${total} runs${kept}, ${at}, ${formatCount(data.trainExamples)} training images`,
		);
		for (const source of data.sources) this.#display.print(`data: ${source}`);
		if (this.#terminal.err.isTTY) this.#timer = setInterval(() => this.#draw(), 500);
	}

	/** A run has ended. */
	done(key: string, result: CellResult, seconds: number): void {
		const { total, json, work } = this.#plan;
		this.#finished++;
		this.#workDone += work.get(key) ?? 0;
		this.#secondsDone += seconds;
		const accuracy = figureOf("testAccuracy", result, 1);
		const options = this.#varying.map((name) => `${name} ${showValue(result.options[name])}`);
		if (json) {
			const { options: all, problem, weights } = result;
			printJson(this.#terminal, { event: "run", options: all, testAccuracy: accuracy, problem, weights, seconds });
		}
		const label = [...options, `seed ${result.options.seed}`].join(", ");
		const how = result.problem === null ? `test ${formatPercent(accuracy)}` : "diverged";
		const left = this.#finished < total ? `  ${formatDuration(this.secondsLeft)} left` : "";
		const place = `${String(this.#finished).padStart(String(total).length)}/${total}`;
		this.#display.print(`${place}  ${label}: ${how}  ${formatDuration(seconds)}${left}`);
	}

	/**
	 * Seconds until the last run ends: the work that is left at the rate of the runs that have ended, `jobs` at a time, less
	 * what those under way have already had.
	 */
	get secondsLeft(): number {
		if (this.#workDone === 0) return Number.NaN;
		const all = [...this.#plan.work.values()].reduce((sum, work) => sum + work, 0);
		const elapsed = (this.#now() - this.#started) / 1000;
		const needed = (all * this.#secondsDone) / this.#workDone / this.#plan.jobs;
		return Math.max(0, needed - elapsed);
	}

	/** Takes the bar away. */
	end(): void {
		clearInterval(this.#timer);
		this.#display.clear();
	}

	#draw(): void {
		const { total } = this.#plan;
		const left = Number.isNaN(this.secondsLeft) ? "" : `  ${formatDuration(this.secondsLeft)} left`;
		this.#display.redraw((width) => {
			const end = `  ${this.#finished}/${total} runs${left}`;
			const bar = Math.max(8, Math.min(32, width - end.length));
			return progressBar(this.#finished / total, bar, this.#terminal.errColors) + end;
		});
	}
}
