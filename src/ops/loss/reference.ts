// The losses in float64, one row or element after the other: the oracle.

import type { Tensor } from "../../tensor/tensor.ts";
import type { Incoming, LossKernels, PositiveWeight } from "./kernels.ts";
import type { Rows } from "./rows.ts";

/** Where the values of each row lie: `at(c)` is the index of class c. */
function forEachRow(
	rows: Rows,
	labels: Tensor,
	fn: (row: number, label: number, at: (c: number) => number) => void,
): void {
	const { batch, classes, inner } = rows;
	for (let n = 0; n < batch; n++) {
		for (let p = 0; p < inner; p++) {
			const row = n * inner + p;
			fn(row, labels.view()[row], (c) => (n * classes + c) * inner + p);
		}
	}
}

function arriving(dy: Incoming, i: number): number {
	return dy.scale * (dy.each ? dy.each.view()[i] : 1);
}

function weightAt(weight: PositiveWeight, i: number): number {
	return typeof weight === "number" ? weight : weight.view()[i % weight.size];
}

function softplus(x: number): number {
	return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

function sigmoid(x: number): number {
	return 1 / (1 + Math.exp(-x));
}

/** Runs `lossOf` for 0..count-1, keeps each where wanted, and returns the sum. */
function sumOf(count: number, each: Tensor | null, lossOf: (i: number) => number): number {
	let sum = 0;
	for (let i = 0; i < count; i++) {
		const loss = lossOf(i);
		if (each) each.view()[i] = loss;
		sum += loss;
	}
	return sum;
}

export const reference: LossKernels = {
	crossEntropy(x, labels, rows, smoothing, each, stats) {
		const values = x.view();
		const losses = new Float64Array(rows.count);
		forEachRow(rows, labels, (row, label, at) => {
			const logits = Array.from({ length: rows.classes }, (_, c) => values[at(c)]);
			const max = logits.reduce((most, v) => Math.max(most, v), -Infinity);
			const sum = logits.reduce((total, v) => total + Math.exp(v - max), 0);
			if (stats) {
				stats.view()[row] = max;
				stats.view()[rows.count + row] = 1 / sum;
			}
			if (label === rows.ignore) return;
			const logSum = max + Math.log(sum);
			losses[row] = logSum - logits[label];
			if (smoothing === 0) return;
			const uniform = logits.reduce((total, v) => total + (logSum - v), 0) / rows.classes;
			losses[row] = (1 - smoothing) * losses[row] + smoothing * uniform;
		});
		return sumOf(rows.count, each, (row) => losses[row]);
	},

	crossEntropyBackward(x, labels, stats, rows, smoothing, dy, dx) {
		const [from, to, saved] = [x.view(), dx.view(), stats.view()];
		forEachRow(rows, labels, (row, label, at) => {
			for (let c = 0; c < rows.classes; c++) {
				const softmax = Math.exp(from[at(c)] - saved[row]) * saved[rows.count + row];
				const target = (c === label ? 1 - smoothing : 0) + smoothing / rows.classes;
				to[at(c)] = label === rows.ignore ? 0 : (softmax - target) * arriving(dy, row);
			}
		});
	},

	nll(x, labels, rows, each) {
		const losses = new Float64Array(rows.count);
		forEachRow(rows, labels, (row, label, at) => {
			if (label !== rows.ignore) losses[row] = -x.view()[at(label)];
		});
		return sumOf(rows.count, each, (row) => losses[row]);
	},

	nllBackward(labels, rows, dy, dx) {
		const to = dx.view().fill(0);
		forEachRow(rows, labels, (row, label, at) => {
			if (label !== rows.ignore) to[at(label)] = -arriving(dy, row);
		});
	},

	countCorrect(x, labels, rows) {
		const values = x.view();
		let right = 0;
		forEachRow(rows, labels, (_, label, at) => {
			let best = 0;
			let hasNaN = false;
			for (let c = 0; c < rows.classes; c++) {
				if (values[at(c)] > values[at(best)]) best = c;
				hasNaN ||= Number.isNaN(values[at(c)]);
			}
			if (best === label && !hasNaN) right++;
		});
		return right;
	},

	mse(x, target, each) {
		return sumOf(x.size, each, (i) => (x.view()[i] - target.view()[i]) ** 2);
	},

	mseBackward(x, target, sign, dy, dx) {
		for (let i = 0; i < x.size; i++) {
			dx.view()[i] = 2 * sign * (x.view()[i] - target.view()[i]) * arriving(dy, i);
		}
	},

	bce(x, target, weight, each) {
		return sumOf(x.size, each, (i) => {
			const [v, t] = [x.view()[i], target.view()[i]];
			return (1 - t) * softplus(v) + weightAt(weight, i) * t * softplus(-v);
		});
	},

	bceBackward(x, target, weight, dy, dx) {
		for (let i = 0; i < x.size; i++) {
			const [v, t] = [x.view()[i], target.view()[i]];
			dx.view()[i] = ((1 - t) * sigmoid(v) - weightAt(weight, i) * t * sigmoid(-v)) * arriving(dy, i);
		}
	},
};
