// The lab in Chromium, for tests: the build, served as `evenkeel lab` serves it.

import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, describe, expect, inject } from "vitest";
import { type LabServer, serveLab } from "../../../src/cli/lab/server.ts";
import { findChromium, launch } from "../../../test/support/browser.ts";

const chromium = findChromium();

/** How a page is opened. */
export interface OpenOptions {
	/** Another place where the page is. Default: the server of `evenkeel lab`. */
	readonly at?: string;
	/** The query of the address: `?lang=zh`. */
	readonly search?: string;
	readonly width?: number;
	readonly height?: number;
	readonly dark?: boolean;
	/** The browser's language. Default `en-US`. */
	readonly locale?: string;
	/** Problems that the test brings about itself, and that do not fail it. */
	readonly expected?: RegExp;
}

/** What the tests of a {@link describeLab} are given. */
export interface Lab {
	/** The server's address, with a slash at the end. */
	readonly url: string;
	/**
	 * Opens the page. Errors of the page, failed requests and requests to other hosts fail the test when it is closed
	 * with {@link close}, or at the end of the file.
	 */
	open(options?: OpenOptions): Promise<Page>;
	close(page: Page): Promise<void>;
}

/** Tests in Chromium; skipped where there is none. */
export function describeLab(name: string, define: (lab: Lab) => void): void {
	if (!chromium) console.warn(`SKIPPED: ${name}, as no Chromium or Chrome is installed; CHROMIUM_PATH may name one`);
	describe.skipIf(!chromium)(name, () => {
		let server: LabServer;
		let browser: Browser;
		const problems = new Map<Page, string[]>();

		beforeAll(async () => {
			server = await serveLab({ folder: inject("labFolder"), port: 0, host: "127.0.0.1" });
			browser = await launch(chromium as string);
		});
		afterAll(async () => {
			await browser?.close();
			await server?.close();
			expect([...problems.values()].flat()).toEqual([]);
		});

		define({
			get url() {
				return server.url;
			},
			async open(options = {}) {
				const { at = server.url, search = "", width = 1280, height = 900, dark = false, locale = "en-US" } = options;
				const colorScheme = dark ? "dark" : "light";
				const context = await browser.newContext({ viewport: { width, height }, colorScheme, locale });
				const page = await context.newPage();
				problems.set(page, watch(page, new URL(at).origin, options.expected));
				await page.goto(at + search);
				return page;
			},
			async close(page) {
				const found = problems.get(page);
				problems.delete(page);
				await page.context().close();
				expect(found).toEqual([]);
			},
		});
	});
}

function watch(page: Page, origin: string, expected?: RegExp): string[] {
	const problems: string[] = [];
	const note = (problem: string): void => {
		if (!expected?.test(problem)) problems.push(problem);
	};
	page.on("pageerror", (error) => note(String(error)));
	page.on("crash", () => note("the page crashed"));
	page.on("requestfailed", (request) => note(`${request.url()}: ${request.failure()?.errorText}`));
	page.on("console", (message) => {
		if (message.type() === "error" || message.type() === "warning") note(message.text());
	});
	page.on("request", (request) => {
		if (!request.url().startsWith(`${origin}/`) && !/^(blob|data):/.test(request.url())) {
			note(`asked another host: ${request.url()}`);
		}
	});
	return problems;
}
