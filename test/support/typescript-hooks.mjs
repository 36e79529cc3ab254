// Module hooks that let plain Node run the sources: types are stripped, nothing else.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true };

/**
 * @param {string} url
 * @param {object} context
 * @param {(url: string, context: object) => Promise<object>} nextLoad
 */
export async function load(url, context, nextLoad) {
	if (!url.startsWith("file:") || !url.endsWith(".ts")) return nextLoad(url, context);
	const text = await readFile(fileURLToPath(url), "utf8");
	return {
		format: "module",
		shortCircuit: true,
		source: ts.transpileModule(text, { fileName: fileURLToPath(url), compilerOptions }).outputText,
	};
}
