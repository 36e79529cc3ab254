// Models whose statistics were merged because they were equal: recalibrated, written back, and run by ONNX Runtime.

import { beforeAll, describe, expect, test } from "vitest";
import { model, node, noise, value, weight } from "../../test/support/onnx-builder.ts";
import { input, runImported } from "../../test/support/onnx-compare.ts";
import { runOnnxRuntime } from "../../test/support/onnxruntime.ts";
import { init } from "../backend/init.ts";
import { tensor } from "../ops/creation.ts";
import { recalibrate } from "../surgery/index.ts";
import { decodeOnnx, encodeOnnx, importOnnx, type OnnxModel, unshareStatistics, updateOnnx } from "./index.ts";

beforeAll(async () => {
	await init({ threads: 1 });
});

const shape = [6, 3, 4];

/** Three norms in a row; zeros and ones are stored once, for shifts and for statistics. */
const merged = (ir = 8) =>
	model({
		ir,
		inputs: [value("x", shape), ...(ir < 4 ? ["zeros", "ones", "w1", "w2"].map((name) => value(name, [3])) : [])],
		nodes: [
			node("BatchNormalization", ["x", "w1", "zeros", "zeros", "ones"], ["a"]),
			node("Relu", ["a"], ["b"]),
			node("BatchNormalization", ["b", "w2", "zeros", "zeros", "ones"], ["c"]),
			node("BatchNormalization", ["c", "w2", "zeros", "zeros", "ones"], ["y"], { epsilon: 0.1 }),
		],
		initializers: [
			...[weight("zeros", [3], [0, 0, 0]), weight("ones", [3], [1, 1, 1])],
			...[weight("w1", [3], [1, 2, 3]), weight("w2", [3], [2, 1, 0.5])],
		],
	});

const shiftedBy = (net: Awaited<ReturnType<typeof importOnnx>>) =>
	[...net.namedBuffers()].filter(([name]) => name.endsWith("running_mean")).map(([, mean]) => [...mean.dataSync()]);

async function recalibrated(unshare: boolean): Promise<OnnxModel> {
	const read = decodeOnnx(encodeOnnx(merged()));
	if (unshare) expect(unshareStatistics(read)).toBe(8);
	const net = await importOnnx(read);
	await recalibrate(
		net,
		tensor(
			noise(72, 3).map((v) => 3 * v + 1),
			shape,
		),
	);
	updateOnnx(read, net);
	return read;
}

