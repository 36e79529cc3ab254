// The server of `evenkeel lab`: files of a folder, and the data that the page fetches, under the headers that let a page
// share memory between its workers.

import { readFile, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize, sep } from "node:path";
import { EvenkeelError } from "../../errors.ts";
import { messageOf, systemErrorCode } from "../../node.ts";
import { labDataFile } from "./data-files.ts";

const types: Readonly<Record<string, string>> = {
	".html": "text/html; charset=utf-8",
	".css": "text/css; charset=utf-8",
	".js": "text/javascript; charset=utf-8",
	".mjs": "text/javascript; charset=utf-8",
	".json": "application/json",
	".svg": "image/svg+xml",
	".png": "image/png",
	".wasm": "application/wasm",
	".gz": "application/gzip",
};

/**
 * Under these the page is cross-origin isolated, and may fetch from this server only.
 */
export const labHeaders: Readonly<Record<string, string>> = {
	"Cross-Origin-Opener-Policy": "same-origin",
	"Cross-Origin-Embedder-Policy": "require-corp",
	"Cross-Origin-Resource-Policy": "same-origin",
	"X-Content-Type-Options": "nosniff",
};

export interface LabServerOptions {
	/** The folder with the page. */
	folder: string;
	/** 0 for any that is free. */
	port: number;
	/** The address to listen at: `127.0.0.1` for this machine alone. */
	host: string;
}

/** A server that runs. */
export interface LabServer {
	/** Where the page is, `http://localhost:4173/`. */
	readonly url: string;
	close(): Promise<void>;
}

/**
 * Starts the server.
 *
 * @throws EvenkeelError if the port is taken or may not be used
 */
export async function serveLab({ folder, port, host }: LabServerOptions): Promise<LabServer> {
	const server = createServer((request, response) => {
		answer(folder, request, response).catch(() => response.destroy());
	});
	await new Promise<void>((resolve, reject) => {
		server.once("error", (error) => reject(new EvenkeelError(whyNotListening(error, port, host))));
		server.listen(port, host, resolve);
	});
	const address = server.address() as AddressInfo;
	const name = host === "127.0.0.1" || host === "0.0.0.0" || host === "::" ? "localhost" : host;
	return {
		url: `http://${name.includes(":") ? `[${name}]` : name}:${address.port}/`,
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			}),
	};
}

function whyNotListening(error: Error, port: number, host: string): string {
	const code = systemErrorCode(error);
	if (code === "EADDRINUSE")
		return `port ${port} is in use; choose another with --port, or --port 0 for any that is free`;
	if (code === "EACCES") return `port ${port} may not be used by you; choose one above 1023 with --port`;
	return `the server cannot listen at ${host}:${port} (${messageOf(error)})`;
}

async function answer(folder: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
	if (request.method !== "GET" && request.method !== "HEAD") return finish(response, 405);
	const path = pathOf(request);
	if (path === null) return finish(response, 400);
	const data = labDataFile(path);
	const body = data ? { bytes: data.read(), type: data.type } : await pageFile(folder, path);
	if (!body) return finish(response, 404);
	// Names with a hash never change what they hold; the rest is asked for again.
	const isHashed = path.startsWith("assets/");
	response.writeHead(200, {
		...labHeaders,
		"Content-Type": body.type,
		"Content-Length": body.bytes.length,
		"Cache-Control": isHashed ? "public, max-age=31536000, immutable" : "no-cache",
	});
	response.end(request.method === "HEAD" ? undefined : body.bytes);
}

function finish(response: ServerResponse, status: number): void {
	response.writeHead(status, labHeaders).end();
}

/** The path that is asked for, without a slash before it; null if it makes no sense. */
function pathOf({ url = "/" }: IncomingMessage): string | null {
	try {
		return decodeURIComponent(new URL(url, "http://localhost").pathname).replace(/^\/+/, "") || "index.html";
	} catch {
		return null;
	}
}

async function pageFile(folder: string, path: string): Promise<{ bytes: Buffer; type: string } | null> {
	const file = normalize(join(folder, path));
	if (!file.startsWith(folder + sep) || path.includes("\0")) return null;
	const found = await stat(file).catch(() => null);
	if (!found?.isFile()) return null;
	return { bytes: await readFile(file), type: types[extname(file)] ?? "application/octet-stream" };
}
