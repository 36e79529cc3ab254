// The block in parallel projection on a canvas: cells as cubes, from the back to the front.

import { type Block, isAveraged, type Kind, type Spot } from "./shapes.ts";

export interface Colors {
	readonly ink: string;
	readonly lit: string;
	readonly paper: string;
}

/** How the block is turned, in radians. */
export interface Angle {
	readonly turn: number;
	readonly tilt: number;
}

interface Picture {
	readonly kind: Kind;
	readonly block: Block;
	readonly groups: number;
	readonly angle: Angle;
	readonly colors: Colors;
	/** What stands at the axes: examples, channels, positions. */
	readonly labels: readonly [string, string, string];
}

type Point = readonly [number, number, number];

/** Draws on a canvas of `width` by `height` CSS pixels. */
export function drawBlock(context: CanvasRenderingContext2D, width: number, height: number, picture: Picture): void {
	const { block, angle, colors, labels } = picture;
	const size: Point = [block.n, block.c, block.positions];
	const reach = Math.hypot(...size);
	const unit = (Math.min(width, height) * 0.78) / reach;
	const at = (point: Point): [number, number, number] => {
		const [x, y, depth] = turned(
			point.map((value, axis) => value - size[axis] / 2),
			angle,
		);
		return [width / 2 + x * unit, height / 2 - y * unit, depth];
	};
	context.clearRect(0, 0, width, height);
	const spot: Spot = { n: 0, c: Math.floor(block.c / 2), p: 0 };
	const cells = allCells(block).map((cell) => ({ cell, depth: at([cell.n + 0.5, cell.c + 0.5, cell.p + 0.5])[2] }));
	cells.sort((a, b) => a.depth - b.depth);
	for (const { cell } of cells) {
		const lit = isAveraged(picture.kind, spot, cell, block, picture.groups);
		const isSpot = cell.n === spot.n && cell.c === spot.c && cell.p === spot.p;
		drawCube(
			context,
			cell,
			at,
			angle,
			{ fill: lit ? colors.lit : colors.paper, alpha: lit ? 0.85 : 0.22 },
			colors.ink,
			isSpot,
		);
	}
	const [n, c, p] = size;
	context.fillStyle = colors.ink;
	context.font = "12px system-ui, sans-serif";
	context.textAlign = "center";
	const ends: readonly Point[] = [
		[n / 2, -0.9, p],
		[n, c / 2, p + 0.9],
		[0, 0, -1.1],
	];
	for (const [i, end] of ends.entries()) {
		const [x, y] = at(end);
		const half = context.measureText(labels[i]).width / 2 + 2;
		const inside = Math.max(half, Math.min(width - half, x));
		context.fillText(labels[i], inside, Math.max(12, Math.min(height - 4, y)));
	}
}

function allCells({ n, c, positions }: Block): Spot[] {
	return Array.from({ length: n * c * positions }, (_, i) => ({
		n: Math.floor(i / (c * positions)),
		c: Math.floor(i / positions) % c,
		p: i % positions,
	}));
}

/** Channels go right, positions up, examples away from the eye; then turned and tilted. The third number: nearness. */
function turned([n, c, p]: readonly number[], { turn, tilt }: Angle): Point {
	const x = c * Math.cos(turn) + n * Math.sin(turn);
	const away = n * Math.cos(turn) - c * Math.sin(turn);
	return [x, p * Math.cos(tilt) + away * Math.sin(tilt), p * Math.sin(tilt) - away * Math.cos(tilt)];
}

const faces: readonly { readonly normal: Point; readonly corners: readonly Point[] }[] = [0, 1, 2].flatMap((axis) =>
	[0, 1].map((side) => {
		const others = [0, 1, 2].filter((other) => other !== axis);
		const corner = (a: number, b: number): Point => {
			const point = [side, side, side];
			point[others[0]] = a;
			point[others[1]] = b;
			return [point[0], point[1], point[2]];
		};
		const normal = [0, 0, 0];
		normal[axis] = 2 * side - 1;
		return {
			normal: [normal[0], normal[1], normal[2]] as const,
			corners: [corner(0, 0), corner(1, 0), corner(1, 1), corner(0, 1)],
		};
	}),
);

function drawCube(
	context: CanvasRenderingContext2D,
	{ n, c, p }: Spot,
	at: (point: Point) => [number, number, number],
	angle: Angle,
	paint: { fill: string; alpha: number },
	ink: string,
	isSpot: boolean,
): void {
	for (const { normal, corners } of faces) {
		const [, , nearness] = turned(normal, angle);
		if (nearness <= 0) continue;
		context.beginPath();
		for (const [a, b, d] of corners) {
			const [x, y] = at([n + a, c + b, p + d]);
			context.lineTo(x, y);
		}
		context.closePath();
		context.globalAlpha = paint.alpha;
		context.fillStyle = paint.fill;
		context.fill();
		context.globalAlpha = isSpot ? 1 : 0.45;
		context.strokeStyle = ink;
		context.lineWidth = isSpot ? 2.5 : 0.6;
		context.stroke();
	}
	context.globalAlpha = 1;
}
