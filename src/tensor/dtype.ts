// Element types. A backend computes in one floating type: float32 on wasm, float64 on reference.
// Asking for "float32" or "float64" is asking for a floating tensor; the backend decides which.

import { check } from "../errors.ts";

export type DType = "float32" | "float64" | "int32" | "uint8";
export type FloatDType = "float32" | "float64";
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array;

export const bytesPerElement: Record<DType, number> = { float32: 4, float64: 8, int32: 4, uint8: 1 };

export const arrayTypes = {
	float32: Float32Array,
	float64: Float64Array,
	int32: Int32Array,
	uint8: Uint8Array,
} as const;

/** @throws EvenkeelError if there is no such element type */
export function checkDType(dtype: string, what: string): asserts dtype is DType {
	check(
		Object.hasOwn(arrayTypes, dtype),
		() => `${what}: dtype is one of ${Object.keys(arrayTypes).join(", ")}, got ${JSON.stringify(dtype)}`,
	);
}

export function isFloat(dtype: DType): dtype is FloatDType {
	return dtype === "float32" || dtype === "float64";
}
