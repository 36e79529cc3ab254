// A preset for `evenkeel train` in which something happens on one rank: PLANT="kill 1 13" kills rank 1 in its 13th forward of
// training, "stop" stops it, "nan" puts a NaN between two of its layers, "throw" throws.

import { setTimeout } from "node:timers/promises";

const [what, rank, step] = (process.env.PLANT ?? "").split(" ");
const own = process.env.OMPI_COMM_WORLD_RANK ?? process.env.PMI_RANK;
let forwards = 0;

/** @param {import("../../../dist/index.mjs").Tensor} x */
function plant(x) {
	if (own !== rank || ++forwards < Number(step)) return x;
	if (what === "kill") process.kill(process.pid, "SIGKILL");
	if (what === "stop") process.kill(process.pid, "SIGSTOP");
	if (what === "throw") throw new Error("the planted error");
	return what === "nan" ? x.div(0) : x;
}

/** @param {typeof import("../../../dist/index.mjs")} evenkeel */
export default ({ nn, optim, tensor, Generator }) => {
	class Planted extends nn.Module {
		/** @param {import("../../../dist/index.mjs").Tensor} x */
		forward(x) {
			return this.training ? plant(x) : x;
		}
	}
	const examples = (/** @type {number} */ count) => {
		const random = new Generator(3);
		const labels = Int32Array.from({ length: count }, () => random.int(4));
		const points = Float32Array.from({ length: count * 6 }, (_, i) => random.normal(labels[Math.floor(i / 6)], 1));
		return [tensor(points, [count, 6]), tensor(labels)];
	};
	return {
		...{ name: "planted", inputShape: [6], batchSize: 12, epochs: 3, lr: 0.1, classes: 4 },
		build: () =>
			new nn.Sequential(
				...[new nn.Linear(6, 16), new Planted(), process.env.NORM === "none" ? new nn.ReLU() : new nn.BatchNorm1d(16)],
				...[new nn.ReLU(), new nn.Linear(16, 4)],
			),
		optimizer: (/** @type {import("../../../dist/index.mjs").nn.Module} */ net, /** @type {number} */ lr) =>
			new optim.SGD(net.namedParameters(), { lr, momentum: 0.9 }),
		async data() {
			// Time for the others to start.
			await setTimeout(50);
			return { train: examples(Number(process.env.ROWS ?? 240)), test: examples(48) };
		},
	};
};
