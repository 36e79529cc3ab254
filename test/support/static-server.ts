// A static file server for browser tests, on a free port of this machine.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize, sep } from "node:path";

const types: Record<string, string> = {
	".html": "text/html; charset=utf-8",
	".js": "text/javascript",
	".mjs": "text/javascript",
	".json": "application/json",
	".wasm": "application/wasm",
};

/** The headers under which a page may share memory with its workers. */
export const isolation = {
	"Cross-Origin-Opener-Policy": "same-origin",
	"Cross-Origin-Embedder-Policy": "require-corp",
};

export interface StaticServer {
	/** `http://localhost:…`, without a slash at the end. */
	origin: string;
	close(): Promise<void>;
}

/** Serves `folder`, every answer with `headers`. */
export async function serve(folder: string, headers: Record<string, string> = {}): Promise<StaticServer> {
	const server = createServer(async (request, response) => {
		const { pathname } = new URL(request.url ?? "/", "http://localhost");
		const file = normalize(join(folder, decodeURIComponent(pathname)));
		try {
			if (!file.startsWith(folder + sep)) throw new Error("outside of the folder");
			const body = await readFile(file);
			response.writeHead(200, { "Content-Type": types[extname(file)] ?? "application/octet-stream", ...headers });
			response.end(body);
		} catch {
			response.writeHead(404, headers).end();
		}
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as AddressInfo;
	return {
		origin: `http://localhost:${port}`,
		close: () =>
			new Promise((resolve, reject) => {
				server.closeAllConnections();
				server.close((error) => (error ? reject(error) : resolve()));
			}),
	};
}
