// safetensors: a length, a JSON header that says where each tensor lies, and the tensors, one after
// another without holes. Little-endian, as every platform that runs JavaScript is.

import { check } from "../errors.ts";
import { bytesInMemory } from "./byte-source.ts";
import {
	elements,
	type Format,
	formats,
	isDType,
	numbersOf,
	type SafetensorsData,
	type SafetensorsDType,
} from "./safetensors/dtypes.ts";
import { MAX_HEADER, readHeader } from "./safetensors/header.ts";
import { type SafetensorsTensor, StoredTensor } from "./safetensors/stored-tensor.ts";
import { quote, showShape } from "./show.ts";

export type { SafetensorsData, SafetensorsDType } from "./safetensors/dtypes.ts";
export { SafetensorsFile } from "./safetensors/file.ts";
export type { SafetensorsEntry } from "./safetensors/header.ts";
export { type SafetensorsTensor, StoredTensor, type TensorOnDisk } from "./safetensors/stored-tensor.ts";

/**
 * The bytes of a safetensors file. Tensors are listed in the order given and laid out by falling element size, so that
 * each is aligned.
 *
 * @param tensors by name
 * @param metadata strings by name, for the header's `__metadata__`
 * @throws EvenkeelError if data does not fit its shape or type
 * @see https://huggingface.co/docs/safetensors
 */
export function encodeSafetensors(
	tensors: Readonly<Record<string, SafetensorsTensor>>,
	metadata?: Readonly<Record<string, string>>,
): Uint8Array {
	const names = Object.keys(tensors);
	for (const name of names) checkPlace(name, tensors[name]);
	const offsets = new Map<string, [begin: number, end: number]>();
	let end = 0;
	for (const name of [...names].sort((a, b) => formats[tensors[b].dtype].bits - formats[tensors[a].dtype].bits)) {
		const begin = end;
		end += bytesOf(tensors[name]);
		offsets.set(name, [begin, end]);
	}
	const entries = names.map((name): [string, unknown] => {
		const { dtype, shape } = tensors[name];
		return [name, { dtype, shape, data_offsets: offsets.get(name) }];
	});
	if (metadata) entries.unshift(["__metadata__", metadata]);
	const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
	const start = 8 + Math.ceil(header.length / 8) * 8;
	check(
		start - 8 <= MAX_HEADER,
		() => `safetensors: the header takes ${start - 8} bytes, the format allows ${MAX_HEADER}`,
	);
	const bytes = new Uint8Array(start + end);
	new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
	bytes.fill(0x20, 8, start);
	bytes.set(header, 8);
	for (const [name, [begin, stop]] of offsets) write(name, tensors[name], bytes.subarray(start + begin, start + stop));
	return bytes;
}

/**
 * Reads a safetensors file. Where the alignment allows it, `data` are views of `bytes`, not copies.
 *
 * @param bytes the file
 * @param name what to call it in errors: its path
 * @throws EvenkeelError if the file breaks any of the format's rules: a header too long or of another form, a name
 *   twice, a type unknown, offsets that do not fit type and shape, or leave holes, or overlap, or end elsewhere
 *   than the file
 */
export function decodeSafetensors(
	bytes: Uint8Array,
	name = "safetensors file",
): { tensors: Record<string, StoredTensor>; metadata: Record<string, string> } {
	const { entries, metadata } = readHeader(bytesInMemory(bytes, name));
	const tensors = [...entries].map(([key, entry]): [string, StoredTensor] => [
		key,
		new StoredTensor(entry, bytes.subarray(entry.begin, entry.end), `${name}: tensor ${quote(key)}`),
	]);
	return { tensors: Object.fromEntries(tensors), metadata };
}

/**
 * The values of a tensor: its data, or what bit patterns stand for.
 *
 * @param what names the tensor in errors
 * @throws EvenkeelError for complex numbers and types that are packed
 */
export function valuesOf({ dtype, data }: SafetensorsTensor, what: string): SafetensorsData {
	return isUnpacked(data, formats[dtype]) ? data : numbersOf(dtype, data, what);
}

function bytesOf({ dtype, shape }: SafetensorsTensor): number {
	return (elements(shape) * formats[dtype].bits) / 8;
}

/** Checks what is known without the data, which may be on the disk still. */
function checkPlace(name: string, { dtype, shape }: SafetensorsTensor): void {
	const what = `safetensors: tensor ${quote(name)}`;
	check(name !== "__metadata__", `${what}: that name is the format's own; choose another`);
	check(isDType(dtype), () => `${what}: unknown type ${dtype}; there are ${Object.keys(formats).join(", ")}`);
	const { bits } = formats[dtype];
	check(
		shape.every((length) => Number.isSafeInteger(length) && length >= 0) && (elements(shape) * bits) % 8 === 0,
		() => `${what}: ${dtype} of shape ${showShape(shape)} is no whole number of bytes`,
	);
}

/** Whether `data` are values that have yet to be rounded to floats of 16 or 8 bits. */
function isUnpacked(data: unknown, { float }: Format): data is Float32Array | Float64Array {
	return float !== undefined && (data instanceof Float32Array || data instanceof Float64Array);
}

function write(name: string, tensor: SafetensorsTensor, into: Uint8Array): void {
	const { dtype, shape, data } = tensor;
	const format = formats[dtype];
	const what = `safetensors: tensor ${quote(name)}`;
	const unpacked = isUnpacked(data, format);
	check(
		unpacked || data instanceof format.array,
		() => `${what}: ${dtype} is given as ${givenAs(dtype)}, got ${data?.constructor.name}`,
	);
	const expected = unpacked ? elements(shape) : into.length / format.array.BYTES_PER_ELEMENT;
	check(
		data.length === expected,
		() => `${what}: shape ${showShape(shape)} holds ${expected} values, got ${data.length}`,
	);
	if (!unpacked) into.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
	else if (format.float) {
		const { pack } = format.float;
		const patterns = new format.array(into.buffer, into.byteOffset, data.length);
		for (let i = 0; i < data.length; i++) patterns[i] = pack(data[i]);
	}
}

function givenAs(dtype: SafetensorsDType): string {
	const { array, float } = formats[dtype];
	return float ? `${array.name} of bits, or Float32Array of values` : array.name;
}
