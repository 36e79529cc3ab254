// A canvas with steps from left to right, that follows a recorder and answers to pointer and keyboard. What is drawn on it
// is up to the panel; axes, cursor and the line of text below are here.

import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { formatNumber, language, t } from "../../i18n/i18n.ts";
import { cssColor, theme } from "../../state/theme.ts";
import { formatValue } from "./format.ts";
import { write } from "./lines.ts";
import { place, type Scale, ticks } from "./scale.ts";
import { cancelDraw, requestDraw } from "./schedule.ts";
import { strings } from "./strings.ts";
import "./style.css";

/** A place in the picture; twins side by side share one. */
export interface Cursor {
	readonly step: number;
	/** From top, 0, to bottom, 1. */
	readonly down: number;
}

/** What stands at the left: names of rows, or numbers. */
export type LeftAxis = { readonly rows: readonly string[] } | { readonly scale: Scale };

/** What a picture is painted with: a context in CSS pixels, and where things stand in it. */
export interface Painter {
	readonly context: CanvasRenderingContext2D;
	readonly left: number;
	readonly top: number;
	readonly width: number;
	readonly height: number;
	readonly lastStep: number;
	x(step: number): number;
	y(value: number): number;
}

export interface TimeCanvasProps {
	/** What is to be seen, for those who cannot see it. */
	readonly label: string;
	readonly height: number;
	readonly visible: boolean;
	readonly cursor: Signal<Cursor | null>;
	/** What it draws from. */
	readonly source: { readonly lastStep: number; follow(listener: () => void): () => void };
	/** As it is now; asked for at each drawing. */
	readonly axis: () => LeftAxis;
	readonly paint: (painter: Painter) => void;
	/** What is at the cursor, in words. */
	readonly read: (cursor: Cursor) => string;
	/** Drawn anew when one of them changes. */
	readonly uses?: readonly unknown[];
}

const BOTTOM = 20;
const TOP = 4;
const RIGHT = 8;
/** Between two drawings while data comes in. */
const EVERY_MILLISECONDS = 120;

export function TimeCanvas(props: TimeCanvasProps) {
	const { label, height, visible, cursor, source, uses = [] } = props;
	const canvas = useRef<HTMLCanvasElement>(null);
	const latest = useRef(props);
	latest.current = props;
	const text = useSignal("");
	const byKeyboard = useSignal(false);
	useEffect(() => {
		const element = canvas.current;
		if (!element || !visible) return;
		const draw = (): void => {
			drawAll(element, latest.current);
			const at = cursor.peek();
			// Whoever listens is told of moves and of the first number there, not of every new one.
			if (!byKeyboard.peek() || text.peek() === "") text.value = at ? latest.current.read(at) : "";
		};
		let timer = 0;
		const later = (): void => {
			timer ||= window.setTimeout(() => {
				timer = 0;
				requestDraw(draw);
			}, EVERY_MILLISECONDS);
		};
		requestDraw(draw);
		const resized = new ResizeObserver(() => requestDraw(draw));
		resized.observe(element);
		const stops = [
			source.follow(later),
			cursor.subscribe((at) => {
				text.value = at ? latest.current.read(at) : "";
				requestDraw(draw);
			}),
			() => resized.disconnect(),
			() => clearTimeout(timer),
			() => cancelDraw(draw),
		];
		return () => {
			for (const stop of stops) stop();
		};
	}, [visible, source, theme.value, language.value, height, ...uses]);
	return (
		<div class="time-canvas">
			<div
				class="time-canvas-box"
				role="application"
				aria-roledescription={t(strings.chart)}
				aria-label={t(strings.keys(label))}
				// biome-ignore lint/a11y/noNoninteractiveTabindex: it is reached by keyboard to be read
				tabIndex={0}
				onKeyDown={(event) => {
					const next = moved(event.key, cursor.value, latest.current);
					if (next === undefined) return;
					event.preventDefault();
					byKeyboard.value = true;
					cursor.value = next;
				}}
				onPointerMove={(event) => {
					byKeyboard.value = false;
					cursor.value = pointed(event, canvas.current, latest.current);
				}}
				onPointerLeave={() => {
					if (!byKeyboard.value) cursor.value = null;
				}}
				onBlur={() => {
					byKeyboard.value = false;
					cursor.value = null;
				}}
			>
				<canvas ref={canvas} role="img" aria-label={label} style={{ blockSize: `${height}px` }} />
			</div>
			<output class="time-canvas-text" aria-live={byKeyboard.value ? "polite" : "off"}>
				{text.value || " "}
			</output>
		</div>
	);
}

/** Where a key moves the cursor: undefined if it is none of ours. */
function moved(key: string, cursor: Cursor | null, { source, axis }: TimeCanvasProps): Cursor | null | undefined {
	const { lastStep } = source;
	if (key === "Escape") return cursor ? null : undefined;
	const left = axis();
	const rows = "rows" in left ? Math.max(1, left.rows.length) : 20;
	const { step, down } = cursor ?? { step: lastStep, down: 0.5 / rows };
	const stride = Math.max(1, Math.round(lastStep / 50));
	const inside = (value: number): number => Math.min(1 - 0.5 / rows, Math.max(0.5 / rows, value));
	switch (key) {
		case "ArrowLeft":
			return { step: Math.max(1, step - (cursor ? stride : 0)), down };
		case "ArrowRight":
			return { step: Math.min(lastStep, step + stride), down };
		case "ArrowUp":
			return { step, down: inside(down - 1 / rows) };
		case "ArrowDown":
			return { step, down: inside(down + (cursor ? 1 / rows : 0)) };
		case "Home":
			return { step: 1, down };
		case "End":
			return { step: lastStep, down };
	}
	return undefined;
}

