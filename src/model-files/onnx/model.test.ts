import {
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { model, node, noise, value, weight } from "../../../test/support/onnx-builder.ts";
import { runOnnxRuntime } from "../../../test/support/onnxruntime.ts";
import { AttributeProtoSchema, TensorProto_DataLocation } from "./generated/onnx-ml_pb.ts";
import { decodeOnnx, encodeOnnx, type OnnxModel, readOnnx, writeOnnx } from "./model.ts";
import { makeTensor } from "./tensor.ts";

let folder: string;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "evenkeel-onnx-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** y = x * w, with all kinds of things to be kept. */
function product(): OnnxModel {
	const made = model({ nodes: [node("Mul", ["x", "w"], ["y"])], initializers: [weight("w", [3], [1, 2, 3])] });
	made.proto.metadataProps = [{ $typeName: "onnx.StringStringEntryProto", key: "author", value: "é 漢" }];
	made.proto.docString = "doc of the model";
	made.graph.node[0].docString = "doc of the node";
	made.graph.initializer[0].docString = "doc of the tensor";
	return made;
}

describe("reading and writing", () => {
	test("what was written is read again", () => {
		const bytes = encodeOnnx(product());
		const read = decodeOnnx(bytes);
		expect(read.opset()).toBe(17);
		expect(read.opset("ai.onnx")).toBe(17);
		expect(read.opset("com.microsoft")).toBe(0);
		expect(read.proto.metadataProps[0].value).toBe("é 漢");
		expect(read.graph.node[0].docString).toBe("doc of the node");
		expect([...read.read(read.graph.initializer[0]).data]).toEqual([1, 2, 3]);
		expect(encodeOnnx(read)).toEqual(bytes);
	});

	test("fields that the format does not have yet survive, wherever they stand", () => {
		// Field 900 as text, 901 as a number, 902 as 4 bytes: in the model, in its graph, in a node, in a tensor.
		const unknown = [
			{ no: 900, wireType: 2, data: Uint8Array.of(2, 0x68, 0x69) },
			{ no: 901, wireType: 0, data: Uint8Array.of(0x96, 1) },
			{ no: 902, wireType: 5, data: Uint8Array.of(1, 2, 3, 4) },
		];
		const made = product();
		for (const part of [made.proto, made.graph, made.graph.node[0], made.graph.initializer[0]]) part.$unknown = unknown;
		const bytes = encodeOnnx(made);
		const read = decodeOnnx(bytes);
		expect(read.graph.node[0].$unknown).toEqual(unknown);
		expect(encodeOnnx(read)).toEqual(bytes);
	});

	test("raw data are views of the file", () => {
		const bytes = encodeOnnx(product());
		expect(decodeOnnx(bytes).graph.initializer[0].rawData.buffer).toBe(bytes.buffer);
	});

	test("by path, all or nothing", async () => {
		const path = join(folder, "m.onnx");
		await writeOnnx(path, product());
		const read = await readOnnx(path);
		expect(read.name).toBe(path);
		expect(readdirSync(folder)).toEqual(["m.onnx"]);
		await writeOnnx(path, read);
		expect(new Uint8Array(readFileSync(path))).toEqual(encodeOnnx(product()));
		await expect(readOnnx(join(folder, "none.onnx"))).rejects.toThrow(/none\.onnx: it cannot be read: ENOENT/);
		await expect(readOnnx(folder)).rejects.toThrow(/cannot be read: EISDIR/);
	});

	test("ONNX Runtime runs what was written", async () => {
		const outputs = await runOnnxRuntime(encodeOnnx(product()), { x: { shape: [3], data: Float32Array.of(2, 2, 2) } });
		expect([...outputs.y.data]).toEqual([2, 4, 6]);
	});
});

describe("external data", () => {
	/** A model whose weight, 6 numbers, lies in `location` behind 8 other bytes. */
	function external(location: string, entries: Record<string, string> = { offset: "8", length: "24" }): OnnxModel {
		const tensor = makeTensor("w", { type: "float", shape: [6], data: noise(6) });
		tensor.rawData = new Uint8Array();
		tensor.dataLocation = TensorProto_DataLocation.EXTERNAL;
		tensor.externalData = Object.entries({ location, ...entries }).map(([key, text]) => ({
			$typeName: "onnx.StringStringEntryProto",
			key,
			value: text,
		}));
		return model({ nodes: [node("Mul", ["x", "w"], ["y"])], initializers: [tensor] });
	}

	function writeData(path: string): void {
		const bytes = new Uint8Array(40);
		bytes.set(new Uint8Array(noise(6).buffer), 8);
		writeFileSync(path, bytes);
	}

	async function read(location: string, entries?: Record<string, string>): Promise<OnnxModel> {
		const path = join(folder, "m.onnx");
		writeFileSync(path, encodeOnnx(external(location, entries)));
		return await readOnnx(path);
	}

	test("is read when it is asked for, and only what is asked for", async () => {
		const found = await read("w.bin");
		writeData(join(folder, "w.bin"));
		expect(found.read(found.graph.initializer[0])).toEqual({ type: "float", shape: [6], data: noise(6) });
	});

	test("without a length goes to the file's end", async () => {
		writeData(join(folder, "w.bin"));
		const found = await read("w.bin", { offset: "16" });
		expect(found.read(found.graph.initializer[0]).data[0]).toBe(noise(6)[2]);
	});

	test.each([
		["../w.bin", "would lie outside of the model's folder"],
		["sub/../../w.bin", "would lie outside of the model's folder"],
		["..\\w.bin", "would lie outside of the model's folder"],
		["/etc/passwd", "a relative path"],
		["\\\\server\\share", "a relative path"],
		["C:\\w.bin", "a relative path"],
		["", "a relative path"],
		["w\0.bin", "a relative path"],
		["link.bin", "lie outside of the model's folder"],
		["linked/w.bin", "lie outside of the model's folder"],
		[".", "outside of the model's folder"],
		["sub", "is not a file"],
		["none.bin", "ENOENT"],
		["short.bin", "would end at byte 32 of"],
	])("%j is refused", async (location, message) => {
		const inner = join(folder, "model");
		mkdirSync(join(inner, "sub"), { recursive: true });
		writeData(join(folder, "w.bin"));
		writeFileSync(join(inner, "short.bin"), new Uint8Array(31));
		symlinkSync(join(folder, "w.bin"), join(inner, "link.bin"));
		symlinkSync(folder, join(inner, "linked"));
		writeFileSync(join(inner, "m.onnx"), encodeOnnx(external(location)));
		const found = await readOnnx(join(inner, "m.onnx"));
		expect(() => found.read(found.graph.initializer[0])).toThrow(message);
	});

	test.each([
		[{ offset: "-8" }, "offset of its external data must be a whole number"],
		[{ offset: "0x8" }, "offset of its external data must be a whole number"],
		[{ length: "1e3" }, "length of its external data must be a whole number"],
		[{ length: "20" }, "its dimensions take 24 bytes, its external data are 20"],
		[{ offset: "99999" }, "its dimensions take 24 bytes"],
	])("%o is refused", async (entries, message) => {
		writeData(join(folder, "w.bin"));
		const found = await read("w.bin", entries);
		expect(() => found.read(found.graph.initializer[0])).toThrow(message);
	});

	test("stays in its file, which goes along into another folder", async () => {
		writeData(join(folder, "w.bin"));
		const found = await read("w.bin");
		const other = join(folder, "other");
		mkdirSync(other);
		await writeOnnx(join(other, "n.onnx"), found);
		expect(readFileSync(join(other, "n.onnx"))).toEqual(readFileSync(join(folder, "m.onnx")));
		expect(readFileSync(join(other, "w.bin"))).toEqual(readFileSync(join(folder, "w.bin")));
		const { mtimeMs } = statSync(join(other, "w.bin"));
		await writeOnnx(join(other, "n.onnx"), found);
		expect(statSync(join(other, "w.bin")).mtimeMs).toBe(mtimeMs);
		writeFileSync(join(other, "w.bin"), "another");
		await expect(writeOnnx(join(other, "n.onnx"), found)).rejects.toThrow(/w\.bin: exists with other contents/);
	});

	test("goes into the model when asked to", async () => {
		writeData(join(folder, "w.bin"));
		const path = join(folder, "inline.onnx");
		await writeOnnx(path, await read("w.bin"), { externalData: "inline" });
		rmSync(join(folder, "w.bin"));
		const found = await readOnnx(path);
		expect(found.externalTensors()).toEqual([]);
		expect(found.read(found.graph.initializer[0]).data).toEqual(noise(6));
		const { y } = await runOnnxRuntime(readFileSync(path), { x: { shape: [6], data: new Float32Array(6).fill(1) } });
		expect(y.data).toEqual(noise(6));
	});

	test("needs a folder when the model came from bytes", async () => {
		writeData(join(folder, "w.bin"));
		const bytes = encodeOnnx(external("w.bin"));
		const without = decodeOnnx(bytes);
		expect(() => without.read(without.graph.initializer[0])).toThrow("read the model by its path");
		const found = decodeOnnx(bytes, { folder });
		expect(found.read(found.graph.initializer[0]).data).toEqual(noise(6));
	});
});

describe("what is no model is refused", () => {
	test("other files, and damaged ones", () => {
		const bytes = encodeOnnx(product());
		expect(() => decodeOnnx(new Uint8Array())).toThrow("ONNX model: not an ONNX model: it has no graph");
		expect(() => decodeOnnx(new TextEncoder().encode("\x89PNG\r\n"))).toThrow("not an ONNX file");
		expect(() => decodeOnnx(bytes.subarray(0, -1), { name: "a.onnx" })).toThrow(
			/^a\.onnx: not an ONNX file, or one cut short/,
		);
	});

	test("graphs in graphs without end", () => {
		const deep = (depth: number): Uint8Array => {
			let nested = new Uint8Array();
			const wrap = (tag: number) => {
				const length = nested.length;
				const header = length < 128 ? [tag, length] : [tag, (length & 127) | 128, length >> 7];
				nested = Uint8Array.of(...header, ...nested);
			};
			for (let i = 0; i < depth; i++) {
				wrap(0x32); // AttributeProto.g
				wrap(0x2a); // NodeProto.attribute
				wrap(0x0a); // GraphProto.node
			}
			wrap(0x3a); // ModelProto.graph
			return nested;
		};
		expect(() => decodeOnnx(deep(10))).not.toThrow(/nest/);
		expect(() => decodeOnnx(deep(40))).toThrow("messages nest more than 100 deep");
	});

	test("small files that would take much memory", () => {
		// Half a million empty nodes, two bytes each.
		const nodes = Uint8Array.from({ length: 1_000_000 }, (_, i) => (i % 2 ? 0 : 0x0a));
		const graph = Uint8Array.of(0x3a, 0xc0, 0x84, 0x3d);
		const bytes = new Uint8Array(graph.length + nodes.length);
		bytes.set(graph);
		bytes.set(nodes, graph.length);
		expect(() => decodeOnnx(bytes)).toThrow(/1000004 bytes that would take more than 67108864 in memory/);
	});

	test("but a limit can be raised", () => {
		const ints = new Array<bigint>(3_000_000).fill(1n);
		const nodes = [node("Relu", ["x"], ["y"], { ints })];
		const bytes = encodeOnnx(model({ nodes }));
		expect(() => decodeOnnx(bytes)).toThrow("memoryLimit");
		expect(decodeOnnx(bytes, { memoryLimit: 2 ** 30 }).graph.node[0].attribute[0].ints.length).toBe(3_000_000);
	});

	test("numbers in fields of their own are views of the file, as raw data are", () => {
		const made = product();
		made.graph.initializer[0].rawData = new Uint8Array();
		made.graph.initializer[0].floatData = [new Uint8Array(Float32Array.of(1, 2, 3).buffer)];
		const bytes = encodeOnnx(made);
		const read = decodeOnnx(bytes);
		const [tensor] = read.graph.initializer;
		expect(tensor.floatData[0].buffer).toBe(bytes.buffer);
		expect([...read.read(tensor).data]).toEqual([1, 2, 3]);
		expect(encodeOnnx(read)).toEqual(bytes);
	});

	test("fields of another kind than they are declared", () => {
		// ModelProto.graph as a number.
		expect(() => decodeOnnx(Uint8Array.of(0x38, 1))).toThrow(
			"not an ONNX file, or a damaged one: ModelProto field 7 is of wire type 0 at byte 1",
		);
	});
});

describe("graphs that make no sense are refused", () => {
	const checked = (parts: Parameters<typeof model>[0]) => () => decodeOnnx(encodeOnnx(model(parts)), { name: "m" });
	const relu = node("Relu", ["x"], ["y"]);

	test("names twice", () => {
		expect(checked({ nodes: [relu, relu] })).toThrow('m: Relu "Relu_y" makes "y", which exists already');
		expect(checked({ nodes: [node("Relu", ["x"], ["x"])], outputs: [value("x")] })).toThrow('makes "x"');
		expect(checked({ nodes: [relu], inputs: [value("x"), value("x")] })).toThrow('two graph inputs are named "x"');
		const w = weight("w", [1], [1]);
		expect(checked({ nodes: [relu], initializers: [w, w] })).toThrow('two initializers are named "w"');
		const twice = node("Relu", ["x"], ["y"], { a: 1n });
		twice.attribute = [...(twice.attribute ?? []), ...(twice.attribute ?? [])];
		expect(checked({ nodes: [twice] })).toThrow('Relu "Relu_y" has the attribute "a" twice');
	});

	test("an initializer may also be an input", () => {
		expect(
			checked({
				nodes: [node("Mul", ["x", "w"], ["y"])],
				inputs: [value("x"), value("w", [1])],
				initializers: [weight("w", [1], [1])],
			}),
		).not.toThrow();
	});

	test("values that nobody makes", () => {
		expect(checked({ nodes: [node("Relu", ["z"], ["y"])] })).toThrow('m: Relu "Relu_y" reads "z", which no node makes');
		expect(checked({ nodes: [relu], outputs: [value("z")] })).toThrow(`the graph's output "z" is made by no node`);
	});

	test("circles; but any order else is put right", () => {
		const loop = [node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"]), node("Relu", ["b"], ["y"])];
		expect(checked({ nodes: loop })).toThrow('nodes depend on each other in a circle: Add "Add_a" waits');
		expect(checked({ nodes: [node("Relu", ["a"], ["y"]), node("Relu", ["x"], ["a"])] })).not.toThrow();
	});

	test("the same inside of subgraphs, which see what is around them", () => {
		const branch = (reads: string) => {
			const inner = model({ nodes: [node("Relu", [reads], ["b"])], inputs: [], outputs: [value("b")] }).graph;
			const made = node("If", ["c"], ["y"]);
			made.attribute = [create(AttributeProtoSchema, { name: "then_branch", type: 5, g: inner })];
			return { nodes: [made], inputs: [value("c", [], "bool"), value("x")] };
		};
		expect(checked(branch("x"))).not.toThrow();
		expect(checked(branch("z"))).toThrow('Relu "Relu_b" reads "z"');
	});
});
