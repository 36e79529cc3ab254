// A file of weights with one convolution and one batch norm, made on the spot.

import { encodeSafetensors } from "../../../src/model-files/safetensors.ts";

const ramp = (length: number, value = 1) => ({
	dtype: "F32" as const,
	shape: [length],
	data: Float32Array.from({ length }, (_, i) => value * (1 + i / 10)),
});

/** The bytes of a .safetensors file whose `bn1` has eight channels. */
export function weightsOfOneNorm(): Uint8Array {
	return encodeSafetensors({
		"conv.weight": { dtype: "F32", shape: [8, 1, 3, 3], data: new Float32Array(72) },
		"bn1.weight": ramp(8),
		"bn1.bias": ramp(8, 0.5),
		"bn1.running_mean": ramp(8, -2),
		"bn1.running_var": ramp(8, 3),
	});
}
