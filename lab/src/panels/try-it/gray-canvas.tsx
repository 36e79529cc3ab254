// Numbers as gray pixels: one canvas, a number a pixel, enlarged by the style sheet.

import { useEffect, useRef } from "preact/hooks";

interface GrayCanvasProps {
	readonly values: ArrayLike<number>;
	readonly width: number;
	readonly height: number;
	/** What is black. */
	readonly least: number;
	/** What is white. */
	readonly most: number;
	/** Says what is to be seen; without it the canvas is decoration. */
	readonly label?: string;
}

export function GrayCanvas({ values, width, height, least, most, label }: GrayCanvasProps) {
	const canvas = useRef<HTMLCanvasElement>(null);
	useEffect(() => {
		const context = canvas.current?.getContext("2d");
		if (!context) return;
		const image = context.createImageData(width, height);
		const scale = most > least ? 255 / (most - least) : 0;
		for (let i = 0; i < width * height; i++) {
			const gray = scale === 0 ? 0 : Math.round((values[i] - least) * scale);
			image.data[4 * i] = gray;
			image.data[4 * i + 1] = gray;
			image.data[4 * i + 2] = gray;
			image.data[4 * i + 3] = 255;
		}
		context.putImageData(image, 0, 0);
	}, [values, width, height, least, most]);
	const role = label ? { role: "img" as const, "aria-label": label } : { "aria-hidden": true };
	return <canvas ref={canvas} width={width} height={height} {...role} />;
}
