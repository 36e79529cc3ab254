// What pictures over time draw with: a row of a history as a line, and words where there is nothing to draw.

import { cssColor } from "../../state/theme.ts";
import type { History } from "./history.ts";
import type { Painter } from "./time-canvas.tsx";

/** Of a dot that stands for a line, in CSS pixels. */
const RADIUS = 3;

/** What a row is drawn with. */
type Pen = Pick<
	CanvasRenderingContext2D,
	"beginPath" | "lineTo" | "arc" | "fill" | "stroke" | "fillStyle" | "strokeStyle"
>;

/** Row `row` in the color of strokes; a dot where there is a single sample, of which no line would be seen. */
export function strokeRow(
	{ context, x, y }: Pick<Painter, "x" | "y"> & { readonly context: Pen },
	history: History,
	row: number,
): void {
	const last = history.length - 1;
	context.beginPath();
	if (last === 0 && history.lastStep === history.stepOf(0)) {
		context.arc(x(history.lastStep), y(history.value(0, row)), RADIUS, 0, 2 * Math.PI);
		context.fillStyle = context.strokeStyle;
		context.fill();
		return;
	}
	for (let i = 0; i <= last; i++) context.lineTo(x(history.stepOf(i)), y(history.value(i, row)));
	context.lineTo(x(history.lastStep), y(history.value(last, row)));
	context.stroke();
}

/** Whether the history has a number in one of these rows. */
export function hasAny(history: History | null, rows: readonly number[]): boolean {
	for (let i = 0; i < (history?.length ?? 0); i++) {
		if (rows.some((row) => !Number.isNaN(history?.value(i, row)))) return true;
	}
	return false;
}

/** Words in the middle of the picture. */
export function write(
	{ context, left, top, width, height }: Omit<Painter, "x" | "y" | "lastStep">,
	text: string,
): void {
	context.fillStyle = cssColor("--ink-soft");
	context.textAlign = "center";
	context.textBaseline = "middle";
	context.fillText(text, left + width / 2, top + height / 2, width);
}
