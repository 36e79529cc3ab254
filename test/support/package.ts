// The package as users get it: packed by npm and installed, without a network, into an empty project.

import { type ExecFileSyncOptionsWithStringEncoding, execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const root = join(import.meta.dirname, "../..");
const fixture = join(root, "test/packaging/fixture");

export interface Manifest {
	name: string;
	version: string;
	bin: Record<string, string>;
	exports: Record<string, string | Record<string, string>>;
	dependencies: Record<string, string>;
	sideEffects: string[];
}

export const manifest: Manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** What the fixture's program returns. */
export interface Outcome {
	backend: string;
	build: string;
	threads: number;
	notice: string;
	accuracy: number;
	losses: number[];
	/** A checksum of all parameters and buffers. */
	weights: string;
}

export interface Project {
	folder: string;
	/** Where the package was installed to. */
	installed: string;
	remove(): void;
}

/** An empty project in a temporary folder, with evenkeel installed and the fixture's files beside. */
export function installedProject(): Project {
	const folder = mkdtempSync(join(tmpdir(), "evenkeel-package-"));
	npm(["pack", "--ignore-scripts", "--silent", "--pack-destination", folder], root);
	// The dependencies come from this checkout, so that nothing is fetched.
	const dependencies = Object.keys(manifest.dependencies).map((name) => [
		name,
		`file:${join(root, "node_modules", name)}`,
	]);
	const packed = `file:./${manifest.name}-${manifest.version}.tgz`;
	const project = {
		private: true,
		type: "module",
		dependencies: Object.fromEntries([...dependencies, ["evenkeel", packed]]),
	};
	writeFileSync(join(folder, "package.json"), JSON.stringify(project));
	npm(["install", "--offline", "--install-links", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], folder);
	cpSync(fixture, folder, { recursive: true });
	return {
		folder,
		installed: join(folder, "node_modules/evenkeel"),
		remove: () => rmSync(folder, { recursive: true, force: true }),
	};
}

/** Runs the fixture's program in Node, as `folder`/main.mjs. */
export function runProgram(folder: string, threads: number): Outcome {
	return JSON.parse(node(folder, "main.mjs", String(threads)));
}

/** Runs a Node script in `cwd` and returns what it printed. */
export function node(cwd: string, ...args: string[]): string {
	return execFileSync(process.execPath, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** Runs npm in `cwd` and returns what it printed. */
export function npm(args: string[], cwd: string): string {
	const options: ExecFileSyncOptionsWithStringEncoding = { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] };
	// Under `npm test` this is npm itself; on Windows, npm is a script that only a shell can start.
	const script = process.env.npm_execpath;
	if (script?.endsWith(".js")) return execFileSync(process.execPath, [script, ...args], options);
	return execFileSync("npm", args, { ...options, shell: process.platform === "win32" });
}
