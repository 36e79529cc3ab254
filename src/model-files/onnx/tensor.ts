// TensorProto to and from typed arrays. The elements lie in raw data, in a field of numbers by type, or in a file
// beside the model; how many there must be follows from the dimensions, and is checked before anything is allocated.

import { clearField, create } from "@bufbuild/protobuf";
import { check } from "../../errors.ts";
import { quote, showShape } from "../show.ts";
import { dataTypeOf, type Format, formats, nameOfCode, type OnnxData, type OnnxDataType } from "./data-types.ts";
import { type TensorProto, TensorProto_DataLocation, TensorProtoSchema } from "./generated/onnx-ml_pb.ts";
import { countPacked, joinPieces, readVarints } from "./packed.ts";

/** A tensor of a model as numbers, row-major. */
export interface OnnxTensor {
	readonly type: OnnxDataType;
	readonly shape: readonly number[];
	/** Where the alignment allows it, a view of the file's bytes: read it, do not write into it. */
	readonly data: OnnxData;
}

/** The bytes of a tensor whose data lie in another file. */
export type ExternalReader = (tensor: TensorProto, byteLength: number) => Uint8Array;

/** How errors name a tensor. */
export function tensorLabel(tensor: TensorProto, what: string): string {
	return `${what}: tensor ${quote(tensor.name)}`;
}

export function isExternal(tensor: TensorProto): boolean {
	return tensor.dataLocation === TensorProto_DataLocation.EXTERNAL;
}

/**
 * The dimensions of `tensor`, as numbers.
 *
 * @throws EvenkeelError if one is negative, or their product is no exact number of bits
 */
export function shapeOf(tensor: TensorProto, what: string): number[] {
	const shape = tensor.dims.map(Number);
	check(
		tensor.dims.every((length) => length >= 0n) && Number.isSafeInteger(elements(shape) * 64),
		() =>
			`${tensorLabel(tensor, what)}: dimensions ${showShape(shape)} must be at least 0, and their product a ` +
			"possible size; the file is damaged",
	);
	return shape;
}

/** How many elements a shape holds; 0 if one length is 0, however long the others. */
export function elements(shape: readonly number[]): number {
	return shape.includes(0) ? 0 : shape.reduce((size, length) => size * length, 1);
}

/** Bytes that the elements take as raw data. */
export function rawLength({ bits }: Format, count: number): number {
	return Math.ceil((count * bits) / 8);
}

/**
 * Checks dimensions, type and how much data there is, without reading it. Tensors of types that cannot be read
 * (strings, float8) only have their dimensions checked.
 *
 * @throws EvenkeelError naming the tensor
 */
export function checkTensor(tensor: TensorProto, what: string): void {
	const count = elements(shapeOf(tensor, what));
	const type = dataTypeOf(tensor.dataType);
	if (type === undefined || isExternal(tensor)) return;
	const format = formats[type];
	const label = `${tensorLabel(tensor, what)}: ${type} ${showShape(shapeOf(tensor, what))}`;
	if (tensor.rawData.length > 0) {
		const expected = rawLength(format, count);
		check(
			tensor.rawData.length === expected,
			() => `${label} takes ${expected} bytes, it holds ${tensor.rawData.length}; the file is damaged`,
		);
		return;
	}
	const stored = countPacked(tensor[format.field], sizeInField(format));
	const expected = format.bits === 4 ? Math.ceil(count / 2) : count;
	check(stored === expected, () => `${label} takes ${expected} values, it holds ${stored}; the file is damaged`);
}

/**
 * The numbers of `tensor`.
 *
 * @param what opens error messages: the model's path
 * @param external reads data that lie in another file
 * @throws EvenkeelError if its type cannot be read, or its data do not fit its dimensions
 */
export function readTensor(tensor: TensorProto, what: string, external?: ExternalReader): OnnxTensor {
	const label = tensorLabel(tensor, what);
	const type = dataTypeOf(tensor.dataType);
	check(
		type,
		() =>
			`${label}: elements of type ${nameOfCode(tensor.dataType)} cannot be read; ` +
			`those that can are ${Object.keys(formats).join(", ")}`,
	);
	check(!tensor.segment, () => `${label}: it is one segment of a tensor, which cannot be read; store it in one piece`);
	checkTensor(tensor, what);
	const format = formats[type];
	const shape = shapeOf(tensor, what);
	const count = elements(shape);
	if (isExternal(tensor)) {
		check(
			external,
			() => `${label}: its data lie in another file, and there is none to read; read the model by its path`,
		);
		return { type, shape, data: fromRaw(external(tensor, rawLength(format, count)), format, count) };
	}
	if (tensor.rawData.length > 0) return { type, shape, data: fromRaw(tensor.rawData, format, count) };
	return { type, shape, data: fromNumbers(tensor, format, count, label) };
}

