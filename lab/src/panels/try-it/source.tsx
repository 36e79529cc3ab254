// Where a picture comes from: the test set, a drawing, or a file.

import { useEffect, useRef, useState } from "preact/hooks";
import { formatNumber, t } from "../../i18n/i18n.ts";
import { run, useEngine } from "../../state/lab.ts";
import { GrayCanvas } from "./gray-canvas.tsx";
import { type Prepared, prepare, SIDE } from "./prepare.ts";
import { className, strings } from "./strings.ts";

/** A picture as the networks get it. */
export interface Chosen {
	readonly pixels: Uint8Array;
	/** Null for a picture of the test set, which is right as it is. */
	readonly prepared: Prepared | null;
	/** The number of its class, where it is known. */
	readonly label: number | null;
	/** Which picture of the test set it is; null if it is none. */
	readonly row: number | null;
}

/** Test pictures that are offered. */
const OFFERED = 20;
/** Pixels a side of the drawing pad, and at most of an opened picture. */
const PAD = 280;
const MOST = 512;

interface SourceProps {
	readonly chosen: Chosen | null;
	readonly choose: (chosen: Chosen) => void;
}

/** Pictures of the test set, as buttons. The first is chosen by itself, so that there is something to see. */
export function TestPictures({ chosen, choose }: SourceProps) {
	const [offered, setOffered] = useState<Chosen[]>([]);
	const kind = run.value?.data.kind;
	const latest = useRef({ chosen, choose });
	latest.current = { chosen, choose };
	useEffect(() => {
		if (!kind) return;
		let isOver = false;
		const rows = Array.from({ length: OFFERED }, (_, i) => i);
		void useEngine()
			.then((engine) => engine.ask("testPictures", { rows }))
			.then(({ pixels, labels }) => {
				if (isOver) return;
				const pictures = rows.map((row) => ({
					pixels: pixels.subarray(row * SIDE * SIDE, (row + 1) * SIDE * SIDE),
					prepared: null,
					label: labels[row],
					row,
				}));
				setOffered(pictures);
				if (!latest.current.chosen) latest.current.choose(pictures[0]);
			})
			// The engine is on its way to other data: they are asked for again with those.
			.catch(() => {});
		return () => {
			isOver = true;
		};
	}, [kind]);
	const classes = run.value?.data.classes ?? [];
	return (
		<fieldset class="try-tests">
			<legend>{t(strings.test)}</legend>
			<div>
				{offered.map((picture) => (
					<button
						key={picture.row}
						type="button"
						aria-pressed={chosen?.row === picture.row}
						aria-label={t(
							strings.testPicture(
								formatNumber((picture.row ?? 0) + 1),
								t(className(classes[picture.label ?? 0] ?? "")),
							),
						)}
						onClick={() => choose(picture)}
					>
						<GrayCanvas values={picture.pixels} width={SIDE} height={SIDE} least={0} most={255} />
					</button>
				))}
			</div>
		</fieldset>
	);
}

