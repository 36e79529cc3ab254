import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { type ModelParts, model, node, value, weight } from "../../../test/support/onnx-builder.ts";
import { runOnnxRuntime } from "../../../test/support/onnxruntime.ts";
import { AttributeProtoSchema, ValueInfoProtoSchema } from "./generated/onnx-ml_pb.ts";
import { OnnxGraph } from "./graph.ts";
import { encodeOnnx, type OnnxModel } from "./model.ts";
import { nodeLabel } from "./topology.ts";

const graphOf = (parts: ModelParts) => new OnnxGraph(model(parts));

/** What a model of `x` returns for x = [-1, 2]. */
async function run(made: OnnxModel): Promise<number[]> {
	made.check();
	const { y } = await runOnnxRuntime(encodeOnnx(made), { x: { shape: [2], data: Float32Array.of(-1, 2) } });
	return Array.from(y.data, Number);
}

describe("who makes and who reads a value", () => {
	const graph = graphOf({
		nodes: [node("Mul", ["x", "x"], ["a"]), node("Add", ["a", "w"], ["y"])],
		initializers: [weight("w", [1], [3])],
	});
	const [mul, add] = graph.proto.node;

	test("nodes, inputs, outputs, initializers", () => {
		expect(graph.producer("a")).toBe(mul);
		expect(graph.producer("x")).toBeUndefined();
		expect(graph.consumers("x")).toEqual([
			{ node: mul, input: 0 },
			{ node: mul, input: 1 },
		]);
		expect(graph.consumers("w")).toEqual([{ node: add, input: 1 }]);
		expect(graph.consumers("y")).toEqual([]);
		expect([graph.isInput("x"), graph.isInput("w"), graph.isOutput("y"), graph.isOutput("a")]).toEqual([
			true,
			false,
			true,
			false,
		]);
		expect(graph.initializer("w")?.name).toBe("w");
	});

	test("a subgraph reads too", () => {
		const inner = model({ nodes: [node("Relu", ["x"], ["b"])], inputs: [], outputs: [value("b")] }).graph;
		const made = node("If", ["c"], ["y"]);
		made.attribute = [create(AttributeProtoSchema, { name: "then_branch", type: 5, g: inner })];
		const outer = graphOf({ nodes: [made], inputs: [value("x"), value("c")] });
		expect(outer.consumers("x")).toEqual([{ node: outer.proto.node[0], input: -1 }]);
		outer.renameValue("x", "z");
		expect(outer.proto.node[0].attribute[0].g?.node[0].input).toEqual(["z"]);
		expect(outer.consumers("z").length).toBe(1);
	});

	test("a fresh name is none that a subgraph, or one in it, makes or holds, nor an output of the graph", () => {
		const branch = (to: string, nodes: ModelParts["nodes"]) => {
			const inner = model({ nodes, inputs: [], outputs: [value(to)], initializers: [weight("held", [1], [1])] }).graph;
			return [create(AttributeProtoSchema, { name: "then_branch", type: 5, g: inner })];
		};
		const deep = node("If", ["c"], ["b"]);
		deep.attribute = branch("deep", [node("Relu", ["x"], ["deep"])]);
		const made = node("If", ["c"], ["y"]);
		made.attribute = branch("b", [deep]);
		const outer = graphOf({ nodes: [made], inputs: [value("x"), value("c")], outputs: [value("y"), value("nobody")] });
		for (const name of ["b", "deep", "held", "nobody"]) expect(outer.freshName(name)).toBe(`${name}_1`);
		expect(outer.freshName("free")).toBe("free");
	});

	test("nodes in the order of what they depend on", () => {
		const mixed = graphOf({
			nodes: [node("Relu", ["b"], ["y"]), node("Relu", ["a"], ["b"]), node("Relu", ["x"], ["a"])],
		});
		expect(mixed.nodes().map(nodeLabel)).toEqual(['Relu "Relu_a"', 'Relu "Relu_b"', 'Relu "Relu_y"']);
	});
});

describe("what is constant", () => {
	const parts: ModelParts = {
		nodes: [
			node("Constant", [], ["c"], { value: weight("", [1], [7]) }),
			node("Identity", ["w"], ["i"]),
			node("Identity", ["x"], ["j"]),
			node("Mul", ["x", "w"], ["y"]),
		],
		inputs: [value("x"), value("w", [1])],
		initializers: [weight("w", [1], [3])],
	};

	test("initializers and Constant nodes, also behind Identity", () => {
		const graph = graphOf({ ...parts, inputs: [value("x")] });
		for (const [name, expected] of Object.entries({ c: 7, w: 3, i: 3 })) {
			expect(graph.constant(name)?.data[0]).toBe(expected);
		}
		for (const name of ["x", "j", "y", "none"]) expect(graph.constant(name)).toBeUndefined();
	});

	test("an initializer that is an input: from IR version 4 on its caller may replace it", () => {
		expect(graphOf(parts).constant("w")).toBeUndefined();
		expect(graphOf(parts).isOverridable("w")).toBe(true);
		expect(graphOf({ ...parts, ir: 3 }).constant("w")?.data[0]).toBe(3);
	});
});

