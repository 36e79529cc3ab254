// What to train: a preset by its name, or one that a file of the user's exports.

import { existsSync, statSync } from "node:fs";
import { basename, extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { EvenkeelError } from "../../errors.ts";
import * as evenkeel from "../../index.ts";
import { checkPreset, ownNorm, type Preset, presets } from "../../presets/index.ts";
import { checkUsage, describeError } from "../errors.ts";

/** A preset, and the file it came from, absolute; null for those that come with evenkeel. */
export interface LoadedPreset {
	preset: Preset;
	file: string | null;
}

/** Whether `name` is meant as the path of a file. */
export function looksLikeFile(name: string): boolean {
	return /[\\/]/.test(name) || [".mjs", ".js", ".mts", ".ts", ".cjs"].includes(extname(name));
}

/** Refuses what PyTorch's `torch.save` writes, and says how to get at the weights in it. */
export function checkNoPickle(name: string): void {
	const stem = basename(name, extname(name));
	checkUsage(
		![".pt", ".pth", ".bin", ".ckpt"].includes(extname(name).toLowerCase()),
		() =>
			`${name}: PyTorch's own files are programs (pickle), which evenkeel does not run; write the weights as safetensors: ` +
			`python3 -c "import torch; from safetensors.torch import save_file; ` +
			`d = torch.load('${name}', map_location='cpu', weights_only=True); d = d.get('state_dict', d); ` +
			`save_file({k: v.clone().contiguous() for k, v in d.items() if torch.is_tensor(v)}, '${stem}.safetensors')"`,
	);
}

/**
 * The preset called `name`, or the default export of the file `name`: a preset, or a function of the evenkeel module
 * that returns one.
 */
export async function loadPreset(name: string): Promise<LoadedPreset> {
	checkNoPickle(name);
	if (!looksLikeFile(name)) {
		const preset = presets.find((candidate) => candidate.name === name);
		checkUsage(
			preset,
			() =>
				`unknown preset "${name}"; there are ${presets.map((known) => known.name).join(", ")}, ` +
				"or a file of your own: evenkeel train ./net.mjs",
		);
		return { preset, file: null };
	}
	const file = resolve(name);
	checkUsage(existsSync(file) && statSync(file).isFile(), () => `${name}: there is no such file; check the path`);
	const made = await makeFrom(await exported(file, name), name);
	const named = nameAfter(file, made);
	checkPreset(named, name);
	return { preset: named, file };
}

async function exported(file: string, name: string): Promise<unknown> {
	let module: Record<string, unknown>;
	try {
		module = await import(pathToFileURL(file).href);
	} catch (error) {
		throw new EvenkeelError(`${name}: it cannot be loaded: ${reason(error)}`);
	}
	if (module.default === undefined) {
		throw new EvenkeelError(
			`${name}: it has no default export; end it with export default { name, inputShape, batchSize, epochs, lr, build, optimizer }`,
		);
	}
	return module.default;
}

async function makeFrom(value: unknown, name: string): Promise<unknown> {
	if (typeof value !== "function") return value;
	try {
		return await value(evenkeel);
	} catch (error) {
		throw new EvenkeelError(`${name}: the function it exports failed: ${reason(error)}`);
	}
}

/** A preset without a name is called after its file. */
function nameAfter(file: string, value: unknown): unknown {
	if (value === null || typeof value !== "object" || "name" in value) return value;
	return Object.assign(Object.create(value), { name: basename(file, extname(file)) });
}

/** Calls a function of the preset; what a user's own code throws is told as such. */
export function callPreset<T>(preset: Preset, what: string, call: () => T): T {
	try {
		return call();
	} catch (error) {
		if (error instanceof EvenkeelError) throw error;
		throw new EvenkeelError(`preset ${preset.name}: ${what} failed: ${reason(error)}`);
	}
}

/** What a user's own code threw: its message, and not the claim that it is a bug of ours. */
export function reason(error: unknown): string {
	if (error instanceof EvenkeelError) return describeError(error);
	return error instanceof Error ? `${error.name}: ${error.message}`.replace(/\s*\n\s*/g, " ") : String(error);
}

/** Checks that a preset that is built without a choice of the norm is not asked for one. */
export function checkNormHeeded(preset: Preset, norm: string | undefined, name = preset.name): void {
	checkUsage(
		norm === undefined || ownNorm(preset) !== null,
		() =>
			`--norm ${norm}: the build() of ${name} takes no argument, so it cannot heed it; ` +
			"write build: ({ norm }) => …, or leave it out",
	);
}