/** A black pad for white strokes, as the data set's pictures are. */
export function DrawingPad({ chosen, choose }: SourceProps) {
	const canvas = useRef<HTMLCanvasElement>(null);
	const last = useRef<{ x: number; y: number } | null>(null);
	const [brush, setBrush] = useState(24);
	const clear = () => {
		const context = canvas.current?.getContext("2d", { willReadFrequently: true });
		if (!context) return;
		context.fillStyle = "#000";
		context.fillRect(0, 0, PAD, PAD);
	};
	useEffect(clear, []);
	// Another source was chosen: the drawing is over.
	const isMine = chosen?.row === null;
	useEffect(() => {
		if (!isMine) clear();
	}, [isMine]);
	const draw = (event: PointerEvent) => {
		const element = canvas.current;
		const context = element?.getContext("2d", { willReadFrequently: true });
		if (!element || !context || !last.current) return;
		const scale = PAD / element.clientWidth;
		const next = { x: event.offsetX * scale, y: event.offsetY * scale };
		context.strokeStyle = "#fff";
		context.lineWidth = brush;
		context.lineCap = "round";
		context.beginPath();
		context.moveTo(last.current.x, last.current.y);
		context.lineTo(next.x, next.y);
		context.stroke();
		last.current = next;
		choose(chosenFrom(context.getImageData(0, 0, PAD, PAD)));
	};
	return (
		<fieldset class="try-draw">
			<legend>{t(strings.draw)}</legend>
			<canvas
				ref={canvas}
				width={PAD}
				height={PAD}
				role="img"
				aria-label={t(strings.pad)}
				onPointerDown={(event) => {
					if (event.button !== 0) return;
					event.currentTarget.setPointerCapture(event.pointerId);
					const scale = PAD / event.currentTarget.clientWidth;
					last.current = { x: event.offsetX * scale, y: event.offsetY * scale };
					draw(event);
				}}
				onPointerMove={draw}
				onPointerUp={() => {
					last.current = null;
				}}
				onPointerCancel={() => {
					last.current = null;
				}}
			/>
			<div class="try-brush">
				<label>
					{t(strings.brush)}
					<input
						type="range"
						min="6"
						max="80"
						value={brush}
						onInput={(event) => setBrush(event.currentTarget.valueAsNumber)}
					/>
				</label>
				<button
					type="button"
					onClick={() => {
						clear();
						choose({ pixels: new Uint8Array(SIDE * SIDE), prepared: nothing, label: null, row: null });
					}}
				>
					{t(strings.clear)}
				</button>
			</div>
		</fieldset>
	);
}

const nothing: Prepared = { pixels: new Uint8Array(SIDE * SIDE), inverted: false, box: null };

/** Opens a file, or takes one that is dropped. */
export function OpenPicture({ choose }: Pick<SourceProps, "choose">) {
	const input = useRef<HTMLInputElement>(null);
	const [failure, setFailure] = useState("");
	const open = async (file: File | undefined) => {
		if (!file) return;
		setFailure("");
		try {
			choose(chosenFrom(await pixelsOf(file)));
		} catch {
			setFailure(t(strings.unreadable(file.name)));
		}
	};
	return (
		<fieldset
			class="try-open"
			onDragOver={(event) => event.preventDefault()}
			onDrop={(event) => {
				event.preventDefault();
				void open(event.dataTransfer?.files[0]);
			}}
		>
			<legend class="try-unseen">{t(strings.upload)}</legend>
			<input
				ref={input}
				type="file"
				accept="image/*"
				hidden
				aria-label={t(strings.upload)}
				onChange={(event) => {
					void open(event.currentTarget.files?.[0]);
					event.currentTarget.value = "";
				}}
			/>
			<button type="button" onClick={() => input.current?.click()}>
				{t(strings.upload)}
			</button>{" "}
			{t(strings.uploadHint)}
			{failure && (
				<p class="try-failure" role="alert">
					{failure}
				</p>
			)}
		</fieldset>
	);
}

function chosenFrom(picture: ImageData): Chosen {
	const prepared = prepare(picture);
	return { pixels: prepared.pixels, prepared, label: null, row: null };
}

/** A file's picture, made small enough to be worked on at once. */
async function pixelsOf(file: File): Promise<ImageData> {
	const bitmap = await createImageBitmap(file);
	try {
		const scale = Math.min(1, MOST / Math.max(bitmap.width, bitmap.height));
		const [width, height] = [bitmap.width, bitmap.height].map((length) => Math.max(1, Math.round(length * scale)));
		const context = new OffscreenCanvas(width, height).getContext("2d");
		if (!context) throw new Error("no canvas to be had");
		context.imageSmoothingQuality = "high";
		context.drawImage(bitmap, 0, 0, width, height);
		return context.getImageData(0, 0, width, height);
	} finally {
		bitmap.close();
	}
}
