// The presets' networks as plain lists, for the peers that are told what to build.

/**
 * @typedef {["conv", number, number, { kernel: number, stride?: number, bias?: boolean }]
 *   | ["linear", number, number] | ["norm", number] | ["sigmoid"] | ["relu"] | ["avgPool"] | ["globalPool"]
 *   | ["flatten"] | ["block", Layer[], Layer[]]} Layer
 * `norm` averages over all axes but the second; `avgPool` is 2 x 2; `block` is relu(body(x) + shortcut(x))
 */

/** @param {number} from @param {number} to @param {number} kernel @param {number} stride @returns {Layer[]} */
function convNorm(from, to, kernel, stride) {
	return [
		["conv", from, to, { kernel, stride, bias: false }],
		["norm", to],
	];
}

/** @param {number} from @param {number} to @param {number} stride @returns {Layer} */
function block(from, to, stride) {
	const body = [...convNorm(from, to, 3, stride), /** @type {Layer} */ (["relu"]), ...convNorm(to, to, 3, 1)];
	return ["block", body, from === to && stride === 1 ? [] : convNorm(from, to, 1, stride)];
}

/** @type {Record<string, Layer[]>} */
export const networks = {
	"lenet-bn": [
		["conv", 1, 6, { kernel: 5 }],
		["norm", 6],
		["sigmoid"],
		["avgPool"],
		["conv", 6, 16, { kernel: 5 }],
		["norm", 16],
		["sigmoid"],
		["avgPool"],
		["flatten"],
		["linear", 256, 120],
		["norm", 120],
		["sigmoid"],
		["linear", 120, 84],
		["norm", 84],
		["sigmoid"],
		["linear", 84, 10],
	],
	"mlp-bn": [
		["flatten"],
		["linear", 784, 512],
		["norm", 512],
		["relu"],
		["linear", 512, 256],
		["norm", 256],
		["relu"],
		["linear", 256, 10],
	],
	"resnet-mini": [
		...convNorm(1, 16, 3, 1),
		["relu"],
		block(16, 16, 1),
		block(16, 32, 2),
		block(32, 64, 2),
		["globalPool"],
		["flatten"],
		["linear", 64, 10],
	],
};

/** What of a convolution is added around an image: half a kernel if it keeps the size, nothing for LeNet's. */
export function paddingOf(/** @type {number} */ kernel) {
	return kernel === 5 ? 0 : (kernel - 1) / 2;
}

/** The network without its norms, as folding leaves it: their scale and shift are in the weights and biases. */
export function withoutNorms(/** @type {Layer[]} */ layers) {
	return layers.filter(([kind]) => kind !== "norm");
}

/** Shuffled batches for ever: pixels in [0, 1] and labels. A last one that is not full is left out. */
export function* batches(/** @type {{ images: Uint8Array, labels: Uint8Array }} */ { images, labels }, size = 256) {
	const order = Int32Array.from(labels.keys());
	for (;;) {
		for (let i = order.length - 1; i > 0; i--) {
			const j = Math.floor(Math.random() * (i + 1));
			[order[i], order[j]] = [order[j], order[i]];
		}
		for (let begin = 0; begin + size <= order.length; begin += size) {
			const x = new Float32Array(size * 784);
			const y = new Int32Array(size);
			for (let i = 0; i < size; i++) {
				const row = order[begin + i];
				const pixels = images.subarray(row * 784, (row + 1) * 784);
				for (let j = 0; j < 784; j++) x[i * 784 + j] = pixels[j] / 255;
				y[i] = labels[row];
			}
			yield { x, y };
		}
	}
}
