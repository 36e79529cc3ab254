// The worker that reads models: files are large, and the page must go on. It asks nobody for anything.

import { EvenkeelError, init, inspectionHtml, inspectionPage, inspectionStyle } from "evenkeel";
import type { ByteSource } from "../../../../src/model-files/byte-source.ts";
import { readModel } from "./read-model.ts";

/** What the page is told of a file. */
export type Outcome =
	| { readonly html: string; readonly style: string; readonly page: string }
	| { readonly failure: string };

/** Workers have it; the types of pages do not. */
declare class FileReaderSync {
	readAsArrayBuffer(part: Blob): ArrayBuffer;
}

const ready = init({ threads: 1 });
// From here on nothing is fetched any more.
void ready.then(() => postMessage("ready"));

addEventListener("message", async ({ data: { id, file } }: MessageEvent<{ id: number; file: File }>) => {
	postMessage({ id, outcome: await inspect(file) });
});

async function inspect(file: File): Promise<Outcome> {
	try {
		await ready;
		const inspection = await readModel(sourceOf(file));
		return { html: inspectionHtml(inspection), style: inspectionStyle, page: inspectionPage(inspection) };
	} catch (error) {
		if (error instanceof EvenkeelError) return { failure: oneLine(error.message) };
		return { failure: oneLine(`${file.name}: it cannot be read: ${error instanceof Error ? error.message : error}`) };
	}
}

/** A file of the user's, of which only what is asked for is read. */
function sourceOf(file: File): ByteSource {
	const reader = new FileReaderSync();
	return {
		name: file.name,
		size: file.size,
		read: (begin, end) => new Uint8Array(reader.readAsArrayBuffer(file.slice(begin, end))),
	};
}

function oneLine(message: string): string {
	return message.replace(/\s*\n\s*/g, " ");
}
