// An ONNX model: folded as a graph, and run before and after as far as evenkeel knows its operators.

import { noGrad } from "../../autograd/tape.ts";
import { EvenkeelError } from "../../errors.ts";
import { dataTypeOf, formats } from "../../model-files/onnx/data-types.ts";
import { elements, rawLength } from "../../model-files/onnx/tensor.ts";
import {
	encodeOnnx,
	foldOnnx,
	type GraphModule,
	importOnnx,
	type OnnxModel,
	readOnnx,
	writeOnnx,
} from "../../onnx/index.ts";
import { tensor } from "../../ops/creation.ts";
import { manualSeed } from "../../random/generator.ts";
import { type Difference, differenceOf, worse } from "../../surgery/fold/difference.ts";
import { scope } from "../../tensor/scope.ts";
import { type Example, type ExampleFlags, examplesFor, type InputShape } from "./examples.ts";
import { type Comparison, comparisonOf, type Folded } from "./outcome.ts";

export interface FoldOnnxFlags extends ExampleFlags {
	fixInputs?: boolean;
	mulAdd?: boolean;
}

/** Folds the model `name`, to be written to `out`. */
export async function foldModel(name: string, out: string, flags: FoldOnnxFlags): Promise<Folded> {
	const source = await readOnnx(name);
	const { model, report } = foldOnnx(source, { fixInputs: flags.fixInputs, rest: flags.mulAdd ? "mul-add" : "keep" });
	model.check();
	const compared = await compare(source, model, flags);
	return {
		source: `${name}, operator set ${source.opset()}`,
		counted: "nodes",
		count: report.nodes,
		report,
		...compared,
		bytesBefore: sizeOf(source),
		async write() {
			await writeOnnx(out, model);
			return { bytes: sizeOf(model), hint: null };
		},
	};
}

/** Bytes of the file, and of data in other files. */
function sizeOf(model: OnnxModel): number {
	const outside = model.externalTensors().reduce((sum, { dims, dataType }) => {
		const type = dataTypeOf(dataType);
		return sum + (type ? rawLength(formats[type], elements(dims.map(Number))) : 0);
	}, 0);
	return encodeOnnx(model).length + outside;
}

/** Runs both models. Where the one that was given cannot be run, that is no fault of folding: the reason is returned. */
async function compare(source: OnnxModel, folded: OnnxModel, flags: FoldOnnxFlags): Promise<Comparison> {
	const before = await importOnnx(source).catch(reasonOf);
	if (typeof before === "string") return { difference: null, compared: before };
	const examples = examplesFor(
		before.inputNames.map((name) => inputOf(source, name)),
		flags,
	);
	if (typeof examples === "string") return { difference: null, compared: examples };
	let expected: Record<string, ArrayLike<number>>;
	try {
		expected = run(before, examples, flags.seed);
	} catch (error) {
		if (flags.input !== undefined || !(error instanceof EvenkeelError)) throw error;
		return { difference: null, compared: `it does not run on random inputs: ${error.message}` };
	}
	const found = run(await importOnnx(folded), examples, flags.seed);
	const differences = Object.entries(expected).map(([name, values]) => differenceOf(found[name], values));
	return comparisonOf(differences.reduce(worse, none), flags);
}

const none: Difference = { largest: 0, relative: 0, finite: 0 };

function reasonOf(error: unknown): string {
	if (error instanceof EvenkeelError) return error.message;
	throw error;
}

/** All outputs, by name. */
function run(
	net: GraphModule,
	examples: ReadonlyMap<string, Example>,
	seed: number,
): Record<string, ArrayLike<number>> {
	// Nodes that are training take random numbers: the same ones both times.
	manualSeed(seed);
	return scope(() =>
		noGrad(() => {
			const inputs = [...examples].map(([name, { values, shape, whole }]) => [
				name,
				tensor(whole ? Int32Array.from(values) : values, shape),
			]);
			const outputs = Object.entries(net.run(Object.fromEntries(inputs)));
			return Object.fromEntries(outputs.map(([name, y]) => [name, y.dataSync()]));
		}),
	);
}

/** What the model says of an input. */
function inputOf({ graph }: OnnxModel, name: string): InputShape {
	const type = graph.input.find((input) => input.name === name)?.type?.value;
	if (type?.case !== "tensorType") return { name, shape: null };
	const dims = type.value.shape?.dim.map(({ value }) => (value.case === "dimValue" ? Number(value.value) : null));
	const element = dataTypeOf(type.value.elemType ?? 0);
	const whole = element !== undefined && !["float", "double", "float16", "bfloat16"].includes(element);
	return { name, shape: dims ?? null, whole };
}
