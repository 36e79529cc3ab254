// The decision surfaces of both twins, with the examples on them.

import { useEffect, useMemo, useRef } from "preact/hooks";
import type { Side } from "../../engine/protocol.ts";
import { t } from "../../i18n/i18n.ts";
import { activeSides, run } from "../../state/lab.ts";
import { cssColor, theme } from "../../state/theme.ts";
import { useTopic } from "../../state/use-topic.ts";
import { cancelDraw, requestDraw } from "../../ui/timeline/schedule.ts";
import type { PanelProps } from "../panel.ts";
import type { Surface } from "./engine.ts";
import { strings } from "./strings.ts";
import "./style.css";

const SIZE = 64;
const PIXELS = 384;

export function View({ visible }: PanelProps) {
	const surfaces = useTopic("decisionSurface", { size: SIZE }, visible, 8);
	const update = surfaces.value;
	return (
		<div class="surfaces">
			{activeSides.value.map((side) => (
				<figure key={side} class={`twin-${side}`}>
					<Picture side={side} surface={update?.sides[side] ?? null} />
					<figcaption>{t(strings.twin(side.toUpperCase()))}</figcaption>
				</figure>
			))}
		</div>
	);
}

function Picture({ side, surface }: { side: Side; surface: Surface | null }) {
	const canvas = useRef<HTMLCanvasElement>(null);
	const plane = run.value?.data.plane ?? null;
	const shown = theme.value;
	// The points stay as they are while the surface below them changes.
	const points = useMemo(() => plane && pictureOf(plane), [plane, shown]);
	useEffect(() => {
		const draw = (): void => {
			const context = canvas.current?.getContext("2d");
			if (!context) return;
			context.clearRect(0, 0, PIXELS, PIXELS);
			if (surface) drawSurface(context, surface);
			if (points) context.drawImage(points, 0, 0);
		};
		requestDraw(draw);
		return () => cancelDraw(draw);
	}, [surface, points]);
	return (
		<canvas
			ref={canvas}
			width={PIXELS}
			height={PIXELS}
			role="img"
			aria-label={t(strings.picture(side.toUpperCase()))}
		/>
	);
}

function drawSurface(context: CanvasRenderingContext2D, { size, classes, probabilities }: Surface): void {
	const colors = classColors(classes);
	const image = new ImageData(size, size);
	for (let i = 0; i < size * size; i++) {
		let best = 0;
		for (let c = 1; c < classes; c++) {
			if (probabilities[i * classes + c] > probabilities[i * classes + best]) best = c;
		}
		const sure = (probabilities[i * classes + best] - 1 / classes) / (1 - 1 / classes);
		for (let k = 0; k < 3; k++) image.data[4 * i + k] = colors[best][k];
		image.data[4 * i + 3] = Math.round(30 + 150 * sure);
	}
	const small = new OffscreenCanvas(size, size);
	small.getContext("2d")?.putImageData(image, 0, 0);
	context.imageSmoothingEnabled = true;
	context.drawImage(small, 0, 0, PIXELS, PIXELS);
}

type Plane = NonNullable<NonNullable<typeof run.value>["data"]["plane"]>;

/** The examples, as they lie over both surfaces. */
function pictureOf({ points, labels, extent }: Plane): OffscreenCanvas {
	const picture = new OffscreenCanvas(PIXELS, PIXELS);
	const context = picture.getContext("2d");
	if (!context) return picture;
	const colors = classColors(Math.max(2, ...labels) + 1);
	context.strokeStyle = cssColor("--paper");
	context.lineWidth = 0.75;
	for (let i = 0; i < labels.length; i++) {
		const x = (points[2 * i] / extent + 1) * (PIXELS / 2);
		const y = (1 - points[2 * i + 1] / extent) * (PIXELS / 2);
		context.fillStyle = `rgb(${colors[labels[i]].join(" ")})`;
		context.beginPath();
		context.arc(x, y, 2.6, 0, 2 * Math.PI);
		context.fill();
		context.stroke();
	}
	return picture;
}

/** Red, green and blue of the first classes. */
function classColors(count: number): [number, number, number][] {
	return Array.from({ length: count }, (_, i) => {
		const hex = cssColor(`--class-${i % 3}`);
		return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as [number, number, number];
	});
}
