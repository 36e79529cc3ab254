// A page in the Chromium that is installed, as one side of a comparison.

import { existsSync } from "node:fs";
import { chromium } from "playwright";
import { serveRepository } from "./server.mjs";

const usualPlaces = [
	"/usr/bin/chromium",
	"/usr/bin/chromium-browser",
	"/usr/bin/google-chrome",
	"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
	"C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/** The browser, without a window; null, and why, where there is none. @param {(line: string) => void} say */
export async function launchChromium(say) {
	const executablePath = [process.env.CHROMIUM_PATH ?? "", ...usualPlaces].find((path) => existsSync(path));
	if (!executablePath) {
		say("no Chromium or Chrome was found; CHROMIUM_PATH may name one");
		return null;
	}
	const args = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking"];
	return chromium.launch({ executablePath, args });
}

/**
 * Opens the page; null, and why, where there is no browser.
 *
 * @param {{ threads: number, folder: string, say: (line: string) => void }} options
 */
export async function openPage({ threads, folder, say }) {
	const browser = await launchChromium(say);
	if (!browser) return null;
	const server = await serveRepository(folder);
	const page = await browser.newPage();
	page.on("pageerror", (error) => say(`the page: ${error.message}`));
	await page.goto(server.url);
	await page.waitForFunction("globalThis.bench !== undefined");
	/** @type {{ threads: number, notice: string, build: string }} */
	const started = await page.evaluate(`bench.start(${threads})`);
	if (started.notice) say(`the page: ${started.notice}`);
	return {
		name: /** @type {const} */ ("evenkeel"),
		label: `Chromium ${browser.version()} (wasm, ${started.build})`,
		threads: started.threads,
		pid: undefined,
		/** @param {import("../side.mjs").Job} job @param {number} seconds */
		async run(job, seconds) {
			/** @type {import("../side.mjs").Metrics} */
			const metrics = await page.evaluate(`bench.run(${JSON.stringify(job)}, ${seconds})`);
			return { metrics };
		},
		async stop() {
			await browser.close();
			server.close();
		},
	};
}
