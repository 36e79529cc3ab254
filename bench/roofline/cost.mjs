// What an op costs at least, from its shapes: floating-point operations of products, and bytes that must be read and
// written once. Activations and norms count as bytes alone: their arithmetic hides behind memory.

/** @typedef {import("../sides/work.mjs").Trace["spans"][number]} Span */
/** @typedef {{ flops: number, bytes: number }} Cost */
/** @typedef {{ name: string, detail: string, ms: number, cost: Cost | null }} Part of a step */

const FLOAT = 4;
/** Numbers that an optimizer reads and writes for each parameter: itself, its gradient, its state. */
const optimizerTraffic = [
	{ name: /adam/, numbers: 7 },
	{ name: /sgd/, numbers: 3 },
];
/** Ops that move nothing: views of memory, or gradients that are passed on as they are. */
const free = new Set(["forward reshape", "backward reshape", "backward add"]);

/** @param {readonly number[]} shape */
function sizeOf(shape) {
	return shape.reduce((a, b) => a * b, 1);
}

/** @param {readonly (readonly number[])[]} shapes */
function bytesOf(shapes) {
	return shapes.reduce((sum, shape) => sum + sizeOf(shape) * FLOAT, 0);
}

/** Multiply-adds of a product's output, twice: weight is [out, in, …]. @param {readonly (readonly number[])[]} shapes */
function productFlops(shapes) {
	const [, weight] = shapes;
	return 2 * sizeOf(shapes[shapes.length - 1]) * sizeOf(weight.slice(1));
}

/** @param {string} name @param {readonly (readonly number[])[]} shapes @returns {Cost} */
export function forwardCost(name, shapes) {
	if (name === "conv" || name === "linear") return { flops: productFlops(shapes), bytes: bytesOf(shapes) };
	// The images are bytes, and only the batch's are read.
	if (name === "gatherImages") return { flops: 0, bytes: sizeOf(shapes[shapes.length - 1]) * (FLOAT + 1) };
	if (name === "gatherRows") return { flops: 0, bytes: 2 * bytesOf(shapes.slice(-1)) };
	return { flops: 0, bytes: bytesOf(shapes) };
}

/**
 * @param {string} name @param {readonly (readonly number[])[]} shapes of the forward
 * @param {boolean} inputGradient whether dx is wanted besides the parameters' gradients
 * @returns {Cost}
 */
export function backwardCost(name, shapes, inputGradient) {
	const [x, ...rest] = shapes;
	const y = shapes[shapes.length - 1];
	const parameters = rest.slice(0, -1);
	const dx = inputGradient ? [x] : [];
	if (name === "conv" || name === "linear") {
		const products = inputGradient ? 2 : 1;
		return { flops: products * productFlops(shapes), bytes: bytesOf([x, y, ...dx, ...parameters, ...parameters]) };
	}
	// Norms and activations read what they saved and dy; pooling reads dy alone.
	if (name === "avgPool") return { flops: 0, bytes: bytesOf([x, y]) };
	return { flops: 0, bytes: bytesOf([x, y, ...dx, ...parameters]) };
}

/**
 * The parts of a step: its ops forward and backward, and kernels outside of any op.
 *
 * @param {readonly Span[]} spans @returns {Part[]}
 */
export function partsOf(spans) {
	/** @type {Map<string, (readonly (readonly number[])[])[]>} */
	const forwards = new Map();
	const isFirstProduct = firstProduct(spans);
	/** @type {Part[]} */
	const parts = [];
	let parameters = 0;
	for (const { kind, name, ms, shapes = [], inOp } of spans) {
		if (kind === "forward") {
			forwards.set(name, [...(forwards.get(name) ?? []), shapes]);
			if (!name.startsWith("gather") && name !== "crossEntropy") parameters += parametersOf(name, shapes);
			parts.push({ name, detail: detailOf(shapes), ms, cost: costUnlessFree(kind, name, forwardCost(name, shapes)) });
		} else if (kind === "backward") {
			// Backward runs the tape from its end.
			const of = forwards.get(name)?.pop();
			const cost = of ? costUnlessFree(kind, name, backwardCost(name, of, !isFirstProduct(of))) : null;
			parts.push({ name: `${name} backward`, detail: of ? detailOf(of) : "", ms, cost });
		} else if (!inOp) {
			const traffic = name.startsWith("optimizer") ? optimizerTraffic.find(({ name: like }) => like.test(name)) : null;
			const cost = traffic ? { flops: 0, bytes: traffic.numbers * parameters * FLOAT } : null;
			parts.push({ name, detail: "", ms, cost });
		}
	}
	return parts;
}

/** @param {string} kind @param {string} name @param {Cost} cost */
function costUnlessFree(kind, name, cost) {
	return free.has(`${kind} ${name}`) ? { flops: 0, bytes: 0 } : cost;
}

/** How many parameters an op has: what it takes besides x. @param {string} name @param {readonly (readonly number[])[]} shapes */
function parametersOf(name, shapes) {
	if (!["conv", "linear", "batchNorm"].includes(name)) return 0;
	return shapes.slice(1, -1).reduce((sum, shape) => sum + sizeOf(shape), 0);
}

/** The first convolution or linear layer sees the data, of which no gradient is wanted. @param {readonly Span[]} spans */
function firstProduct(spans) {
	const first = spans.find(({ kind, name }) => kind === "forward" && (name === "conv" || name === "linear"))?.shapes;
	return (/** @type {readonly (readonly number[])[]} */ shapes) => shapes === first;
}

/** x, and the weight of a product. @param {readonly (readonly number[])[]} shapes */
function detailOf(shapes) {
	const written = (/** @type {readonly number[]} */ shape) => `[${shape.join(", ")}]`;
	if (shapes.length < 2) return "";
	return `${written(shapes[0])} to ${written(shapes[shapes.length - 1])}`;
}
