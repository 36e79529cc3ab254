import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { describe, expect, test } from "vitest";
import type { OnnxData, OnnxDataType } from "./data-types.ts";
import { TensorProto_DataType, TensorProtoSchema } from "./generated/onnx-ml_pb.ts";
import { checkTensor, makeTensor, readTensor } from "./tensor.ts";

type Fields = MessageInitShape<typeof TensorProtoSchema>;

const types: [OnnxDataType, OnnxData][] = [
	["float", Float32Array.of(1.5, -2, Number.NaN, Number.POSITIVE_INFINITY, -0, 1e-40)],
	["double", Float64Array.of(1e300, -0, 0.1)],
	["float16", Float32Array.of(0.5, -65504, 2 ** -24, Number.NEGATIVE_INFINITY)],
	["bfloat16", Float32Array.of(1, -3.015625, 2 ** 100)],
	["int64", BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n, 0n)],
	["uint64", BigUint64Array.of(2n ** 64n - 1n, 0n)],
	["int32", Int32Array.of(-(2 ** 31), 2 ** 31 - 1)],
	["uint32", Uint32Array.of(2 ** 32 - 1, 0)],
	["int16", Int16Array.of(-32768, 32767)],
	["uint16", Uint16Array.of(65535, 1)],
	["int8", Int8Array.of(-128, 127, 3)],
	["uint8", Uint8Array.of(255, 0, 3)],
	["int4", Int8Array.of(-8, 7, -1)],
	["uint4", Uint8Array.of(15, 0, 9)],
	["bool", Uint8Array.of(1, 0, 1)],
];

describe("raw data", () => {
	test.each(types)("%s comes back as it was", (type, data) => {
		const read = readTensor(makeTensor("t", { type, shape: [data.length], data }), "m");
		expect(read).toEqual({ type, shape: [data.length], data });
	});

	test("is a view of the bytes where these are aligned, a copy where not", () => {
		const bytes = new Uint8Array(24);
		bytes.set(new Uint8Array(Float32Array.of(1, 2).buffer), 8);
		bytes.set(new Uint8Array(Float32Array.of(1, 2).buffer), 16);
		const at = (begin: number) =>
			readTensor(create(TensorProtoSchema, { dims: [1n], dataType: 1, rawData: bytes.subarray(begin, begin + 4) }), "m")
				.data;
		expect(at(8).buffer).toBe(bytes.buffer);
		expect(at(9).buffer).not.toBe(bytes.buffer);
		expect([...at(8)]).toEqual([1]);
		expect([...at(16)]).toEqual([1]);
	});

	test("a float16 written by hand", () => {
		const tensor = create(TensorProtoSchema, {
			dims: [2n],
			dataType: TensorProto_DataType.FLOAT16,
			rawData: Uint8Array.of(0x00, 0x3c, 0x01, 0xc0),
		});
		expect([...readTensor(tensor, "m").data]).toEqual([1, -2.001953125]);
	});
});

