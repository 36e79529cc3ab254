// The formats that networks are exported to, by the extension of the file. One that joins adds its line here.

import { extname } from "node:path";
import type { WeightsOptions } from "../../train/index.ts";
import { checkUsage } from "../errors.ts";
import { onnxFormat } from "./onnx.ts";
import { safetensorsFormat } from "./safetensors.ts";
import type { ExportSource } from "./source.ts";

/** What was asked for beyond the file. */
export interface ExportOptions {
	readonly dtype?: WeightsOptions["dtype"];
	/** Of ONNX: the version of its operators. */
	readonly opset?: number;
	/** Entries for the file's metadata. */
	readonly metadata?: Readonly<Record<string, string>>;
}

/** What was written. */
export interface ExportResult {
	readonly tensors: number;
	/** Values in all of them. */
	readonly values: number;
	/** Of the file. */
	readonly bytes: number;
	/** Of ONNX: the version of its operators. */
	readonly opset?: number;
	/** How to go on from here: a line for people. */
	readonly hint: string;
}

/** A file format that networks are exported to. */
export interface ExportFormat {
	/** With the dot, in lower case. */
	readonly extension: string;
	readonly name: string;
	/** Writes `source` to the file `out`, in one piece. */
	write(source: ExportSource, out: string, options: ExportOptions): Promise<ExportResult>;
}

export const exportFormats: readonly ExportFormat[] = [safetensorsFormat, onnxFormat];

/** The format of the file `out`. */
export function formatOf(out: string): ExportFormat {
	const extension = extname(out).toLowerCase();
	const format = exportFormats.find((candidate) => candidate.extension === extension);
	checkUsage(
		format,
		() =>
			`${out}: it is written in the format that its extension names: ${exportFormats.map((known) => known.extension).join(", ")}`,
	);
	return format;
}
