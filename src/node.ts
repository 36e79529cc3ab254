// Node's own modules, reached only when they are used, so that what imports this file still loads
// and bundles for browsers.

import { check } from "./errors.ts";

interface Modules {
	"node:crypto": typeof import("node:crypto");
	"node:fs": typeof import("node:fs");
	"node:os": typeof import("node:os");
	"node:path": typeof import("node:path");
	"node:url": typeof import("node:url");
	"node:zlib": typeof import("node:zlib");
}

/** A module of Node's, or undefined outside of Node. */
export function nodeModule<Name extends keyof Modules>(name: Name): Modules[Name] | undefined {
	return globalThis.process?.getBuiltinModule?.(name) as Modules[Name] | undefined;
}

/** A module of Node's. `what` names the caller in the error that is thrown outside of Node. */
export function needNodeModule<Name extends keyof Modules>(name: Name, what: string): Modules[Name] {
	const module = nodeModule(name);
	check(module, () => `${what}: this needs a file system, so it runs in Node (20.16 or later), not in a browser`);
	return module;
}

/** The code of a system error (`"ENOENT"`), or "" where there is none. */
export function systemErrorCode(error: unknown): string {
	return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