describe("fields of numbers", () => {
	const read = (fields: Fields) => [...readTensor(create(TensorProtoSchema, fields), "m").data];
	const type = TensorProto_DataType;

	const floats = (...list: number[]) => [new Uint8Array(Float32Array.from(list).buffer)];
	/** Base-128 numbers, negative ones as 64 bits. */
	const varints = (...list: bigint[]) => {
		const writer = new BinaryWriter();
		for (const number of list) writer.int64(BigInt.asIntN(64, number));
		return [writer.finish()];
	};

	test("each type from its field", () => {
		expect(read({ dims: [2n], dataType: type.FLOAT, floatData: floats(1.5, 2.5) })).toEqual([1.5, 2.5]);
		expect(
			read({ dims: [1n], dataType: type.DOUBLE, doubleData: [new Uint8Array(Float64Array.of(0.1).buffer)] }),
		).toEqual([0.1]);
		expect(read({ dims: [2n], dataType: type.INT64, int64Data: varints(-5n, 2n ** 60n) })).toEqual([-5n, 2n ** 60n]);
		expect(read({ dims: [1n], dataType: type.UINT64, uint64Data: varints(2n ** 63n) })).toEqual([2n ** 63n]);
		expect(read({ dims: [1n], dataType: type.UINT32, uint64Data: varints(4294967295n) })).toEqual([4294967295]);
		expect(read({ dims: [2n], dataType: type.INT8, int32Data: varints(-128n, 7n) })).toEqual([-128, 7]);
		expect(read({ dims: [1n], dataType: type.BOOL, int32Data: varints(1n) })).toEqual([1]);
		expect(read({ dims: [3n], dataType: type.INT4, int32Data: varints(0x8fn, 0x07n) })).toEqual([-1, -8, 7]);
	});

	test("16-bit floats as their bits", () => {
		expect(read({ dims: [2n], dataType: type.FLOAT16, int32Data: varints(0x3c00n, 0xc000n) })).toEqual([1, -2]);
		expect(read({ dims: [1n], dataType: type.BFLOAT16, int32Data: varints(0x3f80n) })).toEqual([1]);
	});

	test("in several pieces", () => {
		expect(read({ dims: [3n], dataType: type.FLOAT, floatData: [...floats(1, 2), ...floats(3)] })).toEqual([1, 2, 3]);
		const numbers = [...varints(1n, -1n), ...varints(300n)];
		expect(read({ dims: [3n], dataType: type.INT32, int32Data: numbers })).toEqual([1, -1, 300]);
		expect(read({ dims: [2n], dataType: type.INT32, int32Data: varints(-(2n ** 31n), 2n ** 31n - 1n) })).toEqual([
			-(2 ** 31),
			2 ** 31 - 1,
		]);
	});

	test("and none that are cut short, or too long", () => {
		const piece = (...bytes: number[]) => ({ dims: [1n], dataType: type.INT64, int64Data: [Uint8Array.from(bytes)] });
		expect(() => read(piece(1, 0x80))).toThrow("its last number is cut short");
		expect(() => read(piece(...new Array(10).fill(0x80), 1))).toThrow("a number of more than ten digits");
		expect(() => read({ dims: [1n], dataType: type.FLOAT, floatData: [new Uint8Array(5)] })).toThrow(
			"takes 1 values, it holds 1.25",
		);
	});

	test("empty tensors, and scalars", () => {
		expect(read({ dims: [0n, 2n ** 40n], dataType: type.FLOAT })).toEqual([]);
		expect(read({ dims: [], dataType: type.FLOAT, floatData: floats(3) })).toEqual([3]);
	});
});

describe("what does not fit is refused, by name, before anything is allocated", () => {
	const refused = (fields: Fields) => () =>
		checkTensor(Object.assign(create(TensorProtoSchema, { name: "w", dataType: 1 }), fields), "m.onnx");

	test("lengths", () => {
		expect(refused({ dims: [3n], rawData: new Uint8Array(8) })).toThrow(
			'm.onnx: tensor "w": float [3] takes 12 bytes, it holds 8; the file is damaged',
		);
		expect(refused({ dims: [2n ** 31n], floatData: [new Uint8Array(4)] })).toThrow(
			"takes 2147483648 values, it holds 1",
		);
		expect(refused({ dims: [3n] })).toThrow("takes 3 values, it holds 0");
		expect(refused({ dims: [3n], dataType: TensorProto_DataType.INT4, rawData: new Uint8Array(3) })).toThrow(
			"int4 [3] takes 2 bytes, it holds 3",
		);
	});

	test("dimensions", () => {
		expect(refused({ dims: [-1n] })).toThrow('m.onnx: tensor "w": dimensions [-1] must be at least 0');
		expect(refused({ dims: [2n ** 40n, 2n ** 40n] })).toThrow("dimensions [1099511627776, 1099511627776]");
		expect(refused({ dims: [2n ** 62n, 4n] })).toThrow("dimensions");
	});

	test("types that cannot be read", () => {
		const strings = create(TensorProtoSchema, { name: "s", dims: [1n], dataType: TensorProto_DataType.STRING });
		expect(() => checkTensor(strings, "m")).not.toThrow();
		expect(() => readTensor(strings, "m")).toThrow(
			'tensor "s": elements of type string cannot be read; those that can',
		);
		expect(() => readTensor(create(TensorProtoSchema, { dims: [], dataType: 99 }), "m")).toThrow("type number 99");
	});

	test("data that do not fit when a tensor is made", () => {
		const data = Float32Array.of(1, 2);
		expect(() => makeTensor("w", { type: "float", shape: [3], data })).toThrow("shape [3] holds 3 values, got 2");
		expect(() => makeTensor("w", { type: "int64", shape: [2], data })).toThrow(
			"int64 is given as BigInt64Array, got Float32Array",
		);
	});
});