function pointed(
	{ offsetX, offsetY }: PointerEvent,
	canvas: HTMLCanvasElement | null,
	{ axis, source, height }: TimeCanvasProps,
): Cursor | null {
	if (!canvas || source.lastStep === 0) return null;
	const left = gutter(axis());
	const across = (offsetX - left) / (canvas.clientWidth - left - RIGHT);
	const down = (offsetY - TOP) / (height - TOP - BOTTOM);
	if (across < 0 || across > 1 || down < 0 || down >= 1) return null;
	return { step: Math.max(1, Math.round(across * horizon(source.lastStep))), down };
}

/** The step at the right end: never so few that a single sample fills the picture unnoticed. */
function horizon(lastStep: number): number {
	return Math.max(10, lastStep);
}

function gutter(axis: LeftAxis): number {
	if ("scale" in axis) return 48;
	return Math.min(96, 14 + 6.4 * axis.rows.reduce((longest, name) => Math.max(longest, name.length), 4));
}

function drawAll(canvas: HTMLCanvasElement, props: TimeCanvasProps): void {
	const context = canvas.getContext("2d");
	const { clientWidth, clientHeight } = canvas;
	if (!context || clientWidth === 0) return;
	const ratio = window.devicePixelRatio;
	const [width, height] = [Math.round(clientWidth * ratio), Math.round(clientHeight * ratio)];
	if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
	context.setTransform(ratio, 0, 0, ratio, 0, 0);
	context.clearRect(0, 0, clientWidth, clientHeight);
	const axis = props.axis();
	const left = gutter(axis);
	const area = { left, top: TOP, width: clientWidth - left - RIGHT, height: clientHeight - TOP - BOTTOM };
	const lastStep = horizon(props.source.lastStep);
	const painter: Painter = {
		context,
		...area,
		lastStep,
		x: (step) => left + (area.width * step) / lastStep,
		y: (value) => ("scale" in axis ? TOP + area.height * (1 - place(axis.scale, value)) : TOP),
	};
	context.font = `11px ${cssColor("--font-ui")}`;
	drawSteps(painter);
	if ("rows" in axis) drawNames(painter, axis.rows);
	else drawNumbers(painter, axis.scale);
	context.save();
	context.beginPath();
	context.rect(area.left, area.top, area.width, area.height);
	context.clip();
	if (props.source.lastStep > 0) props.paint(painter);
	const at = props.cursor.peek();
	if (at) drawCursor(painter, at, axis);
	context.restore();
	if (props.source.lastStep === 0) write(painter, t(strings.empty));
}

function drawSteps({ context, x, top, height, lastStep, width }: Painter): void {
	context.fillStyle = cssColor("--ink-soft");
	context.textBaseline = "alphabetic";
	const marks = ticks({ least: 0, most: lastStep, log: false }, Math.max(2, Math.floor(width / 90)));
	for (const mark of marks) {
		const isLast = x(mark) > x(lastStep) - 20;
		context.textAlign = isLast ? "right" : "center";
		context.fillText(formatNumber(mark), isLast ? x(lastStep) + 4 : x(mark), top + height + 15);
	}
}

function drawNames({ context, left, top, height }: Painter, names: readonly string[]): void {
	const row = height / Math.max(1, names.length);
	const every = Math.ceil(12 / row);
	context.fillStyle = cssColor("--ink");
	context.textAlign = "right";
	context.textBaseline = "middle";
	for (let i = 0; i < names.length; i += every) context.fillText(names[i], left - 6, top + row * (i + 0.5));
}

function drawNumbers({ context, left, width, height, y }: Painter, scale: Scale): void {
	context.fillStyle = cssColor("--ink-soft");
	context.strokeStyle = cssColor("--line");
	context.lineWidth = 1;
	context.textAlign = "right";
	context.textBaseline = "middle";
	for (const mark of ticks(scale, Math.max(2, Math.floor(height / 40)))) {
		const at = Math.min(TOP + height - 1, Math.max(TOP + 5, y(mark)));
		context.fillText(formatValue(mark), left - 6, at);
		context.beginPath();
		context.moveTo(left, y(mark));
		context.lineTo(left + width, y(mark));
		context.stroke();
	}
}

function drawCursor({ context, x, left, top, width, height }: Painter, { step, down }: Cursor, axis: LeftAxis): void {
	context.lineWidth = 1;
	context.strokeStyle = cssColor("--ink");
	context.setLineDash([3, 3]);
	context.beginPath();
	context.moveTo(x(step), top);
	context.lineTo(x(step), top + height);
	context.stroke();
	context.setLineDash([]);
	if (!("rows" in axis) || axis.rows.length === 0) return;
	const row = height / axis.rows.length;
	const at = top + row * Math.floor(down * axis.rows.length);
	context.strokeRect(left + 0.5, at + 0.5, width - 1, row - 1);
}