describe("rewriting", () => {
	const chain = (outputs: string[]): OnnxModel =>
		model({
			nodes: [
				node("Relu", ["x"], ["a"]),
				node("Mul", ["a", "w"], ["b"]),
				node("Neg", ["b"], [outputs.includes("y") ? "y" : "c"]),
			],
			outputs: outputs.map((name) => value(name)),
			initializers: [weight("w", [1], [3])],
		});

	test("a node in the middle is passed by", async () => {
		const made = chain(["y"]);
		const graph = new OnnxGraph(made);
		graph.bypass(graph.proto.node[1]);
		expect(graph.proto.node.map(nodeLabel)).toEqual(['Relu "Relu_a"', 'Neg "Neg_y"']);
		expect(graph.removeUnused()).toEqual(["w"]);
		expect(await run(made)).toEqual([-0, -2]);
	});

	test("the last node: its maker takes the output's name", async () => {
		const made = chain(["y"]);
		const graph = new OnnxGraph(made);
		graph.bypass(graph.proto.node[2]);
		expect(graph.producer("y")?.opType).toBe("Mul");
		expect(graph.consumers("b")).toEqual([]);
		expect(await run(made)).toEqual([0, 6]);
	});

	test("or becomes an Identity where input and output are both returned", async () => {
		const made = chain(["b", "y"]);
		const graph = new OnnxGraph(made);
		graph.bypass(graph.proto.node[2]);
		expect(graph.producer("y")?.opType).toBe("Identity");
		expect(await run(made)).toEqual([0, 6]);
		const direct = model({ nodes: [node("Relu", ["x"], ["y"])] });
		const short = new OnnxGraph(direct);
		short.bypass(short.proto.node[0]);
		expect(await run(direct)).toEqual([-1, 2]);
	});

	test("initializers are replaced and added under names of their own", async () => {
		const made = chain(["y"]);
		const graph = new OnnxGraph(made);
		graph.replaceInitializer("w", { type: "float", shape: [2], data: Float32Array.of(1, 5) });
		expect(graph.addInitializer("w", { type: "float", shape: [1], data: Float32Array.of(1) }).name).toBe("w_1");
		expect(graph.addInitializer("a", { type: "float", shape: [1], data: Float32Array.of(10) }).name).toBe("a_1");
		graph.setInput(graph.proto.node[2], 0, "sum");
		graph.addNode({ opType: "Add", input: ["b", "a_1"], output: ["sum"] }, graph.proto.node[2]);
		expect(graph.proto.node.map(({ opType }) => opType)).toEqual(["Relu", "Mul", "Add", "Neg"]);
		expect(graph.removeUnused()).toEqual(["w_1"]);
		expect(await run(made)).toEqual([-10, -20]);
		expect(() => graph.addNode({ opType: "Relu", input: ["x"], output: ["sum"] })).toThrow('"sum", which exists');
		expect(() => graph.replaceInitializer("v", { type: "float", shape: [0], data: new Float32Array() })).toThrow(
			'there is no initializer "v"',
		);
	});

	test("what a removed node made is forgotten", () => {
		const made = chain(["y"]);
		made.graph.valueInfo = model({ nodes: [], outputs: [value("a"), value("b")] }).graph.output;
		const graph = new OnnxGraph(made);
		graph.bypass(graph.proto.node[1]);
		expect(made.graph.valueInfo.map(({ name }) => name)).toEqual(["a"]);
	});

	test("before IR version 4, unused initializers leave the inputs too", () => {
		const made = chain(["y"]);
		made.proto.irVersion = 3n;
		made.graph.input.push(...model({ nodes: [], inputs: [value("w", [1])] }).graph.input);
		const graph = new OnnxGraph(made);
		graph.bypass(graph.proto.node[1]);
		graph.removeUnused();
		expect(made.graph.input.map(({ name }) => name)).toEqual(["x"]);
	});

	test("before IR version 4, new initializers are inputs", () => {
		const made = chain(["y"]);
		made.proto.irVersion = 3n;
		new OnnxGraph(made).addInitializer("v", { type: "float", shape: [2], data: Float32Array.of(1, 2) });
		expect(made.graph.input.at(-1)).toEqual(create(ValueInfoProtoSchema, value("v", [2])));
	});

	test("an output gets another name", async () => {
		const made = chain(["y"]);
		const graph = new OnnxGraph(made);
		graph.setOutput(graph.proto.node[1], 0, "c");
		expect([graph.producer("b"), graph.producer("c")]).toEqual([undefined, graph.proto.node[1]]);
		graph.addNode({ opType: "Abs", input: ["c"], output: ["b"] }, graph.proto.node[2]);
		expect(await run(made)).toEqual([-0, -6]);
	});

	test("what nobody reads goes, with what only that read; the rest stays", () => {
		const made = model({
			nodes: [
				node("Identity", ["w"], ["i"]),
				node("Cast", ["i"], ["c"], { to: 1n }),
				node("Identity", ["v"], ["j"]),
				node("Relu", ["v"], ["r"]),
				node("Mul", ["x", "j"], ["y"]),
			],
			initializers: ["w", "v", "u"].map((name) => weight(name, [1], [3])),
		});
		const graph = new OnnxGraph(made);
		for (const name of ["c", "j", "r", "y", "x", "", "none"]) graph.removeUnread(name);
		expect(graph.proto.node.map(({ opType }) => opType)).toEqual(["Identity", "Relu", "Mul"]);
		expect(graph.proto.initializer.map(({ name }) => name)).toEqual(["v", "u"]);
	});

	test("a copy is equal, and apart", () => {
		const made = chain(["y"]);
		const copy = made.copy();
		expect(encodeOnnx(copy)).toEqual(encodeOnnx(made));
		new OnnxGraph(copy).replaceInitializer("w", { type: "float", shape: [1], data: Float32Array.of(9) });
		copy.graph.node[0].name = "other";
		expect(new OnnxGraph(made).constant("w")?.data[0]).toBe(3);
		expect(made.graph.node[0].name).toBe("Relu_a");
	});
});
