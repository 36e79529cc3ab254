// TensorFlow.js as one side of a comparison: a model of tf.layers, channels last, on its cpu or wasm backend.

import { createRequire } from "node:module";
import { dirname } from "node:path";
import { readData, serve, settings, timeSteps, Unsupported } from "../sides/serve.mjs";
import { batches, networks, paddingOf, withoutNorms } from "./networks.mjs";

// stdout belongs to the protocol, and TensorFlow.js greets its users there.
console.log = console.info = console.warn = () => {};
const require = createRequire(import.meta.url);
const tf = require("@tensorflow/tfjs");
const { setThreadsCount, setWasmPaths } = require("@tensorflow/tfjs-backend-wasm");

const { side, threads, folder } = settings();
const backend = side === "tfjs-wasm" ? "wasm" : "cpu";
setWasmPaths(`${dirname(require.resolve("@tensorflow/tfjs-backend-wasm"))}/`);
setThreadsCount(threads);
await tf.setBackend(backend);
await tf.ready();
const data = readData(folder);

function layerOf([kind, , to, options]) {
	if (kind === "conv") {
		const { kernel, stride = 1, bias = true } = options;
		const padding = paddingOf(kernel) === 0 && kernel > 1 ? "valid" : "same";
		return tf.layers.conv2d({ filters: to, kernelSize: kernel, strides: stride, padding, useBias: bias });
	}
	if (kind === "linear") return tf.layers.dense({ units: to });
	if (kind === "norm") return tf.layers.batchNormalization({ epsilon: 1e-5, momentum: 0.9 });
	if (kind === "avgPool") return tf.layers.averagePooling2d({ poolSize: 2 });
	if (kind === "globalPool") return tf.layers.globalAveragePooling2d({});
	if (kind === "flatten") return tf.layers.flatten();
	return tf.layers.activation({ activation: kind });
}

function connect(layers, input) {
	let x = input;
	for (const layer of layers) {
		if (layer[0] === "block") {
			const sum = tf.layers.add().apply([connect(layer[1], x), connect(layer[2], x)]);
			x = tf.layers.activation({ activation: "relu" }).apply(sum);
		} else if (!(layer[0] === "flatten" && x.shape.length === 2)) x = layerOf(layer).apply(x);
	}
	return x;
}

function modelOf({ network, folded }, activation) {
	const input = tf.input({ shape: [28, 28, 1] });
	const logits = connect(folded ? withoutNorms(networks[network]) : networks[network], input);
	const outputs = activation ? tf.layers.softmax().apply(logits) : logits;
	return tf.model({ inputs: input, outputs });
}

const optimizers = {
	"lenet-bn": () => tf.train.sgd(1),
	"mlp-bn": () => tf.train.adam(1e-3),
	"resnet-mini": () => tf.train.momentum(0.1, 0.9),
};

/** One step, or why this backend cannot do it. */
async function attempt(step) {
	try {
		await step();
	} catch (error) {
		const missing = /Kernel '(\w+)' not registered/.exec(error.message);
		if (!missing) throw error;
		throw new Unsupported(`its ${backend} backend has no kernel ${missing[1]}`);
	}
}

async function train({ network, batch }) {
	const model = modelOf({ network }, "softmax");
	model.compile({ optimizer: optimizers[network](), loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
	const source = batches(data, batch);
	const step = async () => {
		const { x, y } = source.next().value;
		const images = tf.tensor4d(x, [batch, 28, 28, 1]);
		const labels = tf.tensor1d(Float32Array.from(y));
		await model.trainOnBatch(images, labels);
		tf.dispose([images, labels]);
	};
	await attempt(step);
	return { run: async (seconds) => ({ step: await timeSteps(seconds, step) }), free: () => model.dispose() };
}

async function infer({ network, batch, folded }) {
	const model = modelOf({ network, folded });
	const x = tf.randomUniform([batch, 28, 28, 1]);
	const step = () => {
		const y = model.predict(x, { batchSize: batch });
		y.dataSync();
		y.dispose();
	};
	await attempt(step);
	return { run: async (seconds) => ({ step: await timeSteps(seconds, step) }), free: () => model.dispose() };
}

/** tf.batchNorm is for evaluation; this is what tf.layers does in training. */
async function batchnorm({ shape }) {
	const last = shape.length === 2 ? shape : [shape[0], shape[2], shape[3], shape[1]];
	const x = tf.randomUniform(last);
	const dy = tf.randomUniform(last);
	const weight = tf.ones([shape[1]]);
	const bias = tf.zeros([shape[1]]);
	const norm = (v, w, b) => {
		const { mean, variance } = tf.moments(v, [...Array(last.length - 1).keys()]);
		return tf.batchNorm(v, mean, variance, b, w, 1e-5);
	};
	const gradients = tf.grads(norm);
	// Both backends compute at once: nothing has to be read for the work to be done.
	const ahead = () => tf.dispose(tf.tidy(() => norm(x, weight, bias)));
	const both = () => tf.dispose(tf.tidy(() => gradients([x, weight, bias], dy)));
	await attempt(async () => {
		ahead();
		both();
	});
	return {
		run: async (seconds) => ({
			forward: await timeSteps(seconds / 2, ahead),
			both: await timeSteps(seconds / 2, both),
		}),
		free: () => tf.dispose([x, dy, weight, bias]),
	};
}

const kinds = { train, infer, batchnorm };
const detail = backend === "wasm" ? `wasm, ${threads} threads` : "cpu, 1 thread";
await serve(`TF.js ${tf.version.tfjs} (${detail})`, (job) => {
	if (!kinds[job.kind]) throw new Unsupported("not written for TF.js");
	return kinds[job.kind](job);
});
