// What a network makes of every point of the plane: its most likely class there, and how sure it is.

import { softmax, tensor } from "evenkeel";
import { defineTopic } from "../../engine/topic.ts";

/** The classes' probabilities on a square grid, row by row from the top left. */
export interface Surface {
	/** Points a side. */
	readonly size: number;
	readonly classes: number;
	/** `[size * size, classes]` */
	readonly probabilities: Float32Array;
}

/** The decision surface in evaluation mode; null for examples that are no points. */
export const decisionSurface = defineTopic({
	at: "rest",
	collect({ twin, data: { plane, classes } }, { size }: { size: number }): Surface | null {
		if (!plane) return null;
		const { net } = twin;
		net.eval();
		const probabilities = softmax(net.forward(grid(size, plane.extent)), 1);
		return { size, classes: classes.length, probabilities: probabilities.dataSync() as Float32Array };
	},
});

function grid(size: number, extent: number) {
	const points = new Float32Array(2 * size * size);
	for (let row = 0; row < size; row++) {
		for (let column = 0; column < size; column++) {
			const at = 2 * (row * size + column);
			points[at] = extent * ((2 * column + 1) / size - 1);
			points[at + 1] = extent * (1 - (2 * row + 1) / size);
		}
	}
	return tensor(points, [size * size, 2]);
}
