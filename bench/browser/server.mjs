// Serves the repository to a page that may share memory with its workers.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";

const types = new Map([
	[".html", "text/html; charset=utf-8"],
	[".mjs", "text/javascript"],
]);
const headers = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/[\\/]$/, "");

/** The repository at `/`, the data at `/data/`. @param {string} dataFolder */
export async function serveRepository(dataFolder) {
	const server = createServer(async (request, response) => {
		const { pathname } = new URL(request.url ?? "/", "http://localhost");
		const [folder, path] = pathname.startsWith("/data/") ? [dataFolder, pathname.slice(5)] : [root, pathname];
		const file = normalize(join(folder, decodeURIComponent(path)));
		try {
			if (!file.startsWith(folder + sep)) throw new Error("outside of the folder");
			const body = await readFile(file);
			response.writeHead(200, { "Content-Type": types.get(extname(file)) ?? "application/octet-stream", ...headers });
			response.end(body);
		} catch {
			response.writeHead(404, headers).end();
		}
	});
	await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(null)));
	const address = server.address();
	const port = typeof address === "object" ? address?.port : 0;
	return {
		url: `http://localhost:${port}/bench/browser/index.html`,
		close: () => {
			server.closeAllConnections();
			server.close();
		},
	};
}
