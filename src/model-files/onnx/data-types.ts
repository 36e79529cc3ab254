// The element types of ONNX tensors: how a file holds them, and what they are in memory.

import { bfloatToFloat, floatToBfloat, floatToHalf, halfToFloat } from "../half.ts";
import { TensorProto_DataType as Code, type TensorProto } from "./generated/onnx-ml_pb.ts";

/** An element type that can be read, by ONNX's name in lower case. */
export type OnnxDataType =
	| "float"
	| "double"
	| "float16"
	| "bfloat16"
	| "int64"
	| "uint64"
	| "int32"
	| "uint32"
	| "int16"
	| "uint16"
	| "int8"
	| "uint8"
	| "int4"
	| "uint4"
	| "bool";

/** Elements in memory: float16 and bfloat16 as float32, int4 and uint4 as int8 and uint8, booleans as bytes 0 and 1. */
export type OnnxData =
	| Float64Array
	| Float32Array
	| BigInt64Array
	| BigUint64Array
	| Int32Array
	| Uint32Array
	| Int16Array
	| Uint16Array
	| Int8Array
	| Uint8Array;

interface ArrayType {
	readonly BYTES_PER_ELEMENT: number;
	new (length: number): OnnxData;
	new (buffer: ArrayBufferLike, at: number, length: number): OnnxData;
}

/** The fields that hold numbers instead of raw data: packed, as they stand in the file. */
export type NumberField = "floatData" | "doubleData" | "int32Data" | "int64Data" | "uint64Data";

export interface Format {
	/** The number that stands for it in a file. */
	readonly code: number;
	/** Bits an element takes in raw data. */
	readonly bits: 4 | 8 | 16 | 32 | 64;
	/** How it is held in memory. */
	readonly array: ArrayType;
	/** The field that holds it where there is no raw data. */
	readonly field: NumberField;
	/** Of 16-bit floats: their bits to and from a float. */
	readonly unpack?: (bits: number) => number;
	readonly pack?: (value: number) => number;
}

/** All types that can be read. */
export const formats: Readonly<Record<OnnxDataType, Format>> = {
	float: { code: Code.FLOAT, bits: 32, array: Float32Array, field: "floatData" },
	double: { code: Code.DOUBLE, bits: 64, array: Float64Array, field: "doubleData" },
	float16: {
		code: Code.FLOAT16,
		bits: 16,
		array: Float32Array,
		field: "int32Data",
		unpack: halfToFloat,
		pack: floatToHalf,
	},
	bfloat16: {
		code: Code.BFLOAT16,
		bits: 16,
		array: Float32Array,
		field: "int32Data",
		unpack: bfloatToFloat,
		pack: floatToBfloat,
	},
	int64: { code: Code.INT64, bits: 64, array: BigInt64Array, field: "int64Data" },
	uint64: { code: Code.UINT64, bits: 64, array: BigUint64Array, field: "uint64Data" },
	int32: { code: Code.INT32, bits: 32, array: Int32Array, field: "int32Data" },
	uint32: { code: Code.UINT32, bits: 32, array: Uint32Array, field: "uint64Data" },
	int16: { code: Code.INT16, bits: 16, array: Int16Array, field: "int32Data" },
	uint16: { code: Code.UINT16, bits: 16, array: Uint16Array, field: "int32Data" },
	int8: { code: Code.INT8, bits: 8, array: Int8Array, field: "int32Data" },
	uint8: { code: Code.UINT8, bits: 8, array: Uint8Array, field: "int32Data" },
	int4: { code: Code.INT4, bits: 4, array: Int8Array, field: "int32Data" },
	uint4: { code: Code.UINT4, bits: 4, array: Uint8Array, field: "int32Data" },
	bool: { code: Code.BOOL, bits: 8, array: Uint8Array, field: "int32Data" },
};

const names = new Map(Object.entries(formats).map(([name, { code }]) => [code, name as OnnxDataType]));

/** The type that `code` stands for, or undefined if it is not one of {@link formats}. */
export function dataTypeOf(code: TensorProto["dataType"]): OnnxDataType | undefined {
	return names.get(code);
}

/** ONNX's name for `code`, also of types that cannot be read: `"float8e5m2"`. */
export function nameOfCode(code: number): string {
	return (
		Object.entries(Code)
			.find(([, other]) => other === code)?.[0]
			.toLowerCase() ?? `number ${code}`
	);
}
