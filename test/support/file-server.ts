// A file server on this machine that misbehaves on demand.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface FileServer {
	/** With a slash at the end. */
	url: string;
	/** What is served, by name. */
	files: Map<string, Uint8Array>;
	/** The requests so far: `GET /name`, with ` bytes=…` where a range was asked for. */
	requests: string[];
	/** Cuts the next connections after this many bytes of their bodies, one number a connection. */
	cutAfter: number[];
	/** Answers instead of the server. */
	instead: ((request: IncomingMessage, response: ServerResponse) => void) | null;
	close(): Promise<void>;
}

/** Starts a server on 127.0.0.1 that knows GET, Range, 404 and 416. */
export async function startFileServer(): Promise<FileServer> {
	const server: Server = createServer((request, response) => {
		const { range } = request.headers;
		state.requests.push(`${request.method} ${request.url}${range ? ` ${range}` : ""}`);
		if (state.instead) state.instead(request, response);
		else serve(state, request, response);
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as AddressInfo;
	const state: FileServer = {
		url: `http://127.0.0.1:${port}/`,
		files: new Map(),
		requests: [],
		cutAfter: [],
		instead: null,
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			}),
	};
	return state;
}

function serve(state: FileServer, request: IncomingMessage, response: ServerResponse): void {
	const bytes = state.files.get((request.url ?? "").slice(1));
	if (!bytes) {
		response.writeHead(404).end();
		return;
	}
	const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
	if (start >= bytes.length) {
		response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end();
		return;
	}
	const body = bytes.subarray(start);
	const headers: Record<string, string | number> = { "content-length": body.length };
	if (start > 0) headers["content-range"] = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
	response.writeHead(start > 0 ? 206 : 200, headers);
	const cut = state.cutAfter.shift();
	if (cut === undefined) response.end(body);
	else response.write(body.subarray(0, cut), () => setTimeout(() => response.destroy(), 20));
}
