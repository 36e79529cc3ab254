// Every norm alone: forward and backward (dx, dweight, dbias) of one layer, here and, in turn, in PyTorch. A window is
// as many rounds as take the time given, and its median round stands for it; the median of the windows counts.

import { init, nn, scope, tensor } from "evenkeel";
import { machine } from "./machine.mjs";
import { median, Peer } from "./peer.mjs";

const { batchNorm, groupNorm, instanceNorm, layerNorm } = nn.functional;

/** @typedef {import("evenkeel").Tensor} Tensor */
/** @typedef {(x: Tensor, weight: Tensor, bias: Tensor) => Tensor} Run */

/** @type {{ name: string, shape: number[], affine: number, run: Run }[]} */
const cases = [
	{
		name: "layer [256, 512]",
		shape: [256, 512],
		affine: 512,
		run: (x, weight, bias) => layerNorm(x, 512, { weight, bias }),
	},
	{
		name: "layer [4096, 768]",
		shape: [4096, 768],
		affine: 768,
		run: (x, weight, bias) => layerNorm(x, 768, { weight, bias }),
	},
	{
		name: "group(8) [32, 64, 28, 28]",
		shape: [32, 64, 28, 28],
		affine: 64,
		run: (x, weight, bias) => groupNorm(x, 8, { weight, bias }),
	},
	{
		name: "instance [32, 64, 28, 28]",
		shape: [32, 64, 28, 28],
		affine: 64,
		run: (x, weight, bias) => instanceNorm(x, { weight, bias }),
	},
	{
		name: "batch [64, 64, 56, 56]",
		shape: [64, 64, 56, 56],
		affine: 64,
		run: (x, weight, bias) => batchNorm(x, { weight, bias, training: true }),
	},
	{
		name: "batch, channels last [64, 56, 56, 64]",
		shape: [64, 56, 56, 64],
		affine: 64,
		run: (x, weight, bias) => batchNorm(x, { weight, bias, training: true, channelAxis: -1 }),
	},
];

/** @param {{ seconds: number, windows: number, threads: number, json: boolean }} options */
export async function benchNorms({ seconds, windows, threads, json }) {
	const say = json ? () => {} : (/** @type {string} */ line) => void process.stdout.write(`${line}\n`);
	const backend = await init({ threads });
	const peer = await Peer.open("norms.py", { threads });
	say(machine());
	say(`evenkeel on ${backend.threads} threads${peer ? `, ${peer.version} on ${threads}` : ""}; ms forward + backward`);
	/** @type {{ name: string, evenkeel: number, pytorch: number | null }[]} */
	const results = [];
	for (const { name, shape, affine, run } of cases) {
		const { round, free } = prepare(shape, affine, run);
		/** @type {number[]} */
		const ours = [];
		/** @type {number[]} */
		const theirs = [];
		timed(seconds / 4, round);
		await peer?.ask(`${name}|${seconds / 4}`);
		for (let i = 0; i < windows; i++) {
			ours.push(timed(seconds, round));
			if (peer) theirs.push(Number(await peer.ask(`${name}|${seconds}`)));
		}
		free();
		const result = { name, evenkeel: median(ours), pytorch: peer ? median(theirs) : null };
		results.push(result);
		const ratio =
			result.pytorch === null
				? ""
				: `  PyTorch ${ms(result.pytorch)}  ratio ${(result.pytorch / result.evenkeel).toFixed(2)}`;
		say(`${name.padEnd(40)} evenkeel ${ms(result.evenkeel)}${ratio}`);
	}
	await peer?.stop();
	const channelsLast = inTurn("batch, channels last", "batch [", seconds, windows);
	say(`channels last takes ${channelsLast.toFixed(2)} times what channels first takes`);
	if (!peer) say("PyTorch not measured: set EVENKEEL_BENCH_PYTHON to a Python that has it");
	if (json) {
		const measured = { bench: "norms", unit: "ms", results, channelsLast, threads: backend.threads };
		process.stdout.write(`${JSON.stringify({ ...measured, pytorch: peer?.version ?? null, machine: machine() })}\n`);
	}
}

/**
 * How many times as long one case takes as another, window by window in turn.
 *
 * @param {string} name @param {string} than the starts of their names @param {number} seconds @param {number} windows
 */
function inTurn(name, than, seconds, windows) {
	const sides = [name, than].map((start) => {
		const found = cases.find((each) => each.name.startsWith(start));
		if (!found) throw new Error(`there is no case "${start}"`);
		return { ...prepare(found.shape, found.affine, found.run), times: /** @type {number[]} */ ([]) };
	});
	for (let i = 0; i <= windows; i++) {
		for (const { round, times } of sides) {
			const took = timed(seconds, round);
			// The first window warms up.
			if (i > 0) times.push(took);
		}
	}
	for (const { free } of sides) free();
	return median(sides[0].times) / median(sides[1].times);
}

/**
 * The tensors of a case, and one round of forward and backward.
 *
 * @param {number[]} shape @param {number} affine @param {Run} run
 */
function prepare(shape, affine, run) {
	const size = shape.reduce((a, b) => a * b, 1);
	const numbers = (/** @type {number} */ seed) =>
		tensor(
			Float32Array.from({ length: size }, (_, i) => Math.sin((i + seed) * 12.9898) * 2),
			shape,
		);
	const x = numbers(1).setRequiresGrad();
	const dy = numbers(2);
	const weight = tensor(new Float32Array(affine).fill(1.1), [affine]).setRequiresGrad();
	const bias = tensor(new Float32Array(affine), [affine]).setRequiresGrad();
	const leaves = [x, weight, bias];
	const round = () => {
		scope(() => run(x, weight, bias).backward(dy));
		x.backend.finish();
		for (const leaf of leaves) {
			leaf.grad?.dispose();
			leaf.grad = null;
		}
	};
	return {
		round,
		free: () => {
			for (const leaf of [...leaves, dy]) leaf.dispose();
		},
	};
}

/** Rounds for about `seconds`; milliseconds of the median round. @param {number} seconds @param {() => void} round */
function timed(seconds, round) {
	const start = performance.now();
	/** @type {number[]} */
	const times = [];
	let before = start;
	while (before - start < seconds * 1000) {
		round();
		const now = performance.now();
		times.push(now - before);
		before = now;
	}
	return median(times);
}

/** @param {number} value */
function ms(value) {
	return `${value.toFixed(value < 1 ? 3 : 2)} ms`;
}
