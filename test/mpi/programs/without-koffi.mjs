// Lets Node find every package but koffi.

import { register } from "node:module";

const hooks = `export async function resolve(name, context, next) {
	if (name === "koffi") throw Object.assign(new Error("Cannot find package 'koffi'"), { code: "ERR_MODULE_NOT_FOUND" });
	return next(name, context);
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
