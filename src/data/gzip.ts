// Undoing gzip, with what each platform brings along.

import { EvenkeelError } from "../errors.ts";
import { messageOf, nodeModule } from "../node.ts";

/** True if `bytes` begin as a gzip file does. */
export function isGzip(bytes: Uint8Array): boolean {
	return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * The bytes that were gzip'ed, by Node's zlib or the browser's DecompressionStream.
 *
 * @throws EvenkeelError naming the file `name` if it is damaged or cut short
 */
export async function gunzip(bytes: Uint8Array, name: string): Promise<Uint8Array> {
	try {
		const zlib = nodeModule("node:zlib");
		if (!zlib) return await decompress(bytes);
		const { buffer, byteOffset, byteLength } = zlib.gunzipSync(bytes);
		return new Uint8Array(buffer, byteOffset, byteLength);
	} catch (error) {
		throw new EvenkeelError(
			`${name}: the gzip file is damaged or cut short after ${bytes.length} bytes (${messageOf(error)}); ` +
				"fetch or copy the file again",
		);
	}
}

/** As Node's gunzip, for platforms without it. Exported for its test. */
export async function decompress(bytes: Uint8Array): Promise<Uint8Array> {
	const packed = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
	const unpacked = packed.pipeThrough(new DecompressionStream("gzip"));
	return new Uint8Array(await new Response(unpacked).arrayBuffer());
}
