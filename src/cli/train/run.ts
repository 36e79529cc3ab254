// One run of `train`: settle what to do, get the data, build the network, train, write what came of it.

import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { writeFileAtomicSync } from "../../model-files/atomic-write.ts";
import { isNorm } from "../../nn/is-norm.ts";
import type { Module } from "../../nn/module.ts";
import { countParameters, type LayerRow, summary } from "../../nn/summary.ts";
import { zeros } from "../../ops/creation.ts";
import { type Schedulable, Schedule } from "../../optim/schedule.ts";
import { trainingPlot } from "../../plot/training-plot.ts";
import { buildNetwork, type Preset } from "../../presets/index.ts";
import { manualSeed } from "../../random/generator.ts";
import { convertSyncBatchNorm } from "../../surgery/index.ts";
import { scope } from "../../tensor/scope.ts";
import { checkpointFile, type History, saveWeights, Trainer, weightsHash } from "../../train/index.ts";
import { startBackend } from "../backend.ts";
import type { Terminal } from "../ui/terminal.ts";
import { checkpointOfFirst, checkSamePlan, firstAlone, onRanks, type Ranks } from "./distributed.ts";
import { loadData, type RunData } from "./load-data.ts";
import { callPreset } from "./load-preset.ts";
import { checkUnlocked, lockFolder } from "./lock.ts";
import { makeOptimizer, makeSchedule } from "./optimizer.ts";
import { checkWritable, prepareFolder, whenReplaced } from "./outputs.ts";
import { planRun, type TrainFlags, type TrainPlan } from "./plan.ts";
import { type AffineRow, Reporter } from "./report.ts";
import { type StepTrace, stepTrace } from "./step-trace.ts";
import { interrupted, stoppable } from "./stop-on-signal.ts";

/** The file that the trained weights are written to, with PyTorch's names. */
const weightsFile = "model.safetensors";

export async function runTraining(name: string | undefined, flags: TrainFlags, terminal: Terminal): Promise<void> {
	if (flags.distributed) await onRanks(terminal, (ranks, own) => train(name, flags, own, ranks));
	else await train(name, flags, terminal, null);
}

/** The run, on one process or as one of its `ranks`. */
async function train(
	name: string | undefined,
	flags: TrainFlags,
	terminal: Terminal,
	ranks: Ranks | null,
): Promise<void> {
	const started = performance.now();
	const plan = await planRun(name, flags, ranks ? checkpointOfFirst(ranks) : undefined);
	const leads = ranks === null || ranks.communicator.rank === 0;
	if (leads) prepareOutputs(plan, flags);
	const reporter = new Reporter(terminal, { json: flags.json === true, quiet: flags.quiet === true });
	const backend = await startBackend({ threads: flags.threads === "auto" && ranks ? ranks.threads : flags.threads });
	const data = await firstAlone(ranks, () =>
		loadData(plan.preset, { from: plan.data, download: flags.download, limit: plan.limit }, reporter.display),
	);
	if (ranks) checkSamePlan(ranks, plan, data.hash);
	// The data may draw random numbers of its own; the weights depend on the seed alone.
	manualSeed(plan.seed);
	const run = prepare(plan, data, ranks);

	reporter.start(
		{
			preset: plan.preset.name,
			norm: plan.norm,
			optimizer: run.optimizer.name,
			lr: plan.lr,
			batchSize: plan.batchSize,
			epochs: plan.epochs,
			seed: plan.seed,
			device: backend.name,
			threads: backend.threads,
			...(ranks ? { ranks: ranks.communicator.size, machines: ranks.machines } : {}),
			parameters: countParameters(run.net),
			trainExamples: data.train.length,
			testExamples: data.test?.length ?? 0,
			data: data.sources,
			out: plan.out,
			step: plan.step,
		},
		layersOf(plan.preset, run.net),
		[backend.notice ?? "", ranks?.notice ?? ""].filter((notice) => notice !== "").join("; "),
	);
	const unlock = leads ? lockFolder(plan.out) : () => {};
	let history: History;
	let files: string[] = [];
	try {
		const trace = leads && flags.trace !== undefined ? stepTrace(flags.trace, run.steps - plan.step) : null;
		history = await trainRun(run, plan, data, flags, reporter, { trace, checkpoint: leads ? oldWeights(plan) : null });
		if (leads) files = writeResults(run.net, plan, flags, history);
		const untraced = trace?.end();
		if (untraced) reporter.notice(untraced);
		else if (trace && flags.trace !== undefined) files.push(flags.trace);
	} finally {
		unlock();
	}
	if (flags.showAffine && history.stopped !== "aborted") reporter.affine(affineOf(run.net));
	reporter.end({
		last: history.epochs.at(-1),
		stopped: history.stopped,
		seconds: (performance.now() - started) / 1000,
		weights: await weightsHash(run.net),
		files,
		resume: `evenkeel train --resume ${plan.out}${ranks ? " --distributed" : ""}`,
	});
	if (history.stopped === "aborted") terminal.exitCode = interrupted;
}

/** Fails now rather than after the first epoch. */
function prepareOutputs({ out }: TrainPlan, { plot, trace }: TrainFlags): void {
	prepareFolder("--out", out);
	checkUnlocked(out);
	if (plot !== undefined) checkWritable("--plot", plot);
	if (trace !== undefined) checkWritable("--trace", trace);
}

