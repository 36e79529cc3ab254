// What to compare: a comparison by its name, or one that a YAML file describes.

import { existsSync, readFileSync } from "node:fs";
import { extname } from "node:path";
import { parseDocument, stringify } from "yaml";
import { comparisonNamed, comparisonNames, plainComparison } from "../../compare/presets/index.ts";
import { type CompareSpec, parseSpec } from "../../compare/spec.ts";
import { EvenkeelError } from "../../errors.ts";
import { checkUsage, describeError } from "../errors.ts";

/** Whether `name` is meant as the path of a file. */
function looksLikeFile(name: string): boolean {
	return /[\\/]/.test(name) || [".yaml", ".yml", ".json"].includes(extname(name));
}

/** The comparison called `name`, or that of the file `name`. */
export function loadSpec(name: string): CompareSpec {
	if (looksLikeFile(name)) return readSpec(name);
	checkUsage(
		comparisonNames.includes(name),
		() =>
			`there is no comparison "${name}"; there are ${comparisonNames.join(", ")}, or a file: evenkeel compare ./mine.yaml`,
	);
	return comparisonNamed(name);
}

/** A comparison as the YAML of a file: to start one's own from. */
export function specAsYaml(name: string): string {
	loadSpec(name);
	if (looksLikeFile(name)) return readFileSync(name, "utf8");
	return stringify(plainComparison(name), { lineWidth: 120, aliasDuplicateObjects: false });
}

function readSpec(file: string): CompareSpec {
	checkUsage(existsSync(file), () => `${file}: there is no such file; check the path`);
	let text: string;
	try {
		text = readFileSync(file, "utf8");
	} catch (error) {
		throw new EvenkeelError(`${file}: it cannot be read: ${describeError(error)}`);
	}
	const document = parseDocument(text, { prettyErrors: true });
	const [problem] = document.errors;
	if (problem) throw new EvenkeelError(`${file}: it is not YAML: ${firstLine(problem.message)}`);
	return parseSpec(plainOf(document, file), file);
}

/** The document's values; aliases that would make it grow without bounds are refused. */
function plainOf(document: ReturnType<typeof parseDocument>, file: string): unknown {
	try {
		return document.toJS({ maxAliasCount: 100 });
	} catch (error) {
		throw new EvenkeelError(`${file}: it cannot be taken as data: ${describeError(error)}`);
	}
}

function firstLine(text: string): string {
	return text.split("\n")[0].replace(/:$/, "");
}
