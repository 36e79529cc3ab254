// An ONNX model: the decoded file, and where it came from, since data may lie beside it.

import { clone, create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { check, EvenkeelError } from "../../errors.ts";
import { messageOf, needNodeModule } from "../../node.ts";
import { copyFileAtomic, writeFileAtomic } from "../atomic-write.ts";
import { canonicalDomain, checkModel } from "./check.ts";
import { externalLocation, externalPath, readExternal } from "./external-data.ts";
import {
	type GraphProto,
	GraphProtoSchema,
	type ModelProto,
	ModelProtoSchema,
	type TensorProto,
} from "./generated/onnx-ml_pb.ts";
import { checkWire } from "./scan.ts";
import { isExternal, type OnnxTensor, readTensor, setTensor, tensorLabel } from "./tensor.ts";
import { allTensors } from "./walk.ts";

/** What no protobuf message may exceed. */
const MAX_BYTES = 2 ** 31 - 1;

/** A model as it stood in a file. `proto` is all of it: change it in place, then {@link writeOnnx}. */
export class OnnxModel {
	readonly proto: ModelProto;
	/** What to call it in errors: its path. */
	readonly name: string;
	/** Where data outside of the file lie; null if it did not come from a file. */
	readonly folder: string | null;

	constructor(
		proto: ModelProto,
		{ name = "ONNX model", folder = null }: { name?: string; folder?: string | null } = {},
	) {
		this.proto = proto;
		this.name = name;
		this.folder = folder;
	}

	/** The main graph. */
	get graph(): GraphProto {
		this.proto.graph ??= create(GraphProtoSchema);
		return this.proto.graph;
	}

	/** The version of the operators of `domain` ("" for ONNX's own); 0 if the model does not import them. */
	opset(domain = ""): number {
		const wanted = canonicalDomain(domain);
		const found = this.proto.opsetImport.find((entry) => canonicalDomain(entry.domain) === wanted);
		return found ? Number(found.version) : 0;
	}

	/**
	 * The numbers of one of the model's tensors, wherever they lie. Those in another file are read anew each time.
	 *
	 * @throws EvenkeelError if its type cannot be read, or its data are not there or do not fit
	 */
	read(tensor: TensorProto): OnnxTensor {
		const { folder, name } = this;
		if (folder === null) return readTensor(tensor, name);
		return readTensor(tensor, name, (external, byteLength) => readExternal(folder, external, byteLength, name));
	}

	/** The tensors whose data lie in other files. */
	externalTensors(): TensorProto[] {
		return [...allTensors(this.proto)].filter(isExternal);
	}

	/** Takes all data that lie in other files into the model. Returns how many tensors there were. */
	inlineExternalData(): number {
		const tensors = this.externalTensors();
		for (const tensor of tensors) setTensor(tensor, this.read(tensor));
		return tensors.length;
	}

	/** A copy of all of it, unknown fields included, that can be changed without this one changing. */
	copy(): OnnxModel {
		return new OnnxModel(clone(ModelProtoSchema, this.proto), this);
	}

	/** Checks the model as {@link readOnnx} does: after changes, before writing. */
	check(): void {
		checkModel(this.proto, this.name);
	}
}

export interface ReadOnnxOptions {
	/** What to call the model in errors. Default: its path, or "ONNX model". */
	name?: string;
	/** The folder in which data outside of the file lie. Default: that of the path; for bytes none. */
	folder?: string;
	/** Bytes that the decoded objects may take in memory. Default: the larger of 64 MiB and twice the file's size. */
	memoryLimit?: number;
}

/**
 * Decodes the bytes of an .onnx file. Raw data of tensors are views of `bytes`; unknown fields are kept.
 *
 * @throws EvenkeelError if it is none, is cut short, nests too deep, takes too much memory, has names twice, reads
 *   what nothing makes, has nodes in a circle, or tensors whose data do not fit their dimensions
 * @see https://onnx.ai/onnx/repo-docs/IR.html
 */
export function decodeOnnx(bytes: Uint8Array, options: ReadOnnxOptions = {}): OnnxModel {
	const { name = "ONNX model", folder = null, memoryLimit } = options;
	checkWire(ModelProtoSchema, bytes, name, memoryLimit);
	let proto: ModelProto;
	try {
		proto = fromBinary(ModelProtoSchema, bytes);
	} catch (error) {
		throw new EvenkeelError(`${name}: not an ONNX model, or a damaged one: ${messageOf(error)}`);
	}
	checkModel(proto, name);
	return new OnnxModel(proto, { name, folder });
}

/** Reads an .onnx file, by its path or from its bytes, as {@link decodeOnnx} does. */
export async function readOnnx(source: string | Uint8Array, options: ReadOnnxOptions = {}): Promise<OnnxModel> {
	if (typeof source !== "string") return decodeOnnx(source, options);
	const { promises: fs } = needNodeModule("node:fs", "readOnnx");
	const { dirname } = needNodeModule("node:path", "readOnnx");
	let bytes: Uint8Array;
	try {
		const { size } = await fs.stat(source);
		check(
			size <= MAX_BYTES,
			() => `${source}: ${size} bytes, an .onnx file has at most ${MAX_BYTES}; keep its tensors as external data`,
		);
		bytes = await fs.readFile(source);
	} catch (error) {
		if (error instanceof EvenkeelError) throw error;
		throw new EvenkeelError(`${source}: it cannot be read: ${messageOf(error)}`);
	}
	return decodeOnnx(bytes, { name: source, folder: dirname(source), ...options });
}

/**
 * The bytes of an .onnx file: what was read and not changed comes out as it was, unknown fields included. Fields are
 * written in the order of their numbers, as every protobuf library does.
 *
 * @throws EvenkeelError if it would exceed the 2 GiB of a protobuf message
 */
export function encodeOnnx(model: OnnxModel): Uint8Array {
	let raw = 0;
	for (const { rawData } of allTensors(model.proto)) raw += rawData.length;
	check(
		raw <= MAX_BYTES,
		() => `${model.name}: its tensors take ${raw} bytes, an .onnx file holds at most ${MAX_BYTES}`,
	);
	return toBinary(ModelProtoSchema, model.proto);
}

export interface WriteOnnxOptions {
	/**
	 * Data that lie in other files: `"keep"` (default) leaves them there, and copies those files beside the new model
	 * if that lies in another folder; `"inline"` takes the data into the model.
	 */
	externalData?: "keep" | "inline";
}

/**
 * Writes a model, all or nothing: a failure leaves what was there.
 *
 * @throws EvenkeelError if it cannot be written, exceeds 2 GiB, or if a file of external data would replace another
 */
export async function writeOnnx(path: string, model: OnnxModel, options: WriteOnnxOptions = {}): Promise<void> {
	if (options.externalData === "inline") model.inlineExternalData();
	const bytes = encodeOnnx(model);
	await copyExternalFiles(path, model);
	await writeFileAtomic(path, bytes);
}

/** Copies the files that `model` refers to into the folder of `path`. */
async function copyExternalFiles(path: string, model: OnnxModel): Promise<void> {
	const tensors = new Map(
		model.externalTensors().map((tensor) => [externalLocation(tensor, model.name).location, tensor]),
	);
	if (tensors.size === 0) return;
	const { folder } = model;
	check(folder !== null, () => `${model.name}: data lie in other files; give readOnnx their folder, { folder }`);
	const { promises: fs } = needNodeModule("node:fs", "writeOnnx");
	const { dirname, join } = needNodeModule("node:path", "writeOnnx");
	for (const [location, tensor] of tensors) {
		const from = externalPath(folder, location, tensorLabel(tensor, model.name));
		const to = join(dirname(path), location.replaceAll("\\", "/"));
		const there = await fs.realpath(to).catch(() => null);
		if (there === from) continue;
		if (there !== null) {
			const same = await sameContents(from, there);
			check(
				same,
				() => `${to}: exists with other contents; write into another folder, or with { externalData: "inline" }`,
			);
			continue;
		}
		await fs.mkdir(dirname(to), { recursive: true });
		await copyFileAtomic(from, to);
	}
}

/** Whether two files hold the same bytes. */
async function sameContents(a: string, b: string): Promise<boolean> {
	const { promises: fs } = needNodeModule("node:fs", "writeOnnx");
	const files = await Promise.all([fs.open(a), fs.open(b)]);
	try {
		const [{ size }, other] = await Promise.all(files.map((file) => file.stat()));
		if (size !== other.size) return false;
		const blocks = files.map(() => new Uint8Array(2 ** 20));
		for (let at = 0; at < size; at += blocks[0].length) {
			const read = await Promise.all(files.map((file, i) => file.read(blocks[i], 0, blocks[i].length, at)));
			const [first, second] = read.map(({ bytesRead, buffer }) => buffer.subarray(0, bytesRead));
			if (first.length !== second.length || first.some((byte, i) => byte !== second[i])) return false;
		}
		return true;
	} finally {
		await Promise.all(files.map((file) => file.close()));
	}
}
