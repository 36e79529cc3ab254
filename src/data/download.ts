// Fetching a file so that nothing half done is ever taken for whole: into FILE.part, which a later
// attempt takes up where it ended, verified, then renamed.

import { EvenkeelError } from "../errors.ts";
import { messageOf, needNodeModule, systemErrorCode } from "../node.ts";

/** The file could not be had: no network, no such file there, or no place to put it. */
export class DownloadError extends EvenkeelError {
	override name = "DownloadError";
}

/** How far a download is. */
export interface DownloadProgress {
	/** The file's name. */
	file: string;
	/** Bytes on disk. */
	received: number;
	/** Bytes in all, or null if the server does not say. */
	total: number | null;
}

export interface DownloadOptions {
	/** Milliseconds to wait for the server's first answer. Default 5,000. */
	timeout?: number;
	/** Milliseconds to wait for the next piece. Default 15,000. */
	stall?: number;
	onProgress?: (progress: DownloadProgress) => void;
	/** Throws if the bytes are not those expected. */
	verify?: (bytes: Uint8Array) => void | Promise<void>;
}

/** Attempts that each bring some bytes before the connection is cut. */
const ATTEMPTS = 5;

/**
 * Downloads `url` to `path`. What an earlier attempt left in `path.part` is kept and the rest asked for with Range; a
 * connection that is cut is taken up again while it brings bytes. Resolves to the file's bytes.
 *
 * @throws DownloadError if the file cannot be had or written; `path.part` stays for the next attempt
 * @throws what `verify` throws; `path.part` is removed then
 */
export async function download(url: string, path: string, options: DownloadOptions = {}): Promise<Uint8Array> {
	const fs = needNodeModule("node:fs", "download");
	const { dirname } = needNodeModule("node:path", "download");
	const part = `${path}.part`;
	writing(path, () => fs.mkdirSync(dirname(path), { recursive: true }));
	for (let fresh = false; ; fresh = true) {
		if (fresh) fs.rmSync(part, { force: true });
		const resumed = sizeOfFile(part) > 0;
		await fetchAll(url, part, options);
		const bytes = fs.readFileSync(part);
		try {
			await options.verify?.(bytes);
		} catch (error) {
			// The piece that was already here may be to blame: once more, from the start.
			if (resumed) continue;
			fs.rmSync(part, { force: true });
			throw error;
		}
		writing(path, () => fs.renameSync(part, path));
		return bytes;
	}
}

async function fetchAll(url: string, part: string, options: DownloadOptions): Promise<void> {
	for (let attempt = 1; ; attempt++) {
		const before = sizeOfFile(part);
		try {
			return await fetchRest(url, part, options);
		} catch (error) {
			if (error instanceof EvenkeelError) throw error;
			const brought = sizeOfFile(part) > before;
			if (!brought || attempt === ATTEMPTS) throw new DownloadError(`${url}: ${reason(error)}`);
		}
	}
}

/** Asks for what is missing from `part` and appends it. */
async function fetchRest(url: string, part: string, options: DownloadOptions): Promise<void> {
	const watch = watchdog();
	try {
		const have = sizeOfFile(part);
		watch.expect("the server did not answer", options.timeout ?? 5000);
		const headers: Record<string, string> = { "accept-encoding": "identity" };
		if (have > 0) headers.range = `bytes=${have}-`;
		const response = await fetch(url, { headers, signal: watch.signal });
		const { start, total } = whatComes(url, response, have);
		if (start === null) {
			needNodeModule("node:fs", "download").rmSync(part);
			return await fetchRest(url, part, options);
		}
		if (start === total) return void (await response.body?.cancel());
		await append(response, part, start, total, options, watch);
	} finally {
		watch.stop();
	}
}

/**
 * Where the answer's first byte belongs, and how many bytes the whole file has. A start of null: what is here cannot be
 * the beginning of that file.
 */
function whatComes(url: string, response: Response, have: number): { start: number | null; total: number | null } {
	const range = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "");
	if (response.status === 206 && range && Number(range[1]) === have) {
		return { start: have, total: range[2] === "*" ? null : Number(range[2]) };
	}
	if (response.status === 416 && have > 0) {
		return { start: range && Number(range[2]) === have ? have : null, total: have };
	}
	if (response.status !== 200) {
		throw new DownloadError(`${url}: the server answered ${response.status} ${response.statusText}`.trimEnd());
	}
	const length = response.headers.get("content-length");
	return { start: 0, total: length === null ? null : Number(length) };
}

async function append(
	response: Response,
	part: string,
	start: number,
	total: number | null,
	options: DownloadOptions,
	watch: Watchdog,
): Promise<void> {
	const fs = needNodeModule("node:fs", "download");
	const { basename } = needNodeModule("node:path", "download");
	const file = basename(part, ".part");
	const handle = writing(part, () => fs.openSync(part, start > 0 ? "a" : "w"));
	try {
		let received = start;
		options.onProgress?.({ file, received, total });
		for await (const chunk of pieces(response, watch, options.stall ?? 15_000)) {
			writing(part, () => writeAll(handle, chunk));
			received += chunk.length;
			options.onProgress?.({ file, received, total });
		}
		if (total !== null && received < total)
			throw new Error(`the connection was cut after ${received} of ${total} bytes`);
		writing(part, () => fs.fsyncSync(handle));
	} finally {
		fs.closeSync(handle);
	}
}

async function* pieces(response: Response, watch: Watchdog, stall: number): AsyncGenerator<Uint8Array> {
	const reader = response.body?.getReader();
	if (!reader) return;
	for (;;) {
		watch.expect("the connection went silent", stall);
		const { done, value } = await reader.read();
		if (done) return;
		yield value;
	}
}

function writeAll(handle: number, bytes: Uint8Array): void {
	const fs = needNodeModule("node:fs", "download");
	for (let at = 0; at < bytes.length; ) at += fs.writeSync(handle, bytes, at);
}

interface Watchdog {
	readonly signal: AbortSignal;
	/** Aborts unless called again, or stopped, within `milliseconds`. */
	expect(what: string, milliseconds: number): void;
	stop(): void;
}

function watchdog(): Watchdog {
	const controller = new AbortController();
	let timer: ReturnType<typeof setTimeout> | undefined;
	return {
		signal: controller.signal,
		expect(what, milliseconds) {
			clearTimeout(timer);
			timer = setTimeout(() => controller.abort(new Error(`${what} for ${milliseconds / 1000} s`)), milliseconds);
		},
		stop: () => clearTimeout(timer),
	};
}

/** Runs `fn`, whose failure is the disk's. */
function writing<T>(path: string, fn: () => T): T {
	try {
		return fn();
	} catch (error) {
		throw new DownloadError(`${path}: it cannot be written (${messageOf(error)})`);
	}
}

function sizeOfFile(path: string): number {
	return needNodeModule("node:fs", "download").statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

const explanations: Record<string, string> = {
	ECONNREFUSED: "connection refused",
	ECONNRESET: "the connection was cut",
	UND_ERR_SOCKET: "the connection was cut",
	ENOTFOUND: "no such server, or no network",
	EAI_AGAIN: "no network: the server's address could not be looked up",
	ENETUNREACH: "no network",
	EHOSTUNREACH: "no way to the server",
	ETIMEDOUT: "the server did not answer",
	UND_ERR_CONNECT_TIMEOUT: "the server did not answer",
};

/** What fetch means by "fetch failed": its cause. */
function reason(error: unknown): string {
	const cause = error instanceof Error && error.cause ? error.cause : error;
	return explanations[systemErrorCode(cause)] ?? messageOf(cause);
}
