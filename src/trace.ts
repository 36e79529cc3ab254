// Where the time of a step goes: while a recording is on, every op, backward, kernel and reduction leaves a span.
// Off, it costs a comparison a call.

import type { Shape } from "./tensor/shape.ts";

/** Something that took time. */
export interface Span {
	/** The op or kernel: `conv2d`, `batch_norm_forward`. */
	readonly name: string;
	/**
	 * An op's forward, an op's backward, or a kernel on all threads, inside one of those; or a reduction over ranks, from
	 * its start until it was seen to be done, beside them.
	 */
	readonly kind: "forward" | "backward" | "kernel" | "reduction";
	/** Milliseconds on the clock of `performance.now()`. */
	readonly start: number;
	readonly end: number;
	/** Of an op's forward: the shapes of its inputs, then the output's. */
	readonly shapes?: readonly Shape[];
}

interface Shaped {
	readonly shape: Shape;
}

let spans: Span[] | null = null;

/** The time, if a recording is on. */
export function spanStart(): number {
	return spans === null ? 0 : performance.now();
}

/** Ends the span that began at `start`. */
export function spanEnd(kind: Span["kind"], name: string, start: number): void {
	if (spans !== null && start !== 0) spans.push({ kind, name, start, end: performance.now() });
}

/** Ends the span of an op's forward. */
export function forwardEnd(name: string, start: number, inputs: readonly Shaped[], output: Shaped): void {
	if (spans === null || start === 0) return;
	const shapes = [...inputs, output].map(({ shape }) => [...shape]);
	spans.push({ kind: "forward", name, start, end: performance.now(), shapes });
}

/** Begins to record. What was recorded before is dropped. */
export function startTrace(): void {
	spans = [];
}

/** Ends the recording and returns what it holds, in order of time. */
export function stopTrace(): Span[] {
	const recorded = spans ?? [];
	spans = null;
	return recorded.sort((a, b) => a.start - b.start || b.end - a.end);
}

/**
 * The spans in Chrome's trace format (chrome://tracing, https://ui.perfetto.dev): ops on one row, kernels
 * on another, reductions on as many as are under way at once.
 */
export function chromeTrace(recorded: readonly Span[]): string {
	const origin = recorded[0]?.start ?? 0;
	const row = (name: string, tid: number) => ({ name: "thread_name", ph: "M", pid: 1, tid, args: { name } });
	/** When each row of reductions is free again. */
	const free: number[] = [];
	const rowOf = ({ kind, start, end }: Span): number => {
		if (kind !== "reduction") return kind === "kernel" ? 2 : 1;
		const first = free.findIndex((time) => time <= start);
		const lane = first < 0 ? free.length : first;
		free[lane] = end;
		return 3 + lane;
	};
	const events = recorded.map((span) => ({
		name: span.kind === "backward" ? `${span.name} backward` : span.name,
		cat: span.kind,
		ph: "X",
		pid: 1,
		tid: rowOf(span),
		ts: (span.start - origin) * 1000,
		dur: (span.end - span.start) * 1000,
		...(span.shapes && { args: { shapes: span.shapes.map((shape) => `[${shape.join(", ")}]`).join(" ") } }),
	}));
	const lanes = free.map((_, i) => row(free.length === 1 ? "reductions" : `reductions ${i + 1}`, 3 + i));
	return JSON.stringify({
		displayTimeUnit: "ms",
		traceEvents: [row("ops", 1), row("kernels", 2), ...lanes, ...events],
	});
}
