// The lesson as sections of blocks, each a formula, a sentence and a few rows of numbers.

import type { NestedNumbers } from "../../ops/creation.ts";
import { nestValues } from "../../ops/norm/batch-norm/explain-values.ts";
import { formatShape, sizeOf } from "../../tensor/shape.ts";
import { asRows, type Lesson, type LessonInput, rowLabels, unnest } from "./lesson.ts";
import type { Block, Row, Section } from "./render.ts";
import { alikeStages, backwardSteps, forwardSteps, type Step } from "./steps.ts";

/** The whole lesson, ready for {@link renderSections}. `source` says where x comes from, `dySource` where dy does. */
export function lessonSections(input: LessonInput, lesson: Lesson, source: string, dySource: string): Section[] {
	const words = new Words(input.x.shape);
	const sections = [dataSection(input, words, source), forwardSection(lesson, words, input)];
	if (input.dy) sections.push(backwardSection(input, lesson, words, dySource));
	return [...sections, runningSection(input, lesson, words), inferenceSection(lesson, words)];
}

/** Names for the shape at hand, and blocks of its rows. */
class Words {
	readonly shape: readonly number[];
	/** Values a channel has. */
	readonly m: number;
	/** What a column is called. */
	readonly channel: string;
	readonly #labels: string[];

	constructor(shape: readonly number[]) {
		this.shape = shape;
		this.m = sizeOf(shape) / shape[1];
		this.channel = shape.length === 2 ? "feature" : "channel";
		this.#labels = rowLabels(shape);
	}

	fill(sentence: string): string {
		return sentence.replaceAll("{channel}", this.channel);
	}