type Run = ReturnType<typeof prepare>;

/** The network, its optimizer and their trainer. */
function prepare(plan: TrainPlan, { train }: RunData, ranks: Ranks | null) {
	const { preset, lr, epochs, scheduled, batchSize, dropLast } = plan;
	const net = callPreset(preset, "build()", () =>
		buildNetwork(preset, { norm: plan.norm ?? "batch", groups: plan.groups }),
	);
	// The norms of --norm sync know of no ranks yet.
	if (ranks && (plan.syncBn || plan.norm === "sync")) convertSyncBatchNorm(net, ranks.communicator);
	const optimizer = makeOptimizer(preset, net, lr);
	const stepsPerEpoch = (dropLast ? Math.floor : Math.ceil)(train.length / batchSize);
	const length = { lr, epochs: scheduled, steps: scheduled * stepsPerEpoch };
	const given = makeSchedule(preset, optimizer, length);
	const schedule = given && epochs > scheduled ? endingAt(given, optimizer, length.steps) : given;
	const trainer = new Trainer(net, {
		optimizer,
		schedule,
		communicator: ranks?.communicator,
		loss: preset.loss ?? "crossEntropy",
		metrics: preset.loss === undefined || preset.loss === "crossEntropy" || preset.loss === "nll" ? ["accuracy"] : [],
	});
	return { net, optimizer, schedule, trainer, steps: epochs * stepsPerEpoch };
}

/** The schedule up to `end`, where it stays; many go on beyond, and some of those up again. */
function endingAt({ name, curve }: Schedule, optimizer: Schedulable, end: number): Schedule {
	const { lr, momentum } = curve;
	return new Schedule(optimizer, name, {
		lr: (t, initial, group) => lr.call(curve, t, initial, group),
		...(momentum && { momentum: (t: number) => momentum.call(curve, t) }),
		end: Math.min(end, curve.end ?? Infinity),
	});
}

/** The layers in the order they run, with their output shapes for one example. */
function layersOf(preset: Preset, net: Module): LayerRow[] {
	return callPreset(preset, "forward()", () =>
		scope(() => summary(net, zeros([1, ...preset.inputShape], { name: "input" }))),
	);
}

/** The weights of an earlier run in the folder go when the first checkpoint of this one stands in the place of its own. */
function oldWeights({ out, resume }: TrainPlan): (() => void) | null {
	if (resume !== undefined && resolve(resume) === resolve(out)) return null;
	return whenReplaced(join(out, checkpointFile), () => rmSync(join(out, weightsFile), { force: true }));
}

/** What looks on: the trace of a step, and what waits for the first checkpoint. */
interface Watching {
	readonly trace: StepTrace | null;
	readonly checkpoint: (() => void) | null;
}

async function trainRun(
	run: Run,
	plan: TrainPlan,
	data: RunData,
	flags: TrainFlags,
	reporter: Reporter,
	{ trace, checkpoint }: Watching,
): Promise<History> {
	const { epochs, scheduled, batchSize, seed, dropLast, resume, preset } = plan;
	const settings = { ...plan.settings, dataHash: data.hash, ...(run.schedule ? { epochs: scheduled } : {}) };
	const fit = (signal: AbortSignal) =>
		run.trainer.fit(data.train, {
			epochs,
			batchSize,
			seed,
			dropLast,
			resume,
			signal,
			transform: preset.transform,
			validation: data.test && data.test.length > 0 ? data.test : undefined,
			checkpoint: { dir: plan.out, everySteps: flags.checkpointEvery, settings, notes: plan.places },
			onStep: (report) => {
				trace?.step();
				checkpoint?.();
				reporter.step(report);
			},
			onEpoch: (record) => reporter.epoch(record, epochs),
		});
	try {
		return await stoppable(fit, () => reporter.stopping());
	} finally {
		checkpoint?.();
	}
}

/** Writes the weights (of a run that is complete) and the curves; returns every file that the run has written. */
function writeResults(net: Module, plan: TrainPlan, flags: TrainFlags, history: History): string[] {
	const files = [join(plan.out, checkpointFile)];
	if (history.stopped !== "aborted") {
		const file = join(plan.out, weightsFile);
		saveWeights(net, file);
		files.push(file);
	}
	if (flags.plot !== undefined) {
		const subtitle = `${plan.norm === null ? "" : `norm ${plan.norm}, `}batch size ${plan.batchSize}, learning rate ${plan.lr}`;
		writeFileAtomicSync(flags.plot, trainingPlot(history.epochs, { title: plan.preset.name, subtitle }));
		files.push(flags.plot);
	}
	return files;
}

/** The learned scale and shift of every norm. */
function affineOf(net: Module): AffineRow[] {
	return [...net.namedModules()].flatMap(([path, module]) => {
		if (!isNorm(module) || !("weight" in module)) return [];
		const values = (property: string): number[] | null => {
			const value = Reflect.get(module, property);
			return value ? Array.from(value.dataSync()) : null;
		};
		return [{ layer: `${module.constructor.name} "${path}"`, weight: values("weight"), bias: values("bias") }];
	});
}
