// A browser for tests: the Chromium or Chrome that is installed, driven by playwright; nothing is downloaded.

import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright";

const usualPlaces = [
	"/usr/bin/chromium",
	"/usr/bin/chromium-browser",
	"/usr/bin/google-chrome",
	"/usr/bin/google-chrome-stable",
	"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
	"/Applications/Chromium.app/Contents/MacOS/Chromium",
	"C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
	"C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe",
];

/** The path of a Chromium or Chrome on this machine (`CHROMIUM_PATH` first), or null. */
export function findChromium(): string | null {
	const named = process.env.CHROMIUM_PATH;
	if (named) {
		if (existsSync(named)) return named;
		throw new Error(`CHROMIUM_PATH: there is no file ${named}`);
	}
	return usualPlaces.find((path) => existsSync(path)) ?? null;
}

/** Starts the browser at `executablePath`, without a window. */
export function launch(executablePath: string): Promise<Browser> {
	return chromium.launch({
		executablePath,
		args: [
			"--no-sandbox",
			"--disable-quic",
			"--no-first-run",
			"--disable-background-networking",
			"--disable-component-update",
			"--disable-sync",
		],
	});
}
