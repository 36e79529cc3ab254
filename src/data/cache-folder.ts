// Where downloads are kept: each platform's own place for what can be fetched again.

import { needNodeModule } from "../node.ts";

/** What the place depends on; that of this process unless told otherwise. */
export interface Surroundings {
	env: Readonly<Record<string, string | undefined>>;
	platform: string;
	home: string;
}

/**
 * The folder for downloads: `$EVENKEEL_CACHE` if set; else `evenkeel` in `$XDG_CACHE_HOME` or `~/.cache`, on macOS in
 * `~/Library/Caches`, on Windows in `%LOCALAPPDATA%`.
 */
export function cacheFolder(surroundings: Surroundings = here()): string {
	const { env, platform, home } = surroundings;
	const { posix, win32 } = needNodeModule("node:path", "cacheFolder");
	const path = platform === "win32" ? win32 : posix;
	if (env.EVENKEEL_CACHE) return path.resolve(env.EVENKEEL_CACHE);
	if (platform === "darwin") return path.join(home, "Library", "Caches", "evenkeel");
	if (platform === "win32")
		return path.join(env.LOCALAPPDATA || path.join(home, "AppData", "Local"), "evenkeel", "Cache");
	// The XDG specification: a relative path is to be ignored.
	const xdg = env.XDG_CACHE_HOME;
	return path.join(xdg && path.isAbsolute(xdg) ? xdg : path.join(home, ".cache"), "evenkeel");
}

function here(): Surroundings {
	const os = needNodeModule("node:os", "cacheFolder");
	return { env: globalThis.process.env, platform: globalThis.process.platform, home: os.homedir() };
}
