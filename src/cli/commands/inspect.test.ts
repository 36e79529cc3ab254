import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeImageFolder } from "../../../test/support/image-folder.ts";
import { model, node, value, weight } from "../../../test/support/onnx-builder.ts";
import { recordTerminal, runForTest } from "../../../test/support/terminal.ts";
import {
	AttributeProtoSchema,
	FunctionProtoSchema,
	GraphProtoSchema,
	OperatorSetIdProtoSchema,
} from "../../model-files/onnx/generated/onnx-ml_pb.ts";
import { encodeOnnx, makeTensor, type OnnxModel } from "../../model-files/onnx/index.ts";
import { encodeSafetensors } from "../../model-files/safetensors.ts";
import type { Inspection } from "../../surgery/index.ts";
import { runProgram } from "../program.ts";

let root: string;
let images: string;
let run: string;

beforeAll(async () => {
	root = mkdtempSync(join(tmpdir(), "evenkeel-inspect-"));
	images = writeImageFolder(join(root, "images"), { train: 256, test: 64 });
	run = join(root, "run");
	const options = ["--data", images, "--epochs", "4", "--batch-size", "16", "--lr", "0.005", "--out", run, "--quiet"];
	const { code, err } = await runForTest("train", "lenet", "--norm", "batch", ...options);
	expect(code, err).toBe(0);
});

afterAll(() => {
	rmSync(root, { recursive: true, force: true });
});

async function inspected(...args: string[]): Promise<Inspection & { event: string }> {
	const { code, out, err } = await runForTest("inspect", ...args, "--json");
	expect(code, err).toBe(0);
	expect(out.trim().split("\n")).toHaveLength(1);
	return JSON.parse(out);
}

const kinds = ({ findings }: Inspection) => [...new Set(findings.map(({ kind }) => kind))].sort();

