// Progress on stderr: on a TTY one line that is redrawn, with a permanent line an epoch above it;
// elsewhere (a log file, CI) the line an epoch alone.

import type { Colors } from "picocolors/types";
import { formatCount, formatDuration, formatMetric, formatPercent } from "./format.ts";
import { pad, visibleWidth } from "./table.ts";
import type { Terminal } from "./terminal.ts";

/** Where training is, in the middle of an epoch. */
export interface ProgressState {
	/** The running epoch, from 1. */
	epoch: number;
	epochs: number;
	/** Steps (or examples) of this epoch that are done, and how many it has. */
	done: number;
	total: number;
	/** Averages over this epoch so far; left out or null where there are none. */
	loss?: number | null;
	/** In [0, 1]. */
	accuracy?: number | null;
	examplesPerSecond?: number | null;
	/** Until the last epoch ends. */
	secondsLeft?: number | null;
}

/** What an epoch came to. */
export interface EpochSummary {
	epoch: number;
	epochs: number;
	loss?: number | null;
	/** In [0, 1]. */
	trainAccuracy?: number | null;
	testAccuracy?: number | null;
	examplesPerSecond?: number | null;
	seconds: number;
}

/**
 * A bar of `width` characters, filled to `fraction` (0 to 1) in steps of half a character: `━━━━╸─────`.
 */
export function progressBar(fraction: number, width: number, colors: Colors): string {
	const halves = Math.round(Math.min(1, Math.max(0, fraction || 0)) * width * 2);
	const full = Math.floor(halves / 2);
	const half = halves % 2 === 1 ? "╸" : "";
	return colors.cyan("━".repeat(full) + half) + colors.dim("─".repeat(width - full - half.length));
}

/**
 * `epoch  3/10 ━━━━━╸──────  47%  loss 0.4123  acc 85.2%  24,310 examples/s  12 s left`, at most `width` characters:
 * a narrow terminal gets a shorter bar and then fewer figures.
 */
export function progressLine(state: ProgressState, width: number, colors: Colors): string {
	const fraction = state.total > 0 ? state.done / state.total : 0;
	const start = `${epochLabel(state, colors)} `;
	const percent = `${Math.floor(Math.min(1, fraction) * 100)}%`.padStart(5);
	const figures = [
		given(state.loss, (loss) => `${colors.dim("loss")} ${formatMetric(loss)}`),
		given(state.secondsLeft, (seconds) => `${formatDuration(seconds)} ${colors.dim("left")}`),
		given(state.accuracy, (accuracy) => `${colors.dim("acc")} ${formatPercent(accuracy)}`),
		given(state.examplesPerSecond, (rate) => `${formatCount(rate)} ${colors.dim("examples/s")}`),
	];
	const room = width - visibleWidth(start) - percent.length - minimumBar;
	const kept = fitting(figures, room);
	const end = [0, 2, 3, 1].map((i) => kept[i]).join("");
	const spare = width - visibleWidth(start) - percent.length - visibleWidth(end);
	if (spare < minimumBar) return visibleWidth(start) + percent.length <= width ? start.trimEnd() + percent : "";
	return start + progressBar(fraction, Math.min(24, spare), colors) + percent + end;
}

/** `epoch  3/10  loss 0.4123  train 85.2%  test 80.1%  24,310 examples/s  2.5 s`. */
export function epochLine(summary: EpochSummary, colors: Colors): string {
	const parts = [
		epochLabel(summary, colors),
		given(summary.loss, (loss) => `${colors.dim("loss")} ${formatMetric(loss)}`),
		given(summary.trainAccuracy, (accuracy) => `${colors.dim("train")} ${pad(formatPercent(accuracy), 5, "right")}`),
		given(summary.testAccuracy, (accuracy) => `${colors.dim("test")} ${pad(formatPercent(accuracy), 5, "right")}`),
		given(summary.examplesPerSecond, (rate) => `${pad(formatCount(rate), 6, "right")} ${colors.dim("examples/s")}`),
		pad(formatDuration(summary.seconds), 6, "right"),
	];
	return parts.filter((part) => part !== "").join("  ");
}

/** Redraws one line at the bottom of a TTY, and prints lines that stay above it. */
export class ProgressDisplay {
	readonly #terminal: Terminal;
	readonly #now: () => number;
	#drawnAt = Number.NEGATIVE_INFINITY;
	#drawn = false;

	/** @param now milliseconds, for tests */
	constructor(terminal: Terminal, now: () => number = () => performance.now()) {
		this.#terminal = terminal;
		this.#now = now;
	}

	/** Shows where training is. Cheap to call every step: it draws ten times a second at most, and only on a TTY. */
	update(state: ProgressState): void {
		this.redraw((width) => progressLine(state, width, this.#terminal.errColors));
	}

	/** Prints the line of a finished epoch. */
	epochDone(summary: EpochSummary): void {
		this.print(epochLine(summary, this.#terminal.errColors));
	}

	/** Redraws the line with any text, made for the width it is given (downloads, evaluation). */
	redraw(text: (width: number) => string): void {
		const { err } = this.#terminal;
		const now = this.#now();
		if (!err.isTTY || now - this.#drawnAt < 100) return;
		this.#drawnAt = now;
		this.#drawn = true;
		// One column stays free: a full last line would wrap and leave its upper half behind.
		err.write(`\r${text((err.columns || 80) - 1)}\u001b[K`);
	}

	/** Prints a line that stays, above the redrawn one. */
	print(line: string): void {
		this.clear();
		this.#terminal.err.write(`${line}\n`);
	}

	/** Takes the redrawn line away: before anything else is written, and at the end. */
	clear(): void {
		if (this.#drawn) this.#terminal.err.write("\r\u001b[K");
		this.#drawn = false;
		this.#drawnAt = Number.NEGATIVE_INFINITY;
	}
}

const minimumBar = 8;

function epochLabel({ epoch, epochs }: { epoch: number; epochs: number }, colors: Colors): string {
	return `${colors.dim("epoch")} ${String(epoch).padStart(String(epochs).length)}/${epochs}`;
}

/** The figures that fit into `room`, most important first; the others are empty. */
function fitting(figures: readonly string[], room: number): string[] {
	let left = room;
	return figures.map((figure) => {
		const width = visibleWidth(figure) + 2;
		if (figure === "" || width > left) return "";
		left -= width;
		return `  ${figure}`;
	});
}

function given(value: number | null | undefined, text: (value: number) => string): string {
	return value === null || value === undefined ? "" : text(value);
}
