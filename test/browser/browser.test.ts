// The built package in Chromium: as it comes (native modules and an import map), bundled by Vite, and served by Vite
// in development; on pages that may share memory and on pages that may not.

import { join } from "node:path";
import type { Browser } from "playwright";
import { build, createServer } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findChromium, launch } from "../support/browser.ts";
import { installedProject, type Outcome, type Project, runProgram } from "../support/package.ts";
import { isolation, serve } from "../support/static-server.ts";

const chromium = findChromium();
if (!chromium) {
	console.warn("SKIPPED: the browser tests, as no Chromium or Chrome is installed; CHROMIUM_PATH may name one");
}

/** A served page. */
interface Site {
	url: string;
	close(): Promise<void>;
}

describe.skipIf(!chromium)("in Chromium", () => {
	let project: Project;
	let browser: Browser;
	let inNode: Outcome;

	beforeAll(async () => {
		project = installedProject();
		await build({ root: project.folder, configFile: false, logLevel: "warn", build: { outDir: "page" } });
		browser = await launch(chromium as string);
		inNode = runProgram(project.folder, 2);
	});
	afterAll(async () => {
		await browser?.close();
		project?.remove();
	});

	async function serveFolder(folder: string, page: string, headers: Record<string, string>): Promise<Site> {
		const { origin, close } = await serve(join(project.folder, folder), headers);
		return { url: `${origin}/${page}`, close };
	}

	async function serveByVite(headers: Record<string, string>): Promise<Site> {
		const options = {
			root: project.folder,
			configFile: false,
			logLevel: "warn",
			server: { port: 0, headers },
		} as const;
		const server = await createServer(options);
		await server.listen();
		return { url: `${server.resolvedUrls?.local[0]}index.html`, close: () => server.close() };
	}

	/** What the program returns on the page at `site`. Errors, warnings of the page and failed requests fail the test. */
	async function outcomeOf(site: Site): Promise<Outcome> {
		const page = await browser.newPage();
		const problems: string[] = [];
		page.on("pageerror", (error) => problems.push(String(error)));
		page.on("crash", () => problems.push("the page crashed"));
		page.on("requestfailed", (request) => problems.push(`${request.url()}: ${request.failure()?.errorText}`));
		page.on("console", (message) => {
			// The icon that browsers ask every site for.
			if (message.type() === "error" && !message.location().url.endsWith("favicon.ico")) problems.push(message.text());
		});
		try {
			await page.goto(`${site.url}?threads=2`);
			const result = await page.waitForFunction(() => (globalThis as { result?: unknown }).result);
			expect(problems).toEqual([]);
			return (await result.jsonValue()) as Outcome;
		} finally {
			await page.close();
			await site.close();
		}
	}

	describe.each([
		["as it comes", (headers: Record<string, string>) => serveFolder(".", "unbundled.html", headers)],
		["bundled by Vite", (headers: Record<string, string>) => serveFolder("page", "index.html", headers)],
		["in development under Vite", serveByVite],
	])("%s", (_, start) => {
		test("two threads on an isolated page train to the same bits as Node", async () => {
			const outcome = await outcomeOf(await start(isolation));
			expect(outcome).toMatchObject({ backend: "wasm", build: "relaxed", threads: 2, notice: "" });
			expect(outcome.accuracy).toBeGreaterThan(0.9);
			expect(outcome).toEqual(inNode);
		});

		test("one thread on a page that is not isolated, and the notice says why", async () => {
			const outcome = await outcomeOf(await start({}));
			expect(outcome.notice).toMatch(/not cross-origin isolated.*Cross-Origin-Opener-Policy: same-origin/);
			expect(outcome).toEqual({ ...inNode, threads: 1, notice: outcome.notice });
		});
	});
});