	rows(values: NestedNumbers): Row[] {
		return asRows(unnest(values, this.shape)).map((row, i) => ({ label: this.#labels[i], values: row }));
	}

	/** The block of one stage: a row a sample, or one row where there is one value a channel. */
	stage(step: Step<string>, values: NestedNumbers): Block {
		const { formula, name } = step;
		const rows = isPerChannel(values) ? [{ label: "", values: [...values] }] : this.rows(values);
		const shown = alikeStages.has(name) ? [{ ...rows[0], label: "each" }] : rows;
		return { step: step.step === 0 ? "" : String(step.step), formula, purpose: this.fill(step.purpose), rows: shown };
	}
}

function dataSection(input: LessonInput, words: Words, source: string): Section {
	const { x, gamma, beta, eps, decay, runningVariance } = input;
	const [n, channels, ...positions] = x.shape;
	const size =
		positions.length === 0
			? `${n} samples x ${channels} features`
			: `${formatShape(x.shape)}: ${n} samples x ${channels} channels x ${positions.join(" x ")} positions`;
	return {
		title: "Batch normalization, step by step",
		text: [
			`${size}, from ${source}`,
			`eps ${formatSmall(eps)}, decay ${decay} (momentum ${Number((1 - decay).toPrecision(12))}), ${runningVariance} running variance`,
			`m = ${words.m} values in each ${words.channel}; mean and sum run over them`,
		],
		blocks: [
			{ step: "", formula: "x", purpose: "The batch.", rows: words.rows(nestRows(x)) },
			{
				step: "",
				formula: "gamma",
				purpose: "The scale, which training will learn.",
				rows: [{ label: "", values: [...gamma] }],
			},
			{
				step: "",
				formula: "beta",
				purpose: "The shift, which training will learn.",
				rows: [{ label: "", values: [...beta] }],
			},
		],
	};
}

function forwardSection(lesson: Lesson, words: Words, input: LessonInput): Section {
	const out = asRows(unnest(lesson.stages.out, words.shape));
	const means = input.gamma.map((_, c) => mean(out.map((row) => row[c])));
	const deviations = input.gamma.map((_, c) => Math.sqrt(mean(out.map((row) => (row[c] - means[c]) ** 2))));
	return {
		title: "Training, forward",
		text: ["The statistics are those of this batch."],
		blocks: [
			...forwardSteps.map((step) => words.stage(step, lesson.stages[step.name])),
			{
				step: "✓",
				formula: "mean and deviation of out",
				purpose: "They are beta and |gamma|, up to eps.",
				uncut: true,
				rows: [
					{ label: "mean", values: means },
					{ label: "dev", values: deviations },
				],
			},
		],
	};
}

function backwardSection(input: LessonInput, lesson: Lesson, words: Words, dySource: string): Section {
	const blocks = backwardSteps.flatMap((step) => {
		const values = lesson.stages[step.name];
		return values === undefined ? [] : [words.stage(step, values)];
	});
	const difference = closedFormDifference(input, lesson);
	return {
		title: "Training, backward",
		text: [
			"The chain rule, from the last step to the first. dz stands for the gradient of the loss by z.",
			`dy is ${dySource}.`,
		],
		blocks: [
			{
				step: "",
				formula: "dy",
				purpose: "What arrives from the loss.",
				rows: input.dy ? words.rows(nestRows(input.dy)) : [],
			},
			...blocks,
			{
				step: "✓",
				formula: "dx = gamma * ivar / m * (m * dy - dbeta - xhat * dgamma)",
				purpose: `The same in one formula; largest difference ${difference.toExponential(0)}.`,
				rows: [],
			},
		],
	};
}

function runningSection(input: LessonInput, lesson: Lesson, words: Words): Section {
	const { before, batch, after } = lesson.running;
	const variance = input.runningVariance === "unbiased" ? "var * m / (m - 1)" : "var";
	const block = (name: string, now: string, of: "mean" | "var"): Block => ({
		step: "",
		formula: `${name} = ${input.decay} * ${name} + ${Number((1 - input.decay).toPrecision(12))} * ${now}`,
		purpose: of === "mean" ? "Starts at 0." : "Starts at 1.",
		uncut: true,
		rows: [
			{ label: "before", values: before[of] },
			{ label: "batch", values: batch[of] },
			{ label: "after", values: after[of] },
		],
	});
	return {
		title: "Training, running averages",
		text: [`What inference will use instead of a batch: an average of each ${words.channel} over the batches seen.`],
		blocks: [block("running_mean", "mu", "mean"), block("running_var", variance, "var")],
	};
}

function inferenceSection(lesson: Lesson, words: Words): Section {
	const block = (step: string, formula: string, purpose: string, values: NestedNumbers): Block => ({
		step,
		formula,
		purpose,
		rows: words.rows(values),
	});
	const { xmu, xhat, out } = lesson.inference;
	return {
		title: "Inference",
		text: [
			"The running averages take the place of the batch's own: a sample's output depends on that sample alone. " +
				"After this one batch they are still close to where they started, so out is far from what training gave; " +
				"after many batches the two agree.",
		],
		blocks: [
			block("1", "xmu = x - running_mean", "Shifted by the average center.", xmu),
			block("2", "xhat = xmu / sqrt(running_var + eps)", "Scaled by the average deviation.", xhat),
			block("3", "out = gamma * xhat + beta", "The output.", out),
		],
	};
}

/** max |dx - closed form|: how well the fourteen small steps agree with the one formula. */
function closedFormDifference(input: LessonInput, { stages }: Lesson): number {
	const { shape } = input.x;
	const m = sizeOf(shape) / shape[1];
	const { dbeta, dgamma, dx, xhat, ivar } = stages;
	if (!input.dy || !dbeta || !dgamma || dx === undefined) return 0;
	const [dxRows, xhatRows, dyRows] = [unnest(dx, shape), unnest(xhat, shape), input.dy].map(asRows);
	let largest = 0;
	dxRows.forEach((row, i) => {
		row.forEach((value, c) => {
			const inner = m * dyRows[i][c] - dbeta[c] - xhatRows[i][c] * dgamma[c];
			largest = Math.max(largest, Math.abs(value - ((input.gamma[c] * ivar[c]) / m) * inner));
		});
	});
	return largest;
}

function nestRows({ shape, data }: LessonInput["x"]): NestedNumbers {
	return nestValues(data, shape);
}

function isPerChannel(values: NestedNumbers): values is readonly number[] {
	return Array.isArray(values) && typeof values[0] === "number";
}

/** `0.00001` as `1e-5`. */
function formatSmall(value: number): string {
	return value !== 0 && value < 1e-3 ? value.toExponential() : String(value);
}

function mean(values: readonly number[]): number {
	return values.reduce((sum, value) => sum + value, 0) / values.length;
}
