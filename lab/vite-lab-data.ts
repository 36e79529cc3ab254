// In development, Fashion-MNIST is served from where `evenkeel lab` takes it.

import type { Plugin } from "vite";
import { labDataFile } from "../src/cli/lab/data-files.ts";

/** Answers requests below data/ as the server of `evenkeel lab` does. */
export function labData(): Plugin {
	return {
		name: "evenkeel-lab-data",
		configureServer(server) {
			server.middlewares.use((request, response, next) => {
				const { pathname } = new URL(request.url ?? "/", "http://localhost");
				const file = labDataFile(pathname.replace(/^\//, ""));
				if (!file) return next();
				response.setHeader("Content-Type", file.type);
				response.end(file.read());
			});
		},
	};
}
