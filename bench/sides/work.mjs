// The jobs on evenkeel, as its users would write them. Runs in Node and in a page: imports nothing but evenkeel.

import {
	batchNorm,
	countCorrect,
	crossEntropy,
	currentBackend,
	data,
	manualSeed,
	noGrad,
	presetNamed,
	scope,
	startTrace,
	stopTrace,
	tensor,
} from "evenkeel";

/** @typedef {import("../side.mjs").Job} Job */
/** @typedef {{ images: Uint8Array, labels: Uint8Array }} Data */
/** @typedef {ReturnType<typeof trace>} Trace */

/** @typedef {{ resetPeak(): number, peakResident(): number }} Resident how much memory the process has */

/** Prepares and warms up `job`; `memory` needs `resident`. @param {Job} job @param {Data} data @param {Resident} [resident] */
export function prepare(job, data, resident) {
	if (job.kind === "batchnorm") return prepareBatchNorm(job.shape ?? []);
	if (job.kind === "memory" && resident) return prepareMemory(job, data, resident);
	if (job.kind === "infer") return prepareInference(job, data);
	return prepareTraining(job, data);
}

/** Trains some steps, which gives the `plain` milliseconds of one, then records some. @param {Job} job @param {Data} data */
export function trace(job, data) {
	const { step, run, free } = prepareTraining(job, data);
	const result = { plain: run(0.3).step, ...traceOf(step) };
	free();
	return result;
}

/** The network as trained, or with its norms gone as folding leaves it. @param {Job} job */
function networkOf({ network = "lenet-bn", folded = false }) {
	manualSeed(0);
	return presetNamed(network).build({ norm: folded ? "none" : "batch" });
}

/** @param {Data} data */
function datasetOf({ images, labels }) {
	const count = labels.length;
	return new data.TensorDataset(
		tensor(images, [count, 1, 28, 28], { dtype: "uint8" }),
		tensor(Int32Array.from(labels), [count], { dtype: "int32" }),
	);
}

/** One step of training: shuffled batch, forward, loss, right answers, backward, update. @param {Job} job @param {Data} source */
function setUpTraining(job, source) {
	const preset = presetNamed(job.network ?? "lenet-bn");
	const net = networkOf(job);
	const optimizer = preset.optimizer(net, preset.lr);
	const dataset = datasetOf(source);
	const loader = new data.DataLoader(dataset, { batchSize: job.batch ?? 256, shuffle: true, dropLast: true, seed: 0 });
	let batches = loader[Symbol.iterator]();
	const step = () => {
		if (loader.position === loader.length) {
			batches.next();
			batches = loader[Symbol.iterator]();
		}
		scope(() => {
			const { value: batch } = batches.next();
			if (!batch) return;
			optimizer.zeroGrad();
			const output = net.forward(batch.x);
			const loss = crossEntropy(output, batch.y);
			noGrad(() => countCorrect(output, batch.y));
			if (!Number.isFinite(loss.item())) throw new Error("the loss is not finite");
			loss.backward();
			optimizer.step();
		});
	};
	return { step, free: () => freeAll(net, dataset) };
}

/** @param {Job} job @param {Data} source */
function prepareTraining(job, source) {
	const { step, free } = setUpTraining(job, source);
	times(0.5, step);
	return { step, run: (/** @type {number} */ seconds) => ({ step: times(seconds, step) }), free };
}

/** Evaluation of the same batch again and again. @param {Job} job @param {Data} source */
function prepareInference(job, source) {
	const batch = job.batch ?? 1;
	const net = networkOf(job);
	net.eval();
	const pixels = Float32Array.from(source.images.subarray(0, batch * 784), (value) => value / 255);
	const x = tensor(pixels, [batch, 1, 28, 28]);
	const step = () => noGrad(() => scope(() => void net.forward(x).dataSync()));
	times(0.3, step);
	return {
		run: (/** @type {number} */ seconds) => ({ step: times(seconds, step) }),
		free: () => {
			freeAll(net);
			x.dispose();
		},
	};
}

/** @param {number[]} shape */
function batchNormTensors(shape) {
	const size = shape.reduce((a, b) => a * b, 1);
	const numbers = (/** @type {number} */ seed) =>
		tensor(
			Float32Array.from({ length: size }, (_, i) => Math.sin((i + seed) * 12.9898) * 2),
			shape,
		);
	const x = numbers(1).setRequiresGrad();
	const weight = tensor(new Float32Array(shape[1]).fill(1.1), [shape[1]]).setRequiresGrad();
	const bias = tensor(new Float32Array(shape[1]), [shape[1]]).setRequiresGrad();
	const runningMean = tensor(new Float32Array(shape[1]), [shape[1]]);
	const runningVar = tensor(new Float32Array(shape[1]).fill(1), [shape[1]]);
	return { x, dy: numbers(2), weight, bias, runningMean, runningVar };
}

