// The norms as blocks of cells, all turned alike, and what Switchable has learned.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Side } from "../../engine/protocol.ts";
import { formatNumber, t } from "../../i18n/i18n.ts";
import { activeSides, run, settings } from "../../state/lab.ts";
import { cssColor, theme } from "../../state/theme.ts";
import type { PanelProps } from "../panel.ts";
import { type Angle, drawBlock } from "./draw.ts";
import { type Block, counts, type Kind, kinds, scaled } from "./shapes.ts";
import { Shares } from "./shares.tsx";
import { names, sentences, strings } from "./strings.ts";
import "./style.css";

/** A layer whose activations are drawn. */
interface Choice {
	readonly key: string;
	readonly label: string;
	readonly block: Block;
	readonly groups: number;
	readonly spatial: readonly number[];
}

const DEGREE = Math.PI / 180;

export function View({ visible }: PanelProps) {
	const chosen = useSignal("");
	const angle = useSignal<Angle>({ turn: 32 * DEGREE, tilt: 24 * DEGREE });
	const spins = useSignal(false);
	useSpin(visible && spins.value, angle);
	const choices = layerChoices();
	const choice = choices.find(({ key }) => key === chosen.value) ?? choices[0];
	return (
		<div class="family">
			<div class="family-controls">
				<label>
					{t(strings.layer)}
					<select
						value={choice.key}
						onChange={({ currentTarget }) => {
							chosen.value = currentTarget.value;
						}}
					>
						{choices.map(({ key, label }) => (
							<option key={key} value={key}>
								{label}
							</option>
						))}
					</select>
				</label>
				<Turning name="turn" least={-180} most={180} angle={angle} />
				<Turning name="tilt" least={-80} most={80} angle={angle} />
				<button
					type="button"
					aria-pressed={spins.value}
					onClick={() => {
						spins.value = !spins.value;
					}}
				>
					{t(strings.spin)}
				</button>
			</div>
			<div class="family-blocks">
				{kinds.map((kind) => (
					<Norm key={kind} kind={kind} choice={choice} angle={angle} />
				))}
			</div>
			<p class="family-note">{t(strings.scaled)}</p>
			<Shares visible={visible} />
		</div>
	);
}

function layerChoices(): readonly Choice[] {
	const found = activeSides.value.flatMap((side: Side) =>
		(run.value?.layers[side] ?? [])
			.filter(({ kind }) => kind === "norm" || kind === "conv" || kind === "linear")
			.map(({ name, kind, shape }) => {
				const { batchSize, groups } = settings.value[side];
				const [c, ...spatial] = shape;
				const block = { n: batchSize, c, positions: spatial.reduce((a, b) => a * b, 1) };
				const label = t(strings.option(side.toUpperCase(), name, [batchSize, ...shape].join(", ")));
				return { key: `${side}:${name}`, label, block, groups, spatial, isNorm: kind === "norm" };
			}),
	);
	if (found.length > 0) return found.sort((a, b) => Number(b.isNorm) - Number(a.isNorm));
	const block = { n: 32, c: 16, positions: 64 };
	return [{ key: "example", label: t(strings.example), block, groups: settings.value.a.groups, spatial: [8, 8] }];
}

/** Turns slowly while it is on and can be seen; not for those who prefer less motion. */
function useSpin(on: boolean, angle: { value: Angle; peek(): Angle }): void {
	useEffect(() => {
		if (!on) return;
		const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
		let frame = 0;
		let before = performance.now();
		const draw = (now: number): void => {
			// Less motion: a step of 15 degrees each second and a half, no gliding.
			if (!isCalm || now - before > 1500) {
				const by = isCalm ? 15 * DEGREE : (now - before) * 0.0003;
				angle.value = { ...angle.peek(), turn: wrapped(angle.peek().turn + by) };
				before = now;
			}
			frame = requestAnimationFrame(draw);
		};
		frame = requestAnimationFrame(draw);
		return () => cancelAnimationFrame(frame);
	}, [on]);
}

function wrapped(turn: number): number {
	return turn > Math.PI ? turn - 2 * Math.PI : turn < -Math.PI ? turn + 2 * Math.PI : turn;
}

interface TurningProps {
	name: keyof Angle;
	least: number;
	most: number;
	angle: { value: Angle };
}

function Turning({ name, least, most, angle }: TurningProps) {
	return (
		<label>
			{t(strings[name])}
			<input
				type="range"
				min={least}
				max={most}
				value={Math.round(angle.value[name] / DEGREE)}
				onInput={({ currentTarget }) => {
					angle.value = { ...angle.value, [name]: currentTarget.valueAsNumber * DEGREE };
				}}
			/>
		</label>
	);
}

function Norm({ kind, choice, angle }: { kind: Kind; choice: Choice; angle: { value: Angle } }) {
	const canvas = useRef<HTMLCanvasElement>(null);
	const { block, groups, spatial } = choice;
	const { values, means } = counts(kind, block, groups);
	const sentence = t(sentences[kind](formatNumber(values), formatNumber(means)));
	const now = angle.value;
	const [height, width] = spatial;
	const positions = width ? t(strings.positions(String(height), String(width))) : t(strings.onePosition);
	const shown = theme.value;
	useEffect(() => {
		const element = canvas.current;
		const context = element?.getContext("2d");
		if (!element || !context) return;
		const ratio = Math.min(2, devicePixelRatio);
		const [w, h] = [element.clientWidth, element.clientHeight];
		element.width = w * ratio;
		element.height = h * ratio;
		context.setTransform(ratio, 0, 0, ratio, 0, 0);
		drawBlock(context, w, h, {
			kind,
			...scaled(block, groups),
			angle: now,
			colors: { ink: cssColor("--ink"), lit: cssColor("--twin-b"), paper: cssColor("--raised") },
			labels: [`N = ${block.n}`, `C = ${block.c}`, positions],
		});
	}, [kind, block.n, block.c, block.positions, groups, now, shown, positions]);
	return (
		<figure>
			<canvas
				ref={canvas}
				role="img"
				aria-label={t(strings.picture(t(names[kind]), sentence))}
				onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
				onPointerMove={(event) => {
					if (event.buttons === 0) return;
					const { turn, tilt } = angle.value;
					const tilted = Math.max(-80 * DEGREE, Math.min(80 * DEGREE, tilt + event.movementY * 0.01));
					angle.value = { turn: wrapped(turn + event.movementX * 0.01), tilt: tilted };
				}}
			/>
			<figcaption>
				<strong>{t(names[kind])}</strong> {sentence}
			</figcaption>
		</figure>
	);
}