describe("batch normalizations that share their statistics", () => {
	test("get their own, and what the model computes stays", async () => {
		const read = decodeOnnx(encodeOnnx(merged()));
		unshareStatistics(read);
		expect(unshareStatistics(read)).toBe(0);
		read.check();
		const x = input(shape);
		const [before, after] = await Promise.all([merged(), read].map((one) => runOnnxRuntime(encodeOnnx(one), { x })));
		expect(after).toEqual(before);
	});

	test("recalibrated, each has its own, and ONNX Runtime computes what the network does", async () => {
		const written = decodeOnnx(encodeOnnx(await recalibrated(true)));
		const net = await importOnnx(written);
		const means = shiftedBy(net);
		expect(means).toHaveLength(3);
		expect(new Set(means.map(String)).size).toBe(3);
		const x = input(shape);
		const { y } = await runOnnxRuntime(encodeOnnx(written), { x });
		const own = runImported(net, { x }).y;
		for (const [i, number] of Array.from(y.data as Float32Array).entries()) expect(own.data[i]).toBeCloseTo(number, 5);
	});

	test("without that, they are not written over one another", async () => {
		await expect(recalibrated(false)).rejects.toThrow(
			/are one tensor in the file, "zeros", and are no longer equal; call unshareStatistics\(model\) before importOnnx/,
		);
	});

	test("before IR version 4 what is added is listed as an input too", () => {
		const old = merged(3);
		unshareStatistics(old);
		expect(old.graph.input.map(({ name }) => name)).toContain("zeros_1");
		old.check();
	});

	test("one layer that runs twice keeps one pair of statistics", () => {
		const twice = model({
			nodes: [
				node("BatchNormalization", ["x", "w", "b", "m", "v"], ["a"]),
				node("BatchNormalization", ["a", "w", "b", "m", "v"], ["y"]),
			],
			initializers: ["w", "b", "m", "v"].map((name, i) => weight(name, [2], [i, 1])),
		});
		expect(unshareStatistics(twice)).toBe(0);
	});

	const rows = 64;
	const quads = {
		"trained, but for scale and shift": ["w", "b", "m", "v"],
		"never trained": ["w", "b", "b", "w"],
	};
	/** Two norms behind one another that read the same tensors; `paths`: of the modules that they are said to be of. */
	const alike = (quad: string[], paths: (string | undefined)[] = []) =>
		model({
			inputs: [value("x", ["N", 2])],
			nodes: ["x", "r"]
				.map((from, i) => {
					const fields = paths[i] === undefined ? {} : { metadataProps: [scopes(paths[i], i)] };
					return node("BatchNormalization", [from, ...quad], [i === 0 ? "a" : "y"], {}, fields);
				})
				.toSpliced(1, 0, node("Mul", ["a", "k"], ["r"])),
			initializers: [
				weight("k", [2], [5, 7]),
				...["w", "b", "m", "v"].map((name, i) => weight(name, [2], i % 3 === 0 ? [1, 1] : [0, 0])),
			],
		});
	const scopes = (path: string, i: number) => ({
		key: "pkg.torch.onnx.name_scopes",
		value: `['', '${path}', 'batch_norm_${i}']`,
	});

	test.each(Object.entries(quads))("%s: norms of different modules stay two", async (_, quad) => {
		const read = alike(quad, ["first", "second"]);
		unshareStatistics(read);
		read.check();
		const net = await importOnnx(read);
		expect(names(net).sort()).toEqual(["first.bias", "first.weight", "k", "second.bias", "second.weight"]);
		await recalibrate(net, tensor(noise(2 * rows, 4), [rows, 2]));
		updateOnnx(read, net);
		const variances = [...net.namedBuffers()]
			.filter(([name]) => name.endsWith("running_var"))
			.map(([, v]) => v.dataSync());
		// The second norm is given the first one's output, of variance 1, times 5 and 7.
		expect(variances[1][0]).toBeCloseTo(25, 1);
		expect(variances[1][1]).toBeCloseTo(49, 1);
		expect(variances[0][0]).toBeLessThan(1);
	});

	const names = (net: Awaited<ReturnType<typeof importOnnx>>) => [...net.namedParameters()].map(([name]) => name);

	test("a scale that is also the variance tells that equal tensors were merged, where nothing is said of modules", async () => {
		const read = alike(["w", "b", "b", "w"]);
		expect(unshareStatistics(read)).toBe(6);
		expect([...(await importOnnx(read)).namedBuffers()].filter(([name]) => name.endsWith("running_var"))).toHaveLength(
			2,
		);
	});

	test("a module that PyTorch's exporter says runs twice stays one, and its statistics become its own", async () => {
		const read = alike(["w", "b", "b", "w"], ["bn", "bn@1"]);
		expect(unshareStatistics(read)).toBe(2);
		expect(names(await importOnnx(read))).toEqual(expect.arrayContaining(["bn.weight", "bn.bias"]));
		expect(shiftedBy(await importOnnx(read))).toHaveLength(1);
	});

	test("without that, scales that differ after training are not written over one another", async () => {
		const read = alike(["w", "b", "b", "w"], ["first", "second"]);
		const net = await importOnnx(read);
		const scale = Object.fromEntries(net.namedParameters())["second.weight"];
		scale.view()[0] = 3;
		expect(() => updateOnnx(read, net)).toThrow(
			/are no longer equal; call unshareStatistics\(model\) before importOnnx/,
		);
		unshareStatistics(read);
		const again = await importOnnx(read);
		Object.fromEntries(again.namedParameters())["second.weight"].view()[0] = 3;
		expect(updateOnnx(read, again)).toEqual(["second.weight"]);
	});
});
