// Tensors whose data lie in a file of their own, beside the model. A model may come from anyone, so the file it names
// must lie in the model's own folder: no absolute path, no `..`, and no link that leads out of it.
//
// Source: https://onnx.ai/onnx/repo-docs/ExternalData.html

import { check, EvenkeelError } from "../../errors.ts";
import { messageOf, needNodeModule } from "../../node.ts";
import type { TensorProto } from "./generated/onnx-ml_pb.ts";
import { tensorLabel } from "./tensor.ts";

/** Where a tensor's data lie. */
export interface ExternalLocation {
	/** Path relative to the model's folder, as the model has it. */
	location: string;
	/** Bytes from the file's start. */
	offset: number;
	/** Bytes, or null for all to the file's end. */
	length: number | null;
}

/**
 * What the model says of where a tensor's data lie.
 *
 * @throws EvenkeelError if the path leads out of the model's folder, or a number is none
 */
export function externalLocation(tensor: TensorProto, what: string): ExternalLocation {
	const label = tensorLabel(tensor, what);
	const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value]));
	const location = entries.get("location") ?? "";
	const parts = location.split(/[/\\]/);
	check(
		location !== "" && !location.includes("\0") && parts[0] !== "" && !/^[A-Za-z]:/.test(location),
		() => `${label}: its data must lie in a file with a relative path, got ${JSON.stringify(location)}`,
	);
	check(
		!parts.includes(".."),
		() =>
			`${label}: its data would lie outside of the model's folder, at ${JSON.stringify(location)}; move them into it`,
	);
	const offset = wholeNumber(entries.get("offset") ?? "0", "offset", label);
	const length = entries.get("length");
	return { location, offset, length: length === undefined ? null : wholeNumber(length, "length", label) };
}

function wholeNumber(text: string, key: string, label: string): number {
	check(
		/^\d+$/.test(text) && Number.isSafeInteger(Number(text)),
		() => `${label}: ${key} of its external data must be a whole number, got ${JSON.stringify(text)}`,
	);
	return Number(text);
}

/**
 * The path of the file that `location` names, links resolved.
 *
 * @throws EvenkeelError if it is not there, no regular file, or lies outside of `folder`
 */
export function externalPath(folder: string, location: string, label: string): string {
	const fs = needNodeModule("node:fs", "readOnnx");
	const path = needNodeModule("node:path", "readOnnx");
	const given = path.join(folder, location.replaceAll("\\", "/"));
	try {
		const real = fs.realpathSync(given);
		const root = fs.realpathSync(folder);
		check(
			real.startsWith(root.endsWith(path.sep) ? root : root + path.sep),
			() => `${label}: its data lie outside of the model's folder, at ${real}; move them into it`,
		);
		check(fs.statSync(real).isFile(), () => `${label}: ${given}, where its data should lie, is not a file`);
		return real;
	} catch (error) {
		if (error instanceof EvenkeelError) throw error;
		throw new EvenkeelError(`${label}: its data cannot be read from ${given}: ${messageOf(error)}`);
	}
}

/**
 * Reads the data of `tensor`, of which there must be `byteLength` bytes.
 *
 * @throws EvenkeelError if the file is not there or too short, or the length is another
 */
export function readExternal(folder: string, tensor: TensorProto, byteLength: number, what: string): Uint8Array {
	const label = tensorLabel(tensor, what);
	const { location, offset, length } = externalLocation(tensor, what);
	const real = externalPath(folder, location, label);
	const fs = needNodeModule("node:fs", "readOnnx");
	const { size } = fs.statSync(real);
	check(
		(length ?? size - offset) === byteLength,
		() => `${label}: its dimensions take ${byteLength} bytes, its external data are ${length ?? size - offset}`,
	);
	check(
		offset + byteLength <= size,
		() => `${label}: its data would end at byte ${offset + byteLength} of ${real}, which has ${size}; copy it again`,
	);
	const bytes = new Uint8Array(byteLength);
	const file = fs.openSync(real, "r");
	try {
		let at = 0;
		while (at < byteLength) {
			const read = fs.readSync(file, bytes, at, Math.min(byteLength - at, 2 ** 30), offset + at);
			check(read > 0, () => `${label}: ${real} became shorter while it was read`);
			at += read;
		}
	} finally {
		fs.closeSync(file);
	}
	return bytes;
}
