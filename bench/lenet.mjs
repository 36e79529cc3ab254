// Training lenet-bn at batch 256: shuffled batches, forward, loss, count of right answers, backward, update; here
// and, in turn, in PyTorch. A window is as many steps as take the time given; the median of the windows counts.

import { countCorrect, crossEntropy, data, init, manualSeed, noGrad, presetNamed, scope } from "evenkeel";
import { machine } from "./machine.mjs";
import { median, Peer } from "./peer.mjs";

const batchSize = 256;

/** @param {{ seconds: number, windows: number, threads: number, json: boolean }} options */
export async function benchLenet({ seconds, windows, threads, json }) {
	const say = json ? () => {} : (/** @type {string} */ line) => void process.stdout.write(`${line}\n`);
	const backend = await init({ threads });
	const train = await data.fashionMnist({ split: "train" });
	say(`lenet-bn, batch ${batchSize}, ${train.length.toLocaleString("en-US")} images (${train.source})`);
	const step = trainer(train);
	const peer = await Peer.start("lenet.py", { threads, batchSize, images: train.images, labels: train.labels });
	say(machine());
	say(
		`evenkeel on ${backend.threads} threads (${"build" in backend ? backend.build : backend.name})${peer ? `, ${peer.version} on ${threads}` : ""}`,
	);

	runFor(seconds, step);
	await peer?.window(seconds);
	/** @type {number[]} */
	const ours = [];
	/** @type {number[]} */
	const theirs = [];
	for (let i = 0; i < windows; i++) {
		ours.push(runFor(seconds, step));
		if (peer) theirs.push(await peer.window(seconds));
		say(`window ${i + 1}: evenkeel ${count(ours[i])}${peer ? `, PyTorch ${count(theirs[i])}` : ""} examples/s`);
	}
	await peer?.stop();

	const result = {
		bench: "lenet",
		evenkeel: { examplesPerSecond: median(ours), windows: ours, threads: backend.threads },
		pytorch: peer && { examplesPerSecond: median(theirs), windows: theirs, threads, version: peer.version },
		ratio: peer && median(ours) / median(theirs),
		machine: machine(),
		node: process.version,
	};
	if (json) {
		process.stdout.write(`${JSON.stringify(result)}\n`);
		return;
	}
	say(`evenkeel  ${count(result.evenkeel.examplesPerSecond)} examples/s (median of ${windows})`);
	if (result.pytorch) {
		say(`PyTorch   ${count(result.pytorch.examplesPerSecond)} examples/s`);
		say(`ratio     ${result.ratio?.toFixed(3)}`);
	} else {
		say("PyTorch   not measured: set EVENKEEL_BENCH_PYTHON to a Python that has it");
	}
}

/** Returns a function that trains one step. @param {import("evenkeel").data.ImageDataset} train */
function trainer(train) {
	manualSeed(0);
	const preset = presetNamed("lenet-bn");
	const net = preset.build({ norm: "batch" });
	const optimizer = preset.optimizer(net, preset.lr);
	const loader = new data.DataLoader(train, { batchSize, shuffle: true, dropLast: true, seed: 0 });
	let batches = loader[Symbol.iterator]();
	return () => {
		if (loader.position === loader.length) {
			batches.next();
			batches = loader[Symbol.iterator]();
		}
		scope(() => {
			const { value: batch } = batches.next();
			if (!batch) return;
			const output = net.forward(batch.x);
			const loss = crossEntropy(output, batch.y);
			noGrad(() => countCorrect(output, batch.y));
			if (!Number.isFinite(loss.item())) throw new Error("the loss is not finite");
			optimizer.zeroGrad();
			loss.backward();
			optimizer.step();
		});
	};
}

/** Steps for about `seconds`; examples a second. @param {number} seconds @param {() => void} step */
function runFor(seconds, step) {
	const start = performance.now();
	let steps = 0;
	let elapsed = 0;
	while (elapsed < seconds) {
		for (let i = 0; i < 10; i++) step();
		steps += 10;
		elapsed = (performance.now() - start) / 1000;
	}
	return (steps * batchSize) / elapsed;
}

/** @param {number} value */
function count(value) {
	return Math.round(value).toLocaleString("en-US");
}