describe("evenkeel inspect", () => {
	test("a preset: layers, norms and what the batch size does to them, as one JSON object", async () => {
		const inspection = await inspected("lenet-bn", "--batch-size", "32", "--replicas", "4");
		expect(inspection).toMatchObject({ event: "inspection", batchSize: 32, replicas: 4, data: null });
		expect(inspection.layers).toHaveLength(16);
		expect(inspection.inputShape).toEqual([1, 1, 28, 28]);
		expect(inspection.totals.parameters).toBe(44_878);
		expect(inspection.norms.map(({ type, channels }) => `${type} ${channels}`)).toEqual([
			...["BatchNorm2d 6", "BatchNorm2d 16", "BatchNorm1d 120", "BatchNorm1d 84"],
		]);
		expect(inspection.norms[0]).toMatchObject({ layer: "1", scale: { min: 1, mean: 1, max: 1 }, batches: 0 });
		expect(kinds(inspection)).toEqual(["bias-before-norm", "small-batch"]);
	});

	test("a sound preset has no finding, and says so", async () => {
		const { code, out } = await runForTest("inspect", "resnet-mini");
		expect(code).toBe(0);
		expect(out).toContain("No findings.");
		expect(out).toMatch(
			/^5\.shortcut\.1 BatchNorm2d, 64 channels, eps 1e-5, 0 batches\n {2}scale +1\.00 +1\.00 +1\.00 +█$/m,
		);
		expect(out).toMatch(/^5\.shortcut\.0 +Conv2d +\[1, 64, 7, 7\] +2,048 +201 k$/m);
		expect(out).toMatch(/^sum +77,754 +19 M\nfor an input \[1, 1, 28, 28\]: 19 MFLOPs, a multiply-add being two$/m);
		const other = await runForTest("inspect", "resnet-mini", "--norm", "group", "--batch-size", "2");
		expect(other.out).toMatch(/GroupNorm[\s\S]*No findings\./);
	});

	test("a run's folder: the checkpoint knows its network, batch size and norm", async () => {
		const inspection = await inspected(run, "--data", images);
		expect(inspection.batchSize).toBe(16);
		expect(inspection.source).toContain("preset lenet with the weights of");
		expect(inspection.data).toContain("train images from");
		expect(inspection.norms[0].batches).toBe(64);
		expect(kinds(inspection)).toEqual(["bias-before-norm"]);
	});

	test("weights alone: the norms by their names, and the tensors", async () => {
		const inspection = await inspected(join(run, "model.safetensors"));
		expect(inspection.norms.map(({ layer }) => layer)).toEqual(["1", "5", "10", "13"]);
		expect(inspection.layers).toEqual([]);
		expect(inspection.tensors).toHaveLength(30);
		expect(inspection.tensors[0]).toEqual({ name: "0.weight", dtype: "F32", shape: [6, 1, 5, 5] });
		expect(inspection.notes).toEqual([expect.stringContaining("--preset names one")]);
		const known = await inspected(join(run, "model.safetensors"), "--preset", "lenet-bn");
		expect([known.layers.length, known.tensors.length]).toEqual([16, 0]);
	});

	test("without color and beyond ASCII where the terminal has neither", async () => {
		const recorded = recordTerminal({ isTTY: true, env: { LANG: "C", NO_COLOR: "1" } });
		expect(await runProgram(["inspect", run], recorded.terminal)).toBe(0);
		expect(recorded.out()).toMatch(/^ {2}scale +[\d.]+ +[\d.]+ +[\d.]+ {2}[ .:=+*%#-]+$/m);
		expect(recorded.out()).toMatch(/^[\x20-\x7e\n]*$/);
		const colored = recordTerminal({ isTTY: true, env: { LANG: "en_US.UTF-8" } });
		expect(await runProgram(["inspect", run], colored.terminal)).toBe(0);
		expect(colored.out()).toContain("\u001b[36m");
		expect(colored.out()).toMatch(/[▁▂▃▄▅▆▇█]/);
	});

	test("a page, which is written whole or not at all", async () => {
		const page = join(root, "page.html");
		const { code, out, err } = await runForTest("inspect", run, "--html", page);
		expect([code, err]).toEqual([0, `page: ${page}\n`]);
		expect(out).toContain("running variance");
		const html = readFileSync(page, "utf8");
		expect(html).toMatch(/^<!doctype html>/);
		expect(html).toContain("BatchNorm1d");
		expect(readdirSync(root).filter((name) => name.startsWith("page.html"))).toEqual(["page.html"]);
		const nowhere = await runForTest("inspect", run, "--html", join(root, "no", "page.html"));
		expect([nowhere.code, nowhere.out]).toEqual([2, ""]);
		expect(nowhere.err).toMatch(/--html .*the folder .* does not exist/);
	});

	test("weights in which a norm was never run, with names that a terminal would obey", async () => {
		const vector = (value: number) => ({ dtype: "F32" as const, shape: [3], data: new Float32Array(3).fill(value) });
		const file = join(root, "fresh.safetensors");
		const state = {
			"bn.weight": vector(1),
			"bn.bias": vector(0),
			"bn.running_mean": vector(0),
			"bn.running_var": vector(1),
		};
		const others = { "ln\u001b[31m.weight": vector(1), "ln\u001b[31m.bias": vector(0) };
		writeFileSync(file, encodeSafetensors({ ...state, ...others }));
		const { out } = await runForTest("inspect", file);
		expect(out).toMatch(/error never-updated in "bn": the running mean is 0/);
		expect(out).toContain("ln\uFFFD[31m LayerNorm, 3 channels");
		expect(out).not.toContain("\u001b");
		expect(out).toContain("1 finding\n");
	});

	test("an ONNX model: a network, with what the file says of its input", async () => {
		const file = join(root, "net.onnx");
		expect((await runForTest("export", run, file)).code).toBe(0);
		const inspection = await inspected(file);
		expect(inspection.source).toMatch(/net\.onnx, ONNX by evenkeel [\d.]+, operator set 17$/);
		expect(inspection.inputShape).toEqual([1, 1, 28, 28]);
		const of = await inspected(run);
		const numbers = ({ norms }: Inspection) => norms.map(({ layer, scale, runningVar }) => [layer, scale, runningVar]);
		expect(numbers(inspection)).toEqual(numbers(of));
		expect(inspection.totals).toEqual(of.totals);
		expect(inspection.norms[0].batches).toBeNull();
		expect(kinds(inspection)).toEqual(["bias-before-norm"]);
		const large = await inspected(file, "--input-shape", "5,1,28,28");
		expect(large.layers[0].outputShape).toEqual([5, 6, 24, 24]);
	});

	test("an ONNX model that leaves the size of its input open, and one with an operator that is not known", async () => {
		const file = join(root, "open.onnx");
		const write = (opType: string) => {
			const names = ["scale", "shift", "mean", "var"];
			const made = model({
				nodes: [
					node(
						"BatchNormalization",
						["x", ...names],
						["h"],
						{ epsilon: 1e-3 },
						{ name: "/layer1/bn1/BatchNormalization" },
					),
					node(opType, ["h"], ["y"]),
				],
				inputs: [value("x", ["N", 2, "H", "W"])],
				initializers: names.map((name, i) => weight(name, [2], [i, i + 1])),
			});
			writeFileSync(file, encodeOnnx(made));
		};
		write("Relu");
		const open = await inspected(file);
		expect(open.notes).toEqual([expect.stringContaining("--input-shape 1,3,224,224")]);
		expect(open.layers.map(({ type, outputShape }) => [type, outputShape])).toEqual([
			["BatchNorm2d", null],
			["ReLU", null],
		]);
		expect((await inspected(file, "--input-shape", "1,2,4,4")).layers[0].outputShape).toEqual([1, 2, 4, 4]);
		write("Frobnicate");
		const strange = await inspected(file);
		expect(strange.notes).toEqual([
			expect.stringMatching(/operators that cannot be run: Frobnicate .*only its norms are shown/),
		]);
		expect(strange.norms).toMatchObject([
			{
				layer: "layer1.bn1",
				type: "BatchNorm2d",
				channels: 2,
				eps: expect.closeTo(1e-3),
				runningMean: { min: 2, max: 3 },
			},
		]);
		expect(strange.tensors[0]).toEqual({ name: "scale", dtype: "float", shape: [2] });
	});

	const four = ["scale", "shift", "mean", "var"];
	const constants = four.map((name, i) => weight(name, [2], [i, i + 1]));
	const norm = (attributes = {}, from = four) =>
		node("BatchNormalization", ["x", ...from], ["y"], attributes, { name: "bn" });
	const inspectedModel = (parts: Parameters<typeof model>[0], change: (made: OnnxModel) => void = () => {}) => {
		const made = model({ inputs: [value("x", [2, 2])], ...parts });
		change(made);
		writeFileSync(join(root, "norms.onnx"), encodeOnnx(made));
		return inspected(join(root, "norms.onnx"));
	};

	test("norms of an ONNX model that are in a branch", async () => {
		const branch = { name: "branch", output: [value("y")] };
		const { norms, notes } = await inspectedModel(
			{
				nodes: [node("If", ["cond"], ["y"])],
				initializers: [...constants.slice(1), makeTensor("cond", { type: "bool", shape: [], data: Uint8Array.of(1) })],
			},
			({ graph }) => {
				const inner = create(GraphProtoSchema, { ...branch, node: [norm()], initializer: [constants[0]] });
				for (const name of ["then_branch", "else_branch"])
					graph.node[0].attribute.push(create(AttributeProtoSchema, { name, type: 5, g: inner }));
			},
		);
		expect(norms).toMatchObject([
			{ layer: "bn", scale: { min: 0, max: 1 }, runningVar: { min: 3, max: 4 } },
			{ layer: "bn_1" },
		]);
		expect(notes).toEqual([expect.stringMatching(/If .*only its norms are shown/)]);
	});

	test("norms of an ONNX model that are in a function, with what they hold there", async () => {
		const { norms, notes } = await inspectedModel(
			{ nodes: [node("F", ["x"], ["y"], {}, { domain: "own" })] },
			({ proto }) => {
				const held = four.slice(2).map((name, i) => node("Constant", [], [name], { value: constants[i + 2] }));
				const body = { input: ["x", "scale", "shift"], output: ["y"], node: [...held, norm()] };
				proto.functions.push(create(FunctionProtoSchema, { name: "F", domain: "own", ...body }));
				proto.opsetImport.push(create(OperatorSetIdProtoSchema, { domain: "own", version: 1n }));
			},
		);
		expect(norms).toMatchObject([{ layer: "bn", type: "BatchNorm2d", scale: null, runningMean: { min: 2, max: 3 } }]);
		expect(notes.at(-1)).toBe(
			'BatchNormalization "bn" is given its scale, shift as it runs, so the file does not hold them',
		);
	});

	test("an ONNX model whose norm computes its scale: a note", async () => {
		const { norms, notes } = await inspectedModel({
			nodes: [node("Add", ["scale", "shift"], ["sum"]), norm({}, ["sum", ...four.slice(1)])],
			initializers: constants,
		});
		expect([norms, notes]).toEqual([
			[],
			['BatchNormalization "bn" is given its scale as it runs, so the file does not hold them'],
		]);
		const { out } = await runForTest("inspect", join(root, "norms.onnx"));
		expect(out).toContain("There is no norm to show.");
	});

	test.each([
		["that runs", []],
		["that does not", [node("Frobnicate", ["x"], ["z"])]],
	])("a norm that trains in an ONNX model %s is an error", async (_, more) => {
		const { findings } = await inspectedModel({
			nodes: [norm({ training_mode: 1n }), ...more],
			initializers: constants,
		});
		expect(findings).toContainEqual(
			expect.objectContaining({ layer: "bn", kind: "training-in-file", severity: "error" }),
		);
		const sound = await inspectedModel({ nodes: [norm(), ...more], initializers: constants });
		expect(kinds(sound)).not.toContain("training-in-file");
	});

	test.each<[string[], number, RegExp]>([
		[[], 2, /missing required argument 'network'/],
		[["alexnet"], 2, /unknown preset "alexnet"/],
		[["run/a.pt"], 2, /run\/a\.pt: PyTorch's own files .* save_file\(\{.*\}, 'a\.safetensors'\)"/],
		[["nothing.safetensors"], 2, /nothing\.safetensors: there is no such file; check the path/],
		[["nothing.onnx"], 2, /nothing\.onnx: there is no such file; check the path/],
		[["lenet-bn", "--input-shape", "1,0,2"], 2, /must be whole numbers of at least 1 separated by commas/],
		[["lenet-bn", "--input-shape", "1,1,2"], 2, /--input-shape: it is for ONNX models; lenet-bn/],
		[["lenet-bn", "--batch-size", "0"], 2, /whole number of at least 1/],
		[["lenet-bn", "--norm", "fancy"], 1, /unknown normalization "fancy"/],
	])("wrong input %j", async (args, code, message) => {
		const ended = await runForTest("inspect", ...args);
		expect([ended.code, ended.out]).toEqual([code, ""]);
		expect(ended.err).toMatch(message);
	});

	test.each(["inspect", "export", "fold", "recalibrate", "convert", "train"])(
		"%s: PyTorch's own files are not read, and how to get at their weights is said",
		async (command) => {
			const more = {
				recalibrate: ["--data", images, "--out", "x.safetensors"],
				convert: ["--to", "group", "--out", "y"],
			};
			const to = command === "export" || command === "fold" ? [join(root, "to.safetensors")] : [];
			const rest = Object.entries(more).find(([name]) => name === command)?.[1] ?? to;
			for (const ending of ["pt", "pth", "bin", "ckpt"]) {
				const { code, err } = await runForTest(command, `weights.${ending}`, ...rest);
				expect([code, err]).toEqual([2, expect.stringContaining("write the weights as safetensors: python3 -c")]);
			}
		},
	);

	test("weights of another network, and data without a network", async () => {
		const file = join(run, "model.safetensors");
		expect((await runForTest("inspect", file, "--preset", "mlp-bn")).err).toMatch(/not of the preset mlp-bn/);
		const blind = await runForTest("inspect", file, "--data", images);
		expect([blind.code, blind.err]).toEqual([2, expect.stringContaining("name the network with --preset")]);
	});
});
