// A picture of any kind made into what Fashion-MNIST's pictures are: 28 by 28 gray values, the thing bright on black, its
// longer side as long as the picture, in the middle. Source: Xiao, Rasul, Vollgraf 2017, section 2, where pictures are
// trimmed, their longest edge resized to 28, the shorter one extended, and inverted.

/** The side of what the network takes. */
export const SIDE = 28;

/** Red, green, blue and alpha by turns, row by row, as in ImageData. */
export interface Picture {
	readonly width: number;
	readonly height: number;
	readonly data: ArrayLike<number>;
}

export interface Prepared {
	/** `[28, 28]`, 0 to 255. */
	readonly pixels: Uint8Array;
	/** Whether it was dark on bright. */
	readonly inverted: boolean;
	/** The part in which there is something, in pixels of the picture; null if it is of one color. */
	readonly box: Box | null;
}

interface Box {
	readonly left: number;
	readonly top: number;
	readonly width: number;
	readonly height: number;
}

/** Differences in brightness below this are none. */
const LEAST_CONTRAST = 0.04;
/** What is brighter than this share of the brightest belongs to the thing. */
const THRESHOLD = 0.1;

/** Makes `picture` into the network's input. Transparent parts count as white paper. */
export function prepare(picture: Picture): Prepared {
	const { width, height } = picture;
	const gray = grayOf(picture);
	const border = borderOf(gray, width, height);
	const inverted = border > 0.5;
	if (inverted) for (let i = 0; i < gray.length; i++) gray[i] = 1 - gray[i];
	const background = inverted ? 1 - border : border;
	const brightest = quantile(gray, 0.998);
	const nothing = { pixels: new Uint8Array(SIDE * SIDE), inverted, box: null };
	const top = Math.max(brightest, quantile(gray, 1) * 0.5 + background * 0.5);
	if (top - background < LEAST_CONTRAST) return nothing;
	for (let i = 0; i < gray.length; i++) {
		gray[i] = Math.min(1, Math.max(0, (gray[i] - background) / (top - background)));
	}
	const box = boxOf(gray, width, height);
	return box ? { pixels: shrink(gray, width, box), inverted, box } : nothing;
}

/** Luma (ITU-R BT.601) over white, 0 to 1. */
function grayOf({ width, height, data }: Picture): Float32Array {
	const gray = new Float32Array(width * height);
	for (let i = 0; i < gray.length; i++) {
		const luma = (0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2]) / 255;
		const alpha = data[4 * i + 3] / 255;
		gray[i] = luma * alpha + (1 - alpha);
	}
	return gray;
}

/** The brightness that most of the picture's edge has: its median. */
function borderOf(gray: Float32Array, width: number, height: number): number {
	const edge: number[] = [];
	for (let x = 0; x < width; x++) edge.push(gray[x], gray[(height - 1) * width + x]);
	for (let y = 0; y < height; y++) edge.push(gray[y * width], gray[y * width + width - 1]);
	return quantile(Float32Array.from(edge), 0.5);
}

function quantile(values: Float32Array, share: number): number {
	const sorted = Float32Array.from(values).sort();
	return sorted[Math.floor(share * (sorted.length - 1))];
}

function boxOf(gray: Float32Array, width: number, height: number): Box | null {
	let [left, top, right, bottom] = [width, height, -1, -1];
	for (let y = 0; y < height; y++) {
		for (let x = 0; x < width; x++) {
			if (gray[y * width + x] < THRESHOLD) continue;
			left = Math.min(left, x);
			right = Math.max(right, x);
			top = Math.min(top, y);
			bottom = y;
		}
	}
	return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** The box, its longer side made 28, in the middle of black. Each pixel is the mean over the area it covers. */
function shrink(gray: Float32Array, stride: number, box: Box): Uint8Array {
	const scale = Math.max(box.width, box.height) / SIDE;
	const columns = Math.max(1, Math.round(box.width / scale));
	const rows = Math.max(1, Math.round(box.height / scale));
	const [left, top] = [(SIDE - columns) >> 1, (SIDE - rows) >> 1];
	const across = parts(box.left, box.width, columns);
	const down = parts(box.top, box.height, rows);
	const pixels = new Uint8Array(SIDE * SIDE);
	for (let row = 0; row < rows; row++) {
		for (let column = 0; column < columns; column++) {
			let [sum, area] = [0, 0];
			for (const [y, tall] of down[row]) {
				for (const [x, wide] of across[column]) {
					sum += tall * wide * gray[y * stride + x];
					area += tall * wide;
				}
			}
			pixels[(top + row) * SIDE + left + column] = Math.round((255 * sum) / area);
		}
	}
	return pixels;
}

/** Which pixels, and how much of each, the `count` equal parts of [from, from + length) cover. */
function parts(from: number, length: number, count: number): [index: number, share: number][][] {
	return Array.from({ length: count }, (_, i) => {
		const begin = (i * length) / count;
		const end = ((i + 1) * length) / count;
		const covered: [number, number][] = [];
		for (let at = Math.floor(begin); at < end; at++) {
			const share = Math.min(end, at + 1) - Math.max(begin, at);
			if (share > 1e-9) covered.push([from + at, share]);
		}
		return covered;
	});
}
