// How near to what this machine can do: its limits first, then every workload and every op of a training step against
// the time that its arithmetic or its memory traffic takes at least.

import { withSides } from "../peers.mjs";
import { partsOf } from "../roofline/cost.mjs";
import { copyRate, measureLimits } from "../roofline/machine-limits.mjs";
import { figure, percent } from "../table.mjs";

/** @typedef {import("../context.mjs").Context} Context */
/** @typedef {import("../context.mjs").Section} Section */
/** @typedef {import("../roofline/machine-limits.mjs").Limits} Limits */
/** @typedef {import("../roofline/cost.mjs").Part} Part */

const workloads = [
	{ network: "lenet-bn", batch: 256 },
	{ network: "mlp-bn", batch: 256 },
	{ network: "resnet-mini", batch: 128 },
];

/** @param {Context} context @returns {Promise<Section[]>} */
export async function benchRoofline(context) {
	context.say("what this machine can do");
	const limits = await measureLimits(Math.max(2, context.threads));
	const all = limits[context.threads - 1];
	const traces = await withSides([["evenkeel", context.threads]], context, async ([side]) => {
		const results = [];
		for (const workload of workloads) {
			context.say(`${workload.network}, op by op`);
			const { step, spans } = await side.trace({ kind: "train", ...workload });
			results.push({ ...workload, step, parts: partsOf(spans).map((part) => against(part, all)) });
		}
		return results;
	});
	return [
		limitsSection(limits),
		workloadsSection(traces, context.threads),
		...traces.map((trace) => opsSection(trace)),
	];
}

/** @typedef {Part & { floor: number, bound: string }} Measured */

/** Adds the least time it could take. @param {Part} part @param {Limits} limits @returns {Measured} */
function against(part, limits) {
	const { flops, bytes } = part.cost ?? { flops: 0, bytes: 0 };
	const arithmetic = (1000 * flops) / limits.flops;
	const memory = bytes === 0 ? 0 : (1000 * bytes) / copyRate(limits, bytes);
	return { ...part, floor: Math.max(arithmetic, memory), bound: arithmetic > memory ? "arithmetic" : "memory" };
}

/** @param {Limits[]} limits @returns {Section} */
function limitsSection(limits) {
	const sizes = limits[0].copying.map(({ bytes }) => `${bytes / 2 ** 20} MiB`);
	return {
		id: "limits",
		title: "What this machine can do",
		head: ["threads", "GFLOP/s", ...sizes.map((size) => `copying ${size}, GB/s`)],
		rows: limits.map(({ flops, copying }, i) => [
			String(i + 1),
			figure(flops / 1e9),
			...copying.map(({ perSecond }) => figure(perSecond / 1e9)),
		]),
		notes: [
			"GFLOP/s: multiply-adds on 128-bit vectors in WebAssembly, twelve independent chains. Copying counts bytes read and " +
				"bytes written, of blocks that together have the size given; each the best of seven tries.",
		],
		data: limits,
	};
}

/** @param {{ network: string, batch: number, step: number, parts: Measured[] }[]} traces @param {number} threads @returns {Section} */
function workloadsSection(traces, threads) {
	const sum = (/** @type {Measured[]} */ parts, /** @type {(part: Measured) => number} */ of) =>
		parts.reduce((total, part) => total + of(part), 0);
	return {
		id: "roofline",
		title: "A step of training against its floor",
		head: [
			"",
			"batch",
			"MFLOP",
			"MB moved",
			"arithmetic alone, ms",
			"floor, ms",
			"step, ms",
			"share of the floor reached",
		],
		rows: traces.map(({ network, batch, step, parts }) => {
			const flops = sum(parts, ({ cost }) => cost?.flops ?? 0);
			const arithmetic = sum(parts, ({ floor, bound }) => (bound === "arithmetic" ? floor : 0));
			const floor = sum(parts, (part) => part.floor);
			return [
				network,
				String(batch),
				figure(flops / 1e6),
				figure(sum(parts, ({ cost }) => cost?.bytes ?? 0) / 1e6),
				figure(arithmetic),
				figure(floor),
				figure(step),
				percent(floor / step),
			];
		}),
		notes: [
			`On ${threads} threads. The floor is the sum over the ops of what each takes at least: its arithmetic at the peak ` +
				"above, or its bytes, read and written once, at the speed of copying as many.",
		],
		data: traces,
	};
}

/** @param {{ network: string, batch: number, step: number, parts: Measured[] }} trace @returns {Section} */
function opsSection({ network, batch, step, parts }) {
	const sorted = parts.filter(({ ms }) => ms >= step / 500).sort((a, b) => b.ms - b.floor - (a.ms - a.floor));
	return {
		id: `ops-${network}`,
		title: `${network}, batch ${batch}, op by op`,
		head: ["op", "x to y", "ms", "rate", "floor, ms", "share of the floor", "to gain, ms"],
		rows: sorted.map((part) => [
			part.name,
			part.detail,
			figure(part.ms),
			rateOf(part),
			part.floor > 0 ? figure(part.floor) : "",
			part.floor > 0 ? percent(part.floor / part.ms) : "",
			figure(part.ms - part.floor),
		]),
		notes: [
			`Sorted by what there is to gain. A step takes ${figure(step)} ms, ` +
				`${figure(step - parts.reduce((total, { ms }) => total + ms, 0))} ms of it outside of these. ` +
				"Above 100%: what was read was in the cache already.",
		],
		data: parts,
	};
}

/** @param {Measured} part */
function rateOf({ cost, ms, bound }) {
	if (!cost || (cost.flops === 0 && cost.bytes === 0)) return "";
	if (bound === "arithmetic") return `${figure(cost.flops / ms / 1e6)} GFLOP/s`;
	return `${figure(cost.bytes / ms / 1e6)} GB/s`;
}
