// How near to what this machine can do: its limits first, then every workload and every op of a training step against
// the time that its arithmetic or its memory traffic takes at least.

import { withSides } from "../peers.mjs";
import { batchNormSection, measureBatchNorm } from "../roofline/batch-norm.mjs";
import { partsOf } from "../roofline/cost.mjs";
import { copyRate, withLimits } from "../roofline/machine-limits.mjs";
import { median } from "../statistics.mjs";
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

/** The limits, the step and its ops are measured in turn, so often: a machine that others use is not as fast from one minute to the next. */
const ROUNDS = 9;
/** Tries of a limit that is told by itself, and of one that steps are measured against. */
const [TRIES, TRIES_IN_TURN] = [7, 2];

/** @param {Context} context @returns {Promise<Section[]>} */
export async function benchRoofline(context) {
	const { threads } = context;
	return withLimits(Math.max(2, threads), async (limitsOf) => {
		context.say("what this machine can do");
		const limits = Array.from({ length: Math.max(2, threads) }, (_, i) => limitsOf(i + 1, TRIES));
		const [traces, norms] = await withSides([["evenkeel", threads]], context, async ([side]) => {
			/** @type {Traced[]} */
			const results = [];
			for (const workload of workloads) {
				context.say(`${workload.network}, op by op`);
				const rounds = [];
				for (let i = 0; i < ROUNDS; i++) {
					const before = limitsOf(threads, TRIES_IN_TURN);
					const { plain, step, spans } = await side.trace({ kind: "train", ...workload });
					rounds.push({ plain, step, parts: partsOf(spans).map((part) => against(part, before)) });
				}
				results.push({ ...workload, ...middleOf(rounds) });
			}
			context.say("batch normalization alone");
			return [results, await measureBatchNorm(side, ROUNDS, () => limitsOf(threads, TRIES_IN_TURN))];
		});
		return [
			limitsSection(limits),
			workloadsSection(traces, threads, isWide(limits)),
			batchNormSection(norms, ROUNDS),
			...traces.map((trace) => opsSection(trace)),
		];
	});
}

/** @typedef {Part & { floor: number, wideFloor: number, share: number, bound: string }} Measured `share`: of the floor, at the limits of the same moment */
/** @typedef {{ plain: number, step: number, parts: Measured[] }} Round `plain`: a step as it is trained, not recorded */

/** Adds the least time it could take. @param {Part} part @param {Limits} limits @returns {Measured} */
function against(part, limits) {
	const { flops, bytes } = part.cost ?? { flops: 0, bytes: 0 };
	const arithmetic = (1000 * flops) / limits.flops;
	const memory = bytes === 0 ? 0 : (1000 * bytes) / copyRate(limits, bytes);
	const floor = Math.max(arithmetic, memory);
	const wideFloor = Math.max((1000 * flops) / limits.wideFlops, memory);
	return { ...part, floor, wideFloor, share: floor / part.ms, bound: arithmetic > memory ? "arithmetic" : "memory" };
}

/** Medians of the rounds, number by number. @param {Round[]} rounds */
function middleOf(rounds) {
	const of = (/** @type {(round: Round) => number} */ value) => median(rounds.map(value));
	const sum = (/** @type {Round} */ { parts }, /** @type {"floor" | "wideFloor"} */ floor) =>
		parts.reduce((total, part) => total + part[floor], 0);
	return {
		plain: of(({ plain }) => plain),
		step: of(({ step }) => step),
		share: of((round) => sum(round, "floor") / round.plain),
		wideShare: of((round) => sum(round, "wideFloor") / round.plain),
		parts: rounds[0].parts.map((part, i) => ({
			...part,
			ms: of(({ parts }) => parts[i].ms),
			floor: of(({ parts }) => parts[i].floor),
			wideFloor: of(({ parts }) => parts[i].wideFloor),
			share: of(({ parts }) => parts[i].share),
		})),
	};
}

/** @typedef {{ network: string, batch: number, share: number, wideShare: number } & Round} Traced */

/** Whether V8 makes vectors of 256 bits. @param {Limits[]} limits */
function isWide(limits) {
	return limits.every(({ flops, wideFlops }) => wideFlops > 1.3 * flops);
}

/** @param {Limits[]} limits @returns {Section} */
function limitsSection(limits) {
	const wide = isWide(limits);
	const sizes = limits[0].copying.map(({ bytes }) => `${bytes / 2 ** 20} MiB`);
	return {
		id: "limits",
		title: "What this machine can do",
		head: ["threads", "GFLOP/s", ...(wide ? ["of 256 bits"] : []), ...sizes.map((size) => `copying ${size}, GB/s`)],
		rows: limits.map(({ flops, wideFlops, copying }, i) => [
			String(i + 1),
			figure(flops / 1e9),
			...(wide ? [figure(wideFlops / 1e9)] : []),
			...copying.map(({ perSecond }) => figure(perSecond / 1e9)),
		]),
		notes: [
			"GFLOP/s: multiply-adds on 128-bit vectors in WebAssembly, twelve independent chains. Copying counts bytes read and " +
				`bytes written, of blocks that together have the size given; each the best of ${TRIES} tries.`,
		],
		data: limits,
	};
}

/** @param {Traced[]} traces @param {number} threads @param {boolean} wide @returns {Section} */
function workloadsSection(traces, threads, wide) {
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
			...(wide ? ["of the floor at 256 bits"] : []),
		],
		rows: traces.map(({ network, batch, plain, share, wideShare, parts }) => {
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
				figure(plain),
				percent(share),
				...(wide ? [percent(wideShare)] : []),
			];
		}),
		notes: [
			`On ${threads} threads. The floor is the sum over the ops of what each takes at least: its arithmetic at the peak, ` +
				"or its bytes, read and written once, at the speed of copying as many. Peak, speed of copying and steps were measured in " +
				`turn, ${ROUNDS} times: medians, and medians of the shares.` +
				(wide
					? " The peak is that of 128-bit vectors, except in the last column: here V8 makes one of 256 bits of two."
					: ""),
		],
		data: traces,
	};
}

/** @param {Traced} trace @returns {Section} */
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
			part.floor > 0 ? percent(part.share) : "",
			figure(part.ms - part.floor),
		]),
		notes: [
			`Sorted by what there is to gain. A step takes ${figure(step)} ms when every kernel is waited for, ` +
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
