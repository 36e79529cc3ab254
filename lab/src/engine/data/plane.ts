// Points in the plane, in two or three classes that no line separates: small enough to see what a network makes of them.

import { data, keep, tensor } from "evenkeel";
import { Generator } from "evenkeel/random";
import type { DataKind } from "../../settings/settings.ts";
import type { Examples } from "./examples.ts";

/** Points of each set. */
const COUNT = { train: 1000, test: 1000 };

/** A point without noise, of class `label`. */
type Draw = (random: Generator, label: number, classes: number) => [x: number, y: number];

interface Shape {
	readonly classes: number;
	readonly draw: Draw;
	/** How much farther noise carries than the setting says: these points lie closer together, or farther apart. */
	readonly spread: number;
}

const shapes: Partial<Record<DataKind, Shape>> = {
	// A ring around a smaller one.
	circles: {
		classes: 2,
		spread: 1,
		draw(random, label) {
			const angle = random.uniform(0, 2 * Math.PI);
			const radius = label === 0 ? 1 : 0.5;
			return [radius * Math.cos(angle), radius * Math.sin(angle)];
		},
	},
	// Two half circles, each reaching into the other.
	moons: {
		classes: 2,
		spread: 1,
		draw(random, label) {
			const angle = random.uniform(0, Math.PI);
			const [x, y] = [Math.cos(angle), Math.sin(angle)];
			return label === 0 ? [x - 0.5, y - 0.25] : [0.5 - x, 0.25 - y];
		},
	},
	// Arms of a spiral, one and a half turns long.
	spirals: {
		classes: 3,
		spread: 0.5,
		draw(random, label, classes) {
			const way = Math.sqrt(random.uniform(0.01, 1));
			const angle = way * 3 * Math.PI + (label * 2 * Math.PI) / classes;
			return [1.2 * way * Math.cos(angle), 1.2 * way * Math.sin(angle)];
		},
	},
	// Four squares: opposite ones are of one class.
	xor: {
		classes: 2,
		spread: 1,
		draw(random, label) {
			const x = random.uniform(-1, 1);
			const y = random.uniform(0, 1);
			return [x, x > 0 === (label === 0) ? y : -y];
		},
	},
};

/** Makes `kind`'s points from `seed`, as many of each class, in random order. */
export function makePoints(kind: DataKind, noise: number, seed: number): Examples {
	const shape = shapes[kind];
	if (!shape) throw new Error(`${kind} is no set of points`);
	const random = new Generator(seed).fork(`points ${kind}`);
	const train = draw(shape, COUNT.train, noise, random);
	const test = draw(shape, COUNT.test, noise, random);
	const sets = [train, test].map(
		({ points, labels }) =>
			new data.TensorDataset(keep(tensor(points, [labels.length, 2])), keep(tensor(labels, [labels.length]))),
	);
	return {
		info: {
			kind,
			train: COUNT.train,
			test: COUNT.test,
			shape: [2],
			classes: Array.from({ length: shape.classes }, (_, i) => String(i)),
			file: "",
			plane: { ...train, extent: extentOf(train.points) },
		},
		train: sets[0],
		test: sets[1],
		transform: {},
		dispose() {
			for (const { x, y } of sets) {
				x.dispose();
				y.dispose();
			}
		},
	};
}

function draw(shape: Shape, count: number, noise: number, random: Generator) {
	const points = new Float32Array(2 * count);
	const labels = Int32Array.from({ length: count }, (_, i) => i % shape.classes);
	for (let i = 0; i < count; i++) {
		const [x, y] = shape.draw(random, labels[i], shape.classes);
		points[2 * i] = random.normal(x, noise * shape.spread);
		points[2 * i + 1] = random.normal(y, noise * shape.spread);
	}
	return { points, labels };
}

/** Half the side of the square around the origin that shows nearly all points. */
export function extentOf(points: Float32Array): number {
	const sorted = Float32Array.from(points, Math.abs).sort();
	return 1.1 * Math.max(1, sorted[Math.floor(0.995 * (sorted.length - 1))] ?? 1);
}
