// The backend of a command: it has the process to itself, so that V8 may be told how to compile.

import { type InitOptions, init } from "../backend/init.ts";

/** As init, with wide kernels where V8 can make them, unless the environment says `EVENKEEL_WIDE=0`. */
export function startBackend(options: InitOptions): ReturnType<typeof init> {
	return init({ wide: process.env.EVENKEEL_WIDE !== "0", ...options });
}
