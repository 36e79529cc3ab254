// Who evenkeel is measured against, and their packages, which the library's own install leaves out.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Side } from "./side.mjs";

/** @typedef {import("./side.mjs").SideName} SideName */

/** @type {readonly SideName[]} */
export const allPeers = ["pytorch", "jax-js", "tfjs-cpu", "tfjs-wasm", "onnxruntime"];

/**
 * `all`, `none`, or names with commas between them.
 *
 * @param {string} text @returns {SideName[]}
 */
export function parsePeers(text) {
	if (text === "all") return [...allPeers];
	if (text === "none") return [];
	return text.split(",").map((name) => {
		const peer = allPeers.find((each) => each === name);
		if (!peer) throw new Error(`--peers: there is no ${name}; there are ${allPeers.join(", ")}, all and none`);
		return peer;
	});
}

/** Installs the packages of `names` unless they are there; the names that can be had. @param {readonly SideName[]} names */
export function installPeers(names) {
	const needPackages = names.filter((name) => name !== "pytorch");
	const folder = fileURLToPath(new URL("peers", import.meta.url));
	if (needPackages.length === 0 || existsSync(`${folder}/node_modules/.package-lock.json`)) return names;
	process.stderr.write("bench: installing the peers' packages into bench/peers/node_modules (npm ci, this once)\n");
	const command = process.platform === "win32" ? "npm.cmd" : "npm";
	const options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
	const { status } = spawnSync(command, options, { cwd: folder, stdio: ["ignore", 2, 2] });
	if (status === 0) return names;
	process.stderr.write(`bench: they could not be installed; measuring without ${needPackages.join(", ")}\n`);
	return names.filter((name) => name === "pytorch");
}

/**
 * Starts evenkeel and the peers, runs `fn` with them and ends them.
 *
 * @template T
 * @param {readonly [SideName, number][]} wanted names and threads
 * @param {{ folder: string, say: (line: string) => void }} context
 * @param {(sides: Side[]) => Promise<T>} fn
 * @returns {Promise<T>}
 */
export async function withSides(wanted, { folder, say }, fn) {
	/** @type {Side[]} */
	const sides = [];
	try {
		for (const [name, threads] of wanted) {
			const side = await Side.start(name, { threads, folder }, say);
			if (side) sides.push(side);
		}
		return await fn(sides);
	} finally {
		for (const side of sides) await side.stop();
	}
}
