import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseKerasConfig, toSnakeCase } from "./config.ts";
import { variableNames } from "./variables.ts";
import { readKerasWeights } from "./weights.ts";

const models = join(import.meta.dirname, "../../../test/keras/models");

test.each([
	["Dense", "dense"],
	["Conv2D", "conv2d"],
	["Conv2DTranspose", "conv2d_transpose"],
	["DepthwiseConv2D", "depthwise_conv2d"],
	["BatchNormalization", "batch_normalization"],
	["PReLU", "p_re_lu"],
])("%s is called %s in files", (name, expected) => {
	expect(toSnakeCase(name)).toBe(expected);
	expect(toSnakeCase(expected)).toBe(expected);
});

test("layers of nested models, in their place, by the names that Keras gives them", () => {
	const dense = (name: string) => ({ class_name: "Dense", config: { name } });
	const config = {
		class_name: "Sequential",
		config: {
			layers: [
				dense("a"),
				{ class_name: "Sequential", config: { name: "inner", layers: [dense("b"), dense("c")] } },
				{ class_name: "Custom>Dense", config: {} },
			],
		},
	};
	const model = parseKerasConfig(JSON.stringify(config), "f");
	expect(model?.layers.map(({ path, name, outermost, className }) => [path, name, outermost, className])).toEqual([
		["layers/dense", "a", "a", "Dense"],
		["layers/sequential/layers/dense", "b", "inner", "Dense"],
		["layers/sequential/layers/dense_1", "c", "inner", "Dense"],
		["layers/dense_1", "Dense", "Dense", "Dense"],
	]);
	expect(model?.isChain).toBe(true);
	expect(parseKerasConfig('{"class_name":"MyModel","config":{}}', "f")).toBeNull();
});

describe("whether a functional model is a chain", () => {
	const layer = (name: string, ...inbound: string[]) => ({
		class_name: "Dense",
		name,
		config: { name },
		inbound_nodes: inbound.length === 0 ? [] : [[inbound.map((one) => [one, 0, 0, {}])]],
	});
	test.each([
		[true, [layer("a"), layer("b", "a"), layer("c", "b")]],
		[false, [layer("a"), layer("b", "a"), layer("c", "a")]],
		[false, [layer("a"), layer("b", "a"), layer("c", "a", "b")]],
		[false, [layer("a"), layer("b")]],
	])("%s", (expected, layers) => {
		expect(parseKerasConfig(JSON.stringify({ class_name: "Functional", config: { layers } }), "f")?.isChain).toBe(
			expected,
		);
	});
});

describe("which variable is which", () => {
	const names = (className: string, options: Record<string, unknown> | null, count: number) =>
		variableNames(className, options, count, "f: layer");

	test.each([
		["BatchNormalization", { scale: true, center: true }, ["gamma", "beta", "moving_mean", "moving_variance"]],
		["BatchNormalization", { scale: false }, ["beta", "moving_mean", "moving_variance"]],
		["BatchNormalization", { center: false }, ["gamma", "moving_mean", "moving_variance"]],
		["BatchNormalization", { scale: false, center: false }, ["moving_mean", "moving_variance"]],
		["batch_normalization", null, ["gamma", "beta", "moving_mean", "moving_variance"]],
		["batch_normalization", null, ["moving_mean", "moving_variance"]],
		["batch_normalization", null, [null, null, null]],
		["layer_normalization", null, [null]],
		["dense", null, ["kernel"]],
		["Dense", { use_bias: false }, ["kernel"]],
		["LSTM", null, [null, null, null]],
		["toString", null, [null]],
	])("%s made with %j", (className, options, expected) => {
		expect(names(className, options, expected.length)).toEqual(expected);
	});

	test("more than the configuration makes", () => {
		expect(() => names("Dense", {}, 3)).toThrow(
			"f: layer has 3 variables, and its configuration makes 2 (kernel, bias)",
		);
	});
});

describe("what is wrong is named", () => {
	const read = (bytes: Uint8Array) => () => readKerasWeights(bytes);

	test("no file of Keras", () => {
		expect(read(new Uint8Array(10))).toThrow(
			"Keras file: not a file of Keras's weights: neither an archive (.keras) nor HDF5",
		);
		expect(() => readKerasWeights(join(models, "none.keras"))).toThrow(
			"none.keras: there is no such file; check the path",
		);
		const other = readFileSync(join(import.meta.dirname, "../hdf5/cases/behind-a-block.h5"));
		expect(read(other)).toThrow('there are no layers of Keras in this HDF5 file; it has "g"');
	});

	test("an archive without the weights, and weights of another model", () => {
		const bytes = Buffer.from(readFileSync(join(models, "mlp.keras")));
		const without = Buffer.from(bytes);
		for (let at = without.indexOf("config.json"); at !== -1; at = without.indexOf("config.json", at + 1))
			without.write("konfig", at);
		expect(read(without)).toThrow("the archive has no config.json; it is not one of Keras");
		const npz = Buffer.from(bytes);
		for (let at = npz.indexOf("weights.h5"); at !== -1; at = npz.indexOf("weights.h5", at + 1))
			npz.write("weights.np", at);
		expect(read(npz)).toThrow('the archive has no model.weights.h5 (it has "config.json", "model.weights.np")');
	});
});