/** Forward and backward in training mode, each timed by itself. @param {number[]} shape */
function prepareBatchNorm(shape) {
	const { x, dy, ...rest } = batchNormTensors(shape);
	const leaves = [x, rest.weight, rest.bias];
	/** @type {{ forward: number[], backward: number[] }} */
	let took = { forward: [], backward: [] };
	const round = () => {
		scope(() => {
			const start = performance.now();
			const y = batchNorm(x, { ...rest, training: true });
			x.backend.finish();
			const between = performance.now();
			y.backward(dy);
			x.backend.finish();
			took.forward.push(between - start);
			took.backward.push(performance.now() - between);
		});
		dropGradients(leaves);
	};
	times(0.3, round);
	return {
		run: (/** @type {number} */ seconds) => {
			took = { forward: [], backward: [] };
			times(seconds, round);
			return { forward: middle(took.forward), backward: middle(took.backward) };
		},
		free: () => {
			for (const each of [x, dy, ...Object.values(rest)]) each.dispose();
		},
	};
}

/** @param {import("evenkeel").Tensor[]} leaves */
function dropGradients(leaves) {
	for (const leaf of leaves) {
		leaf.grad?.dispose();
		leaf.grad = null;
	}
}

/**
 * The most that is held at once beyond what is held before, in bytes: `heap` of evenkeel's memory, `growth` of the
 * process's. The heap's peak is since the start, so a process does this once.
 *
 * @param {Job} job @param {Data} source @param {Resident} resident
 */
function prepareMemory(job, source, resident) {
	const { once, asked } = job.shape ? memoryOfBatchNorm(job.shape) : memoryOfTraining(job, source);
	const before = { heap: currentBackend().memory().used, resident: resident.resetPeak() };
	once();
	const heap = currentBackend().memory().peak - before.heap - asked;
	const growth = resident.peakResident() - before.resident;
	return { run: () => ({ heap, growth, x: asked / 2 }), free: () => {} };
}

/** @param {number[]} shape */
function memoryOfBatchNorm(shape) {
	const { x, dy, ...rest } = batchNormTensors(shape);
	// y and dx are results: what counts is what is needed beyond them.
	return { once: () => scope(() => batchNorm(x, { ...rest, training: true }).backward(dy)), asked: 2 * x.size * 4 };
}

/** @param {Job} job @param {Data} source */
function memoryOfTraining(job, source) {
	const { step } = setUpTraining(job, source);
	const once = () => {
		for (let i = 0; i < 20; i++) step();
	};
	return { once, asked: 0 };
}

/**
 * Where the time of a step goes: the spans of a step, each with the median milliseconds of its like in some steps, and
 * how deep it lies in others.
 *
 * @param {() => void} step
 */
function traceOf(step) {
	const steps = [];
	for (const begin = performance.now(); steps.length < 4 || performance.now() - begin < 400; ) {
		startTrace();
		const start = performance.now();
		step();
		currentBackend().finish();
		const took = performance.now() - start;
		steps.push({ took, spans: stopTrace() });
	}
	const [{ spans: first }] = steps;
	const alike = steps.filter(({ spans }) => spans.length === first.length);
	const spans = first.map(({ kind, name, shapes, start, end }, i) => ({
		...{ kind, name, shapes },
		inOp: first.some((op) => op.kind !== "kernel" && kind === "kernel" && op.start <= start && op.end >= end),
		ms: middle(alike.map(({ spans: all }) => all[i].end - all[i].start)),
	}));
	return { step: middle(steps.map(({ took }) => took)), spans };
}

/** Calls `step` for about `seconds`, at least twice; the mean milliseconds of a call. @param {number} seconds @param {() => void} step */
function times(seconds, step) {
	const start = performance.now();
	let steps = 0;
	let elapsed = 0;
	while (elapsed < seconds * 1000) {
		for (let i = 0; i < 2; i++) step();
		currentBackend().finish();
		steps += 2;
		elapsed = performance.now() - start;
	}
	return elapsed / steps;
}

/** @param {number[]} values */
function middle(values) {
	return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/** @param {import("evenkeel").nn.Module} net @param {data.TensorDataset} [dataset] */
function freeAll(net, dataset) {
	for (const [, parameter] of net.namedParameters()) {
		parameter.grad?.dispose();
		parameter.grad = null;
	}
	for (const each of Object.values(net.stateDict())) each.dispose();
	dataset?.x.dispose();
	dataset?.y.dispose();
}
