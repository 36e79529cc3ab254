// Batch normalization alone against copying as many bytes: forward reads x and writes y, backward reads x and dy and writes dx.

import { median } from "../statistics.mjs";
import { batchNormShapes } from "../suites/batch-norm.mjs";
import { figure, percent } from "../table.mjs";
import { copyRate } from "./machine-limits.mjs";

/** @typedef {import("../context.mjs").Section} Section */
/** @typedef {import("../side.mjs").Side} Side */
/** @typedef {import("./machine-limits.mjs").Limits} Limits */
/** @typedef {{ floor: number, ms: number, share: number }} Direction `share`: of the speed of copying at the same moment */
/** @typedef {{ shape: number[], forward: Direction, backward: Direction }} Measured */

/** Tensors that are read or written at least. */
const tensors = { forward: 2, backward: 3 };
const SECONDS = 0.3;

/**
 * @param {Side} side @param {number} rounds
 * @param {() => Limits} limits measures what the machine can do just then
 * @returns {Promise<Measured[]>}
 */
export async function measureBatchNorm(side, rounds, limits) {
	const measured = [];
	for (const shape of batchNormShapes) {
		/** @type {Record<keyof typeof tensors, Direction[]>} */
		const all = { forward: [], backward: [] };
		for (let i = 0; i < rounds; i++) {
			const before = limits();
			const { metrics } = await side.run({ kind: "batchnorm", shape }, SECONDS);
			if (!metrics) throw new Error("bench: evenkeel could not be measured with batch normalization alone");
			for (const direction of /** @type {const} */ (["forward", "backward"])) {
				const each = 4 * shape.reduce((a, b) => a * b, 1);
				// x, y, dy and dx take turns in the caches.
				const floor = (1000 * each * tensors[direction]) / copyRate(before, 4 * each);
				const ms = metrics[direction];
				all[direction].push({ floor, ms, share: floor / ms });
			}
		}
		measured.push({ shape, forward: middleOf(all.forward), backward: middleOf(all.backward) });
	}
	return measured;
}

/** Medians, number by number. @param {Direction[]} rounds @returns {Direction} */
function middleOf(rounds) {
	return {
		floor: median(rounds.map(({ floor }) => floor)),
		ms: median(rounds.map(({ ms }) => ms)),
		share: median(rounds.map(({ share }) => share)),
	};
}

/** @param {Measured[]} measured @param {number} rounds @returns {Section} */
export function batchNormSection(measured, rounds) {
	return {
		id: "batchnorm-copying",
		title: "Batch normalization alone against copying",
		head: ["shape of x", "", "MB", "copying, ms", "ms", "share of the speed of copying"],
		rows: measured.flatMap(({ shape, ...directions }) =>
			/** @type {const} */ (["forward", "backward"]).map((direction) => {
				const { floor, ms, share } = directions[direction];
				const bytes = 4 * shape.reduce((a, b) => a * b, 1) * tensors[direction];
				return [`[${shape.join(", ")}]`, direction, figure(bytes / 1e6), figure(floor), figure(ms), percent(share)];
			}),
		),
		notes: [
			"Copying reads half of the bytes and writes the other half, in as much memory as x, y, dy and dx take: forward and backward " +
				`take turns. Measured in turn with them, ${rounds} times, the better of two tries each: medians, and medians of the shares.`,
		],
		data: measured,
	};
}
