// The element types that safetensors names: how many bits each takes in the file, how it is held, and its numbers.

import { check } from "../../errors.ts";
import { bfloatToFloat, floatToBfloat, floatToHalf, halfToFloat } from "../half.ts";
import { type SmallFloat, smallFloatValues, toSmallFloat } from "../small-floats.ts";

/** The names of the element types. @see https://docs.rs/safetensors/latest/safetensors/tensor/enum.Dtype.html */
export type SafetensorsDType =
	| "F64"
	| "F32"
	| "F16"
	| "BF16"
	| "I64"
	| "U64"
	| "I32"
	| "U32"
	| "I16"
	| "U16"
	| "I8"
	| "U8"
	| "BOOL"
	| "C64"
	| "F6_E2M3"
	| "F6_E3M2"
	| "F4"
	| SmallFloat;

export type SafetensorsData =
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
	readonly name: string;
	readonly BYTES_PER_ELEMENT: number;
	new (length: number): SafetensorsData;
	new (buffer: ArrayBufferLike, at: number, length: number): SafetensorsData;
}

/** One element type. */
export interface Format {
	/** Bits that an element takes in the file. */
	readonly bits: number;
	/** The array that holds the file's bytes as they are. */
	readonly array: ArrayType;
	/** Where `array` holds bit patterns of floats: what they stand for, and back. */
	readonly float?: { readonly unpack: (bits: number) => number; readonly pack: (value: number) => number };
	/** Why evenkeel does not compute with it, where it does not: the values are passed on as they are. */
	readonly opaque?: string;
}

const small = (name: SmallFloat): Format => ({
	bits: 8,
	array: Uint8Array,
	float: { unpack: (bits) => smallFloatValues(name)[bits], pack: (value) => toSmallFloat(value, name) },
});

const packed = "the format does not say how its values are packed into bytes";

/** By falling alignment, as the format lays tensors out. */
export const formats: Readonly<Record<SafetensorsDType, Format>> = {
	F64: { bits: 64, array: Float64Array },
	I64: { bits: 64, array: BigInt64Array },
	U64: { bits: 64, array: BigUint64Array },
	C64: { bits: 64, array: Float32Array, opaque: "its numbers are complex" },
	F32: { bits: 32, array: Float32Array },
	I32: { bits: 32, array: Int32Array },
	U32: { bits: 32, array: Uint32Array },
	F16: { bits: 16, array: Uint16Array, float: { unpack: halfToFloat, pack: floatToHalf } },
	BF16: { bits: 16, array: Uint16Array, float: { unpack: bfloatToFloat, pack: floatToBfloat } },
	I16: { bits: 16, array: Int16Array },
	U16: { bits: 16, array: Uint16Array },
	F8_E4M3: small("F8_E4M3"),
	F8_E5M2: small("F8_E5M2"),
	F8_E4M3FNUZ: small("F8_E4M3FNUZ"),
	F8_E5M2FNUZ: small("F8_E5M2FNUZ"),
	F8_E8M0: small("F8_E8M0"),
	I8: { bits: 8, array: Int8Array },
	U8: { bits: 8, array: Uint8Array },
	BOOL: { bits: 8, array: Uint8Array },
	F6_E2M3: { bits: 6, array: Uint8Array, opaque: packed },
	F6_E3M2: { bits: 6, array: Uint8Array, opaque: packed },
	F4: { bits: 4, array: Uint8Array, opaque: packed },
};

/** Whether `name` is an element type of the format. */
export function isDType(name: unknown): name is SafetensorsDType {
	return typeof name === "string" && Object.hasOwn(formats, name);
}

/** How many elements a shape holds. */
export function elements(shape: readonly number[]): number {
	return shape.reduce((size, length) => size * length, 1);
}

/** The array of a type over `bytes`, without a copy if they are aligned. */
export function arrayOver(dtype: SafetensorsDType, bytes: Uint8Array): SafetensorsData {
	const { array } = formats[dtype];
	const aligned = bytes.byteOffset % array.BYTES_PER_ELEMENT === 0;
	// Not slice(): that of Node's Buffer does not copy.
	const own = aligned ? bytes : new Uint8Array(bytes);
	return new array(own.buffer, own.byteOffset, own.byteLength / array.BYTES_PER_ELEMENT);
}

/** Why evenkeel does not compute with a type, as the rest of a sentence; null if it does. */
export function problemOf(dtype: SafetensorsDType): string | null {
	const { opaque } = formats[dtype];
	return opaque === undefined
		? null
		: `is ${dtype}, with which evenkeel does not compute: ${opaque}; convert it to F32`;
}

/**
 * The numbers behind what a file holds: `data` itself, or floats of 16 and 8 bits as float32.
 *
 * @throws EvenkeelError for types that evenkeel does not compute with, naming `what`
 */
export function numbersOf(dtype: SafetensorsDType, data: SafetensorsData, what: string): SafetensorsData {
	const problem = problemOf(dtype);
	check(problem === null, `${what} ${problem}`);
	const { float } = formats[dtype];
	if (!float) return data;
	const { unpack } = float;
	const values = new Float32Array(data.length);
	for (let i = 0; i < values.length; i++) values[i] = unpack(Number(data[i]));
	return values;
}
