// jax-js as one side of a comparison: the whole step in one jitted function, on its wasm device.

import { readFileSync } from "node:fs";
import { blockUntilReady, defaultDevice, init, jit, lax, nn, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import { readData, serve, settings, timeSteps, Unsupported } from "../sides/serve.mjs";
import { batches, networks, paddingOf, withoutNorms } from "./networks.mjs";

const { folder } = settings();
await init("wasm");
defaultDevice("wasm");
const data = readData(folder);
const { version } = JSON.parse(
	readFileSync(new URL("./node_modules/@jax-js/jax/package.json", import.meta.url), "utf8"),
);

const uniform = (shape, bound) => {
	const size = shape.reduce((a, b) => a * b, 1);
	return np.array(Float32Array.from({ length: size }, () => (2 * Math.random() - 1) * bound)).reshape(shape);
};

/** The parameters of each layer; their initialization does not matter to the speed. */
function parametersOf(layers) {
	return layers.map(([kind, from, to, options]) => {
		if (kind === "conv") {
			const { kernel, bias = true } = options;
			const bound = 1 / Math.sqrt(from * kernel * kernel);
			const weight = uniform([to, from, kernel, kernel], bound);
			return bias ? { weight, bias: uniform([to], bound) } : { weight };
		}
		if (kind === "linear") {
			const bound = 1 / Math.sqrt(from);
			return { weight: uniform([to, from], bound), bias: uniform([to], bound) };
		}
		if (kind === "norm") return { weight: np.ones([from]), bias: np.zeros([from]) };
		if (kind === "block") return { body: parametersOf(from), shortcut: parametersOf(to) };
		return {};
	});
}

const perChannel = (v, ndim) => (ndim === 2 ? v : v.reshape([1, -1, 1, 1]));

/** Batch statistics in training. Takes ownership of everything, as jax-js has it. */
function norm(x, { weight, bias }) {
	const axes = x.ndim === 2 ? [0] : [0, 2, 3];
	const mean = np.mean(x.ref, axes, { keepdims: true });
	const centered = x.sub(mean);
	const variance = np.mean(np.square(centered.ref), axes, { keepdims: true });
	const scale = np.reciprocal(np.sqrt(variance.add(1e-5)));
	const { ndim } = centered;
	return centered.mul(scale).mul(perChannel(weight, ndim)).add(perChannel(bias, ndim));
}

function convolve(x, { weight, bias }, { kernel, stride = 1 }) {
	const padding = paddingOf(kernel);
	const y = lax.convGeneralDilated(
		x,
		weight,
		[stride, stride],
		[
			[padding, padding],
			[padding, padding],
		],
	);
	return bias ? y.add(perChannel(bias, 4)) : y;
}

function averagePool(x) {
	const [n, c, h, w] = x.shape;
	return np.mean(x.reshape([n, c, h / 2, 2, w / 2, 2]), [3, 5]);
}

function applyLayer(x, [kind, a, b, options], parameters) {
	if (kind === "conv") return convolve(x, parameters, options);
	if (kind === "linear") return np.dot(x, np.transpose(parameters.weight)).add(parameters.bias);
	if (kind === "norm") return norm(x, parameters);
	if (kind === "sigmoid") return nn.sigmoid(x);
	if (kind === "relu") return nn.relu(x);
	if (kind === "avgPool") return averagePool(x);
	if (kind === "globalPool") return np.mean(x, [2, 3], { keepdims: true });
	if (kind === "flatten") return x.reshape([x.shape[0], -1]);
	const through = b.length === 0 ? x.ref : forward(b, parameters.shortcut, x.ref);
	return nn.relu(forward(a, parameters.body, x).add(through));
}

function forward(layers, parameters, x) {
	return layers.reduce((value, layer, i) => applyLayer(value, layer, parameters[i]), x);
}

function loss(layers) {
	return (parameters, x, y) => {
		const logits = forward(layers, parameters, x);
		const classes = nn.oneHot(y, 10);
		const right = np.sum(np.argmax(logits.ref, 1).equal(np.argmax(classes.ref, 1)).astype(np.int32));
		return [np.mean(np.sum(nn.logSoftmax(logits, 1).mul(classes), 1)).mul(-1), right];
	};
}

/** SGD; the presets' Adam and momentum would make it slower. */
function trainingStep(layers, lr) {
	const valueAndGradient = valueAndGrad(loss(layers), { hasAux: true });
	return jit((parameters, x, y) => {
		const [[value, right], gradient] = valueAndGradient(tree.ref(parameters), x, y);
		return [tree.map((p, g) => p.sub(g.mul(lr)), parameters, gradient), value, right];
	});
}

async function train({ network, batch }) {
	const layers = networks[network];
	const step = trainingStep(layers, network === "lenet-bn" ? 1 : 0.01);
	const source = batches(data, batch);
	let parameters = parametersOf(layers);
	const once = async () => {
		const { x, y } = source.next().value;
		const images = np.array(x).reshape([batch, 1, 28, 28]);
		const [next, value, right] = step(parameters, images, np.array(y, { dtype: np.int32 }));
		parameters = next;
		await right.data();
		if (!Number.isFinite((await value.data())[0])) throw new Error("jax-js: the loss is not finite");
		await blockUntilReady(parameters);
	};
	await once();
	return { run: async (seconds) => ({ step: await timeSteps(seconds, once) }), free: () => tree.dispose(parameters) };
}

async function infer({ network, batch, folded }) {
	if (!folded) throw new Unsupported("jax-js has no batch normalization layer with running statistics of its own");
	const layers = withoutNorms(networks[network]);
	const parameters = parametersOf(layers);
	const run = jit((p, x) => forward(layers, p, x));
	const x = uniform([batch, 1, 28, 28], 1);
	const once = async () => void (await run(tree.ref(parameters), x.ref).data());
	await once();
	return { run: async (seconds) => ({ step: await timeSteps(seconds, once) }), free: () => tree.dispose(parameters) };
}

async function batchnorm({ shape }) {
	const x = uniform(shape, 1);
	const dy = uniform(shape, 1);
	const parameters = { weight: np.ones([shape[1]]), bias: np.zeros([shape[1]]) };
	const ahead = jit((p, v) => norm(v, p));
	const both = jit(valueAndGrad((p, v, d) => np.sum(norm(v, p).mul(d)), { argnums: [0, 1] }));
	const forwardOnce = async () => {
		const y = ahead(tree.ref(parameters), x.ref);
		await blockUntilReady(y);
		y.dispose();
	};
	const bothOnce = async () => {
		const result = both(tree.ref(parameters), x.ref, dy.ref);
		await blockUntilReady(result);
		tree.dispose(result);
	};
	await forwardOnce();
	await bothOnce();
	return {
		run: async (seconds) => ({
			forward: await timeSteps(seconds / 2, forwardOnce),
			both: await timeSteps(seconds / 2, bothOnce),
		}),
		free: () => tree.dispose([x, dy, parameters]),
	};
}

const kinds = { train, infer, batchnorm };
await serve(`jax-js ${version} (wasm, jitted, 1 thread)`, (job) => {
	if (!kinds[job.kind]) throw new Unsupported("not written for jax-js");
	return kinds[job.kind](job);
});
