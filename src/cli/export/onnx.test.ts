import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeImageFolder } from "../../../test/support/image-folder.ts";
import { difference, input } from "../../../test/support/onnx-compare.ts";
import { evaluate } from "../../../test/support/onnx-export.ts";
import { runOnnxRuntime } from "../../../test/support/onnxruntime.ts";
import { runForTest } from "../../../test/support/terminal.ts";
import { readOnnx } from "../../model-files/onnx/index.ts";
import { decodeSafetensors } from "../../model-files/safetensors.ts";
import { loadNetwork } from "../inspect/load-network.ts";

let root: string;
let run: string;
let out: string;

beforeAll(async () => {
	root = mkdtempSync(join(tmpdir(), "evenkeel-export-onnx-"));
	out = join(root, "out.onnx");
	const images = writeImageFolder(join(root, "images"), { train: 64, test: 16 });
	run = join(root, "run");
	const options = ["--data", images, "--epochs", "1", "--batch-size", "16", "--lr", "0.005", "--out", run, "--quiet"];
	const { code, err } = await runForTest("train", "lenet-bn", ...options);
	expect(code, err).toBe(0);
});

afterAll(() => {
	rmSync(root, { recursive: true, force: true });
});

test("a run's network, as onnxruntime runs it for any number of images", async () => {
	const ended = await runForTest("export", run, out);
	expect(ended.code, ended.err).toBe(0);
	expect(ended.out).toContain(`${out}: 26 tensors, 45,330 values, `);
	expect(ended.out).toContain('For onnxruntime, operator set 17: input "input" [N, 1, 28, 28], output "output"');
	const { net } = await loadNetwork(run, {});
	for (const count of [1, 7]) {
		const x = input([count, 1, 28, 28]);
		const { output } = await runOnnxRuntime(readFileSync(out), { input: x });
		expect(output.shape).toEqual([count, 10]);
		expect(difference(output.data, evaluate(net, [x]).data)).toBeLessThan(1e-5);
	}
	const model = await readOnnx(out);
	expect(model.proto.docString).toContain("preset lenet-bn with the weights of");
	expect(model.graph.name).toBe("lenet-bn");
});

test("a preset that is not trained, for other operators, as JSON", async () => {
	const ended = await runForTest("export", "resnet-mini", out, "--norm", "group", "--opset", "21", "--json");
	expect(ended.code, ended.err).toBe(0);
	const bytes = readFileSync(out).length;
	expect(JSON.parse(ended.out)).toMatchObject({ event: "export", format: "onnx", opset: 21, tensors: 29, bytes });
	expect((await readOnnx(out)).graph.node.filter(({ opType }) => opType === "GroupNormalization")).toHaveLength(9);
});

test("an ONNX model's weights, and the model again", async () => {
	expect((await runForTest("export", run, out)).code).toBe(0);
	const weights = join(root, "weights.safetensors");
	const ended = await runForTest("export", out, weights);
	expect(ended.code, ended.err).toBe(0);
	const { tensors } = decodeSafetensors(readFileSync(weights));
	const own = decodeSafetensors(readFileSync(join(run, "model.safetensors"))).tensors;
	expect(Object.keys(tensors).sort()).toEqual(Object.keys(own).sort());
	expect(tensors["5.running_var"].data).toEqual(own["5.running_var"].data);
	const again = join(root, "again.onnx");
	expect((await runForTest("export", out, again, "--opset", "13")).code).toBe(0);
	const x = input([2, 1, 28, 28]);
	const [first, second] = await Promise.all(
		[out, again].map((file) => runOnnxRuntime(readFileSync(file), { input: x })),
	);
	expect(difference(second.output.data, first.output.data)).toBeLessThan(1e-5);
});

test.each<[string[], RegExp]>([
	[["OWN", "OUT"], /OUT: ONNX holds the network as well, and it is not known; name it with --preset/],
	[["lenet-bn", "OUT", "--dtype", "f16"], /--dtype f16: ONNX is written in f32; f16 and bf16 are for \.safetensors/],
	[
		["lenet-bn", "OUT", "--opset", "12"],
		/'--opset <n>' argument '12' is invalid: it must be a whole number from 13 to 22/,
	],
	[["lenet-bn", "w.safetensors", "--opset", "17"], /--opset: only \.onnx has versions of its operators/],
	[["lenet-bn", "model.pt"], /in the format that its extension names: \.safetensors, \.onnx/],
])("wrong usage %j", async (given, message) => {
	rmSync(out, { force: true });
	const args = given.map((arg) => (arg === "OUT" ? out : arg === "OWN" ? join(run, "model.safetensors") : arg));
	const ended = await runForTest("export", ...args);
	expect([ended.code, ended.out]).toEqual([2, ""]);
	expect(ended.err.replace(out, "OUT")).toMatch(message);
	expect(existsSync(out)).toBe(false);
});