function fromRaw(bytes: Uint8Array, { bits, array, unpack }: Format, count: number): OnnxData {
	if (bits === 4) return unpackNibbles(bytes, array === Int8Array, count);
	const size = bits / 8;
	const aligned = bytes.byteOffset % size === 0;
	// Not slice(): that of Node's Buffer does not copy.
	const source = aligned ? bytes : new Uint8Array(bytes);
	if (unpack) return Float32Array.from(new Uint16Array(source.buffer, source.byteOffset, count), unpack);
	return new array(source.buffer, source.byteOffset, count);
}

/** Two elements a byte, the first in the lower half. */
function unpackNibbles(bytes: ArrayLike<number>, signed: boolean, count: number): Int8Array | Uint8Array {
	const data = signed ? new Int8Array(count) : new Uint8Array(count);
	for (let i = 0; i < count; i++) {
		const nibble = (bytes[i >> 1] >> (4 * (i & 1))) & 15;
		data[i] = signed && nibble > 7 ? nibble - 16 : nibble;
	}
	return data;
}

/** Bytes of a number in its field, 0 for base-128 numbers. */
function sizeInField({ field }: Format): number {
	if (field === "floatData") return 4;
	return field === "doubleData" ? 8 : 0;
}

function fromNumbers(tensor: TensorProto, format: Format, count: number, label: string): OnnxData {
	const { bits, array, field, unpack } = format;
	// Packed floats are what raw data are.
	if (sizeInField(format) > 0) return fromRaw(joinPieces(tensor[field]), format, count);
	if (bits === 4) {
		const bytes = new Uint8Array(Math.ceil(count / 2));
		readVarints(tensor[field], label, (low, _, i) => {
			bytes[i] = low;
		});
		return unpackNibbles(bytes, array === Int8Array, count);
	}
	const data = new array(count);
	const isBig = data instanceof BigInt64Array || data instanceof BigUint64Array;
	readVarints(tensor[field], label, (low, high, i) => {
		if (isBig) data[i] = (BigInt(high) << 32n) | BigInt(low);
		else data[i] = unpack ? unpack(low & 0xffff) : low;
	});
	return data;
}

/**
 * A TensorProto that holds `tensor` as raw data.
 *
 * @throws EvenkeelError if data do not fit shape and type
 */
export function makeTensor(name: string, tensor: OnnxTensor): TensorProto {
	const proto = create(TensorProtoSchema, { name });
	setTensor(proto, tensor);
	return proto;
}

/** Gives `proto` other contents: `data` as raw data, without a copy. Its name, documentation and metadata stay. */
export function setTensor(proto: TensorProto, { type, shape, data }: OnnxTensor): void {
	const format = formats[type];
	const what = `onnx: tensor ${quote(proto.name)}`;
	check(format, () => `${what}: unknown type ${type}; there are ${Object.keys(formats).join(", ")}`);
	check(
		data instanceof format.array,
		() => `${what}: ${type} is given as ${format.array.name}, got ${data?.constructor.name}`,
	);
	check(
		shape.every((length) => Number.isSafeInteger(length) && length >= 0) && elements(shape) === data.length,
		() => `${what}: shape [${shape.join(", ")}] holds ${elements(shape)} values, got ${data.length}`,
	);
	proto.dims = shape.map(BigInt);
	proto.dataType = format.code;
	proto.segment = undefined;
	proto.floatData = [];
	proto.doubleData = [];
	proto.int32Data = [];
	proto.int64Data = [];
	proto.uint64Data = [];
	proto.stringData = [];
	proto.externalData = [];
	clearField(proto, TensorProtoSchema.field.dataLocation);
	proto.rawData = toRaw(data, format);
}

function toRaw(data: OnnxData, { bits, pack }: Format): Uint8Array {
	if (pack) return new Uint8Array(Uint16Array.from(data as Float32Array, pack).buffer);
	if (bits !== 4) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
	const bytes = new Uint8Array(Math.ceil(data.length / 2));
	for (let i = 0; i < data.length; i++) bytes[i >> 1] |= (Number(data[i]) & 15) << (4 * (i & 1));
	return bytes;
}
