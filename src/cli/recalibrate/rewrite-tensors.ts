// A safetensors file with other numbers for some of its tensors.

import { writeFileAtomicSync } from "../../model-files/atomic-write.ts";
import { checkFits } from "../../model-files/fits.ts";
import { formats } from "../../model-files/safetensors/dtypes.ts";
import { encodeSafetensors, SafetensorsFile, type SafetensorsTensor } from "../../model-files/safetensors.ts";

/**
 * Writes the tensors and metadata of the file `from` to `to`, which may be the same. Those in `changed` get other values,
 * in the type they have; names that the file does not hold are left out.
 *
 * @throws EvenkeelError if a value is too large for the type; nothing is written then
 */
export function rewriteTensors(from: string, to: string, changed: ReadonlyMap<string, ArrayLike<number>>): void {
	let bytes: Uint8Array;
	{
		using file = new SafetensorsFile(from);
		const entries = Object.entries(file.tensors()).map(([name, tensor]): [string, SafetensorsTensor] => {
			const values = changed.get(name);
			if (values) checkFit(from, name, tensor, values);
			return [name, values ? withValues(tensor, values) : tensor];
		});
		bytes = encodeSafetensors(Object.fromEntries(entries), file.metadata);
	}
	writeFileAtomicSync(to, bytes);
}

function checkFit(file: string, name: string, { dtype }: SafetensorsTensor, values: ArrayLike<number>): void {
	const { float } = formats[dtype];
	if (!float) return;
	checkFits(
		`${file}: "${name}" now`,
		values,
		dtype,
		(value) => float.unpack(float.pack(value)),
		"write the weights as F32 first, with evenkeel export --dtype f32",
	);
}

function withValues({ dtype, shape }: SafetensorsTensor, values: ArrayLike<number>): SafetensorsTensor {
	if (dtype === "I64") return { dtype, shape, data: BigInt64Array.from(Array.from(values, BigInt)) };
	if (dtype === "I32") return { dtype, shape, data: Int32Array.from(values) };
	// Floats of 16 and 8 bits are rounded when they are written.
	return { dtype, shape, data: dtype === "F64" ? Float64Array.from(values) : Float32Array.from(values) };
}
