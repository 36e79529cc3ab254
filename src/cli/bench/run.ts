// `bench`: measure one thing after the other, and say all of it in the end; with --json each as soon as it is known.

import { cpus } from "node:os";
import { normOf, type Preset } from "../../presets/index.ts";
import { formatShape, sizeOf } from "../../tensor/shape.ts";
import { startBackend } from "../backend.ts";
import { formatCount } from "../ui/format.ts";
import { ProgressDisplay } from "../ui/progress.ts";
import { formatTable } from "../ui/table.ts";
import { printJson, type Terminal } from "../ui/terminal.ts";
import { measureBatchNorm, measureTraining } from "./jobs.ts";
import { spread, type Timing } from "./windows.ts";

/** What `bench` is asked to do. */
export interface BenchPlan {
	/** To train; none for batch normalization alone. */
	readonly presets: readonly Preset[];
	/** Whether to measure batch normalization alone as well. */
	readonly batchNorm: boolean;
	/** Instead of the presets' own. */
	readonly norm?: string;
	readonly groups?: number;
	readonly batchSize?: number;
	readonly threads: number | "auto";
	readonly backend: "wasm" | "reference";
	/** Of a window, and how many there are. */
	readonly seconds: number;
	readonly windows: number;
	readonly json: boolean;
}

/** From what fits into a core's own cache to what fits into none. */
const shapes = [
	[256, 512],
	[256, 6, 24, 24],
	[32, 128, 28, 28],
	[64, 64, 56, 56],
] as const;

const BYTES = 4;

export async function runBench(plan: BenchPlan, terminal: Terminal): Promise<void> {
	const { json } = plan;
	if (plan.norm !== undefined) normOf({ norm: plan.norm, groups: plan.groups });
	const backend = await startBackend({ backend: plan.backend, threads: plan.threads });
	const build = "build" in backend ? ` (${String(backend.build)})` : "";
	const machine = { cpu: cpus()[0]?.model.trim() || "unknown processor", cores: cpus().length, node: process.version };
	const display = new ProgressDisplay(terminal);
	if (json) printJson(terminal, { event: "start", device: backend.name, threads: backend.threads, ...machine });
	const training = plan.presets.map((preset) => {
		display.redraw(() => `training ${preset.name}`);
		const row = trainingRow(preset, plan);
		if (json) printJson(terminal, { event: "training", ...row });
		return row;
	});
	const alone = (plan.batchNorm ? shapes : []).map((shape) => {
		display.redraw(() => `batch normalization ${formatShape(shape)}`);
		const row = { shape, ...measureBatchNorm(shape, plan) };
		if (json) printJson(terminal, { event: "batch-norm", ...row });
		return row;
	});
	display.clear();
	if (json) return printJson(terminal, { event: "end" });
	const { outColors: colors } = terminal;
	terminal.out.write(
		`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}; ` +
			`${backend.name}${build}, ${backend.threads === 1 ? "1 thread" : `${backend.threads} threads`}\n`,
	);
	const style = { header: colors.bold, rule: colors.dim };
	const align = ["left", ...Array<"right">(6).fill("right")] as const;
	if (training.length > 0) {
		const header = ["training", "norm", "batch", "parameters", "ms a step", "±", "examples/s"];
		const rows = training.map((row) => [
			...[row.preset, row.norm, formatCount(row.batchSize), formatCount(row.parameters)],
			...[...timing(row.step), formatCount(row.examplesPerSecond)],
		]);
		terminal.out.write(`\n${formatTable(rows, { header, align, style })}`);
	}
	if (alone.length > 0) {
		const header = ["batch norm, training mode", "forward ms", "±", "GB/s", "backward ms", "±", "GB/s"];
		const rows = alone.map(({ shape, forward, backward }) => [
			...[formatShape(shape), ...timing(forward), rate(2 * sizeOf(shape), forward)],
			...[...timing(backward), rate(3 * sizeOf(shape), backward)],
		]);
		terminal.out.write(
			`\n${formatTable(rows, { header, align, style })}` +
				"GB/s counts x and y forward, x, dy and dx backward, each once. ± is half the distance of the quartiles.\n",
		);
	}
}

function trainingRow(preset: Preset, plan: BenchPlan) {
	const batchSize = plan.batchSize ?? preset.batchSize;
	const norm = plan.norm ?? preset.norm ?? "batch";
	const { parameters, step } = measureTraining(preset, { norm, groups: plan.groups }, batchSize, plan);
	return {
		preset: preset.name,
		norm,
		batchSize,
		parameters,
		step,
		examplesPerSecond: (1000 * batchSize) / step.median,
	};
}

function timing(each: Timing): [median: string, spread: string] {
	return [String(Number(each.median.toPrecision(3))), `${Math.round(100 * spread(each))}%`];
}

/** GB/s of `elements` floats in a median time. */
function rate(elements: number, { median }: Timing): string {
	return String(Number(((elements * BYTES) / median / 1e6).toPrecision(3)));
}
