// Running a few lines that use the sources in a process of their own: for what only a whole process
// shows, such as whether it ends.

import { execFile } from "node:child_process";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = new URL("../../", import.meta.url);

export interface ChildResult {
	code: number | null;
	stdout: string;
	stderr: string;
	/** True if it had to be ended because it would not end by itself. */
	timedOut: boolean;
}

/**
 * Runs `script` as a module in Node. In it `src("backend/init.ts")` stands for the URL of a source.
 */
export function runInChild(script: string, nodeFlags: readonly string[] = [], timeout = 30_000): Promise<ChildResult> {
	const prelude = `const src = (path) => new URL(path, ${JSON.stringify(new URL("src/", root).href)}).href;\n`;
	const register = pathToFileURL(fileURLToPath(new URL("test/support/register-typescript.mjs", root))).href;
	const args = [
		...nodeFlags,
		"--no-deprecation",
		"--import",
		register,
		"--input-type=module",
		"--eval",
		prelude + script,
	];
	return new Promise((resolve) => {
		execFile(process.execPath, args, { timeout, killSignal: "SIGKILL" }, (error, stdout, stderr) => {
			const code = error === null ? 0 : typeof error.code === "number" ? error.code : null;
			resolve({ code, stdout, stderr, timedOut: error?.killed ?? false });
		});
	});
}
