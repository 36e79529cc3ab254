// Batch normalization of a table of 10 samples x 5 features, as the classic NumPy class does it:
// once in training, where the statistics are the batch's own, then once in inference, where the
// running averages take their place.
//
//   node examples/01-numpy-batch-norm.mjs
//
// `evenkeel explain` shows every step in between.

import { init, nn, tensor } from "evenkeel";
import { MersenneTwister } from "evenkeel/random";

await init({ threads: 1 });

// numpy.random.seed(42); X = numpy.random.rand(10, 5)
const [samples, features] = [10, 5];
const x = tensor(new MersenneTwister(42).rand(samples * features), [samples, features]);

// The text's momentum of 0.9 is the weight of the OLD average, which is called decay here, and its running variance
// is divided by n. PyTorch's own defaults would be { momentum: 0.1, runningVariance: "unbiased" }.
const norm = new nn.BatchNorm1d(features, { decay: 0.9, runningVariance: "biased" });

print("x", x);

norm.train();
const trained = norm.forward(x);
print("\nTraining: every feature has mean 0 and deviation 1", trained);
print("mean", trained, mean);
print("deviation", trained, deviation);

print("\nRunning averages after one batch: 0.9 * start + 0.1 * batch");
print("running mean, from 0", norm.runningMean);
print("running variance, from 1", norm.runningVar);

norm.eval();
const inferred = norm.forward(x);
print("\nInference: the running averages are still close to their start, so this is far from mean 0", inferred);
print("mean", inferred, mean);

/**
 * Prints a heading and the rows of a tensor, or one value computed from each of its columns.
 *
 * @param {string} heading
 * @param {import("evenkeel").Tensor | null} [table]
 * @param {(column: number[]) => number} [ofColumn]
 */
function print(heading, table, ofColumn) {
	console.log(heading);
	if (!table) return;
	const values = Array.from(table.dataSync());
	const width = table.shape[table.ndim - 1];
	const rows = Array.from({ length: values.length / width }, (_, i) => values.slice(i * width, (i + 1) * width));
	const shown = ofColumn ? [rows[0].map((_, c) => ofColumn(rows.map((row) => row[c])))] : rows;
	for (const row of shown)
		console.log(row.map((value) => (Math.abs(value) < 5e-7 ? 0 : value).toFixed(6).padStart(11)).join(""));
}

/** @param {number[]} column */
function mean(column) {
	return column.reduce((sum, value) => sum + value, 0) / column.length;
}

/** @param {number[]} column */
function deviation(column) {
	const center = mean(column);
	return Math.sqrt(mean(column.map((value) => (value - center) ** 2)));
}
