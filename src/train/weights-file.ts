// A network's weights as a safetensors file that PyTorch loads as it is: its names, its types, nothing else.

import { EvenkeelError } from "../errors.ts";
import { writeFileAtomicSync } from "../model-files/atomic-write.ts";
import { checkFits, rounded } from "../model-files/fits.ts";
import { encodeSafetensors, type SafetensorsTensor, valuesOf } from "../model-files/safetensors.ts";
import type { Module } from "../nn/module.ts";
import { messageOf, needNodeModule } from "../node.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** The types that weights are written in, by the names of `--dtype`. */
export const weightTypes = { f32: "F32", f16: "F16", bf16: "BF16" } as const;

/** How weights are written. */
export interface WeightsOptions {
	/** The type of floating tensors. Default: what they are, float32. */
	dtype?: keyof typeof weightTypes;
	/** Entries for the file's metadata, beside `format: "pt"`. */
	metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes the network's parameters and buffers to `file`, in one piece, as safetensors with PyTorch's names and types:
 *
 *     net.load_state_dict(safetensors.torch.load_file("model.safetensors"))
 *
 * @throws EvenkeelError if a value does not fit the type, or the file cannot be written; a file that was there is kept
 */
export function saveWeights(net: Module, file: string, options: WeightsOptions = {}): void {
	scope(() => {
		const { basename, dirname } = needNodeModule("node:path", "saveWeights");
		const state = Object.entries(net.stateDict()).map(([name, tensor]) => [name, entryOf(tensor)]);
		writeFileIn(dirname(file), basename(file), encodeWeights(Object.fromEntries(state), options));
	});
}

/**
 * The bytes of such a file: floating tensors as `dtype`, counts in 64 bits as PyTorch has them, and the metadata that
 * says so to Python's libraries.
 *
 * @throws EvenkeelError naming the first value that is finite and too large for `dtype`
 */
export function encodeWeights(
	tensors: Readonly<Record<string, SafetensorsTensor>>,
	{ dtype, metadata }: WeightsOptions = {},
): Uint8Array {
	const entries = Object.entries(tensors).map(([name, tensor]) => [name, convert(name, tensor, dtype)]);
	return encodeSafetensors(Object.fromEntries(entries), { ...metadata, format: "pt" });
}

function convert(name: string, tensor: SafetensorsTensor, wanted: WeightsOptions["dtype"]): SafetensorsTensor {
	const { dtype, shape } = tensor;
	if (dtype === "I32" && name.endsWith("num_batches_tracked")) {
		return { dtype: "I64", shape, data: BigInt64Array.from(Array.from(tensor.data, BigInt)) };
	}
	const isFloat = dtype === "F64" || dtype === "F32" || dtype === "F16" || dtype === "BF16";
	if (wanted === undefined || !isFloat || weightTypes[wanted] === dtype) return tensor;
	const values = valuesOf(tensor, `"${name}"`);
	if (!(values instanceof Float32Array || values instanceof Float64Array)) return tensor;
	const remedy = `take ${wanted === "f16" ? "bf16 or f32" : "another type"}`;
	checkFits(`"${name}"`, values, wanted, rounded[wanted], remedy);
	const held = wanted === "f32" && values instanceof Float64Array ? Float32Array.from(values) : values;
	return { dtype: weightTypes[wanted], shape, data: held };
}

/** Writes a file in one piece into a folder, which is made if need be. */
export function writeFileIn(dir: string, file: string, bytes: Uint8Array): void {
	const { join } = needNodeModule("node:path", "writing a file");
	try {
		needNodeModule("node:fs", "writing a file").mkdirSync(dir, { recursive: true });
	} catch (error) {
		throw new EvenkeelError(`${dir}: the folder cannot be made: ${messageOf(error)}`);
	}
	writeFileAtomicSync(join(dir, file), bytes);
}

/** The tensor as a file holds it: a view, valid until the next tensor is made. */
export function entryOf(of: Tensor): SafetensorsTensor {
	const data = of.view().subarray(0, of.size);
	const dtype = { float32: "F32", float64: "F64", int32: "I32", uint8: "U8" } as const;
	return { dtype: dtype[of.dtype], shape: of.shape, data };
}
