// The built package in Chromium: as it comes (native modules and an import map) and bundled by Vite, on pages that
// may share memory and on pages that may not.

import { join } from "node:path";
import type { Browser } from "playwright";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findChromium, launch } from "../support/browser.ts";
import { installedProject, type Outcome, type Project, runProgram } from "../support/package.ts";
import { isolation, type StaticServer, serve } from "../support/static-server.ts";

const chromium = findChromium();
if (!chromium) {
	console.warn("SKIPPED: the browser tests, as no Chromium or Chrome is installed; CHROMIUM_PATH may name one");
}

describe.skipIf(!chromium)("in Chromium", () => {
	let project: Project;
	let browser: Browser;
	let inNode: Outcome;
	const servers: StaticServer[] = [];

	beforeAll(async () => {
		project = installedProject();
		await build({ root: project.folder, configFile: false, logLevel: "warn", build: { outDir: "page" } });
		browser = await launch(chromium as string);
		inNode = runProgram(project.folder, 2);
	});
	afterAll(async () => {
		await browser?.close();
		for (const server of servers) await server.close();
		project?.remove();
	});

	/** Opens the page and waits for what the program returns. Errors and failed requests fail the test. */
	async function open(folder: string, path: string, headers: Record<string, string>): Promise<Outcome> {
		const server = await serve(folder, headers);
		servers.push(server);
		const page = await browser.newPage();
		const problems: string[] = [];
		page.on("pageerror", (error) => problems.push(String(error)));
		page.on("crash", () => problems.push("the page crashed"));
		page.on("requestfailed", (request) => problems.push(`${request.url()}: ${request.failure()?.errorText}`));
		page.on("console", (message) => {
			// The icon that browsers ask every site for.
			if (message.type() === "error" && !message.location().url.endsWith("favicon.ico")) problems.push(message.text());
		});
		await page.goto(`${server.origin}/${path}?threads=2`);
		const result = await page.waitForFunction(() => (globalThis as { result?: unknown }).result, undefined, {
			timeout: 60_000,
		});
		const outcome = (await result.jsonValue()) as Outcome;
		await page.close();
		expect(problems).toEqual([]);
		return outcome;
	}

	describe.each([
		["as it comes", ".", "unbundled.html"],
		["bundled by Vite", "page", "index.html"],
	])("%s", (_, folder, path) => {
		test("two threads on an isolated page train to the same bits as Node", async () => {
			const outcome = await open(join(project.folder, folder), path, isolation);
			expect(outcome).toMatchObject({ backend: "wasm", threads: 2, notice: "" });
			expect(outcome.accuracy).toBeGreaterThan(0.9);
			// Fused multiply-add rounds once where the plain build rounds twice: only equal builds agree in every bit.
			if (outcome.build === inNode.build) expect(outcome).toEqual(inNode);
			else outcome.losses.forEach((loss, i) => void expect(loss).toBeCloseTo(inNode.losses[i], 3));
		});

		test("one thread on a page that is not isolated, and the notice says why", async () => {
			const outcome = await open(join(project.folder, folder), path, {});
			expect(outcome).toMatchObject({ backend: "wasm", threads: 1 });
			expect(outcome.notice).toMatch(/not cross-origin isolated.*Cross-Origin-Opener-Policy: same-origin/);
			expect(outcome.accuracy).toBeGreaterThan(0.9);
			if (outcome.build === inNode.build) expect(outcome.weights).toBe(inNode.weights);
		});
	});
});
