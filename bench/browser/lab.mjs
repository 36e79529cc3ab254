// The web lab in the Chromium that is installed: how fast it trains as it says itself, and how long its frames are.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { watchOutsiders } from "../disturbance.mjs";
import { launchChromium } from "./chromium.mjs";

/** Seconds after which the speed shown is of this window alone: it is a mean over the last second at most. */
const SETTLED = 1.2;
/** `lenet-bn`: twin A of the settings that the page begins with, alone, and without an end. */
const lenet = "?v=1&b.on=0&steps=0";
/** Two small networks on points in the plane: ten thousand steps take seconds. */
const toy = "?v=1&data=spirals&net=mlp&steps=10000&depth=3&width=16&batch=32";

/** Opens the lab; null, and why, where there is no browser. @param {{ say: (line: string) => void }} options */
export async function openLab({ say }) {
	const browser = await launchChromium(say);
	if (!browser) return null;
	const server = await serveLab();
	/** @param {string} search */
	const open = async (search) => {
		const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-US" });
		const page = await context.newPage();
		page.on("pageerror", (error) => say(`the page: ${error.message}`));
		await page.goto(server.url + search);
		return page;
	};
	return {
		version: browser.version(),
		/** The training of `lenet-bn` as a side; it trains while it is measured only. */
		async trainer() {
			const page = await open(lenet);
			const button = (/** @type {string} */ name) => page.getByRole("button", { name, exact: true });
			await button("10 steps").click();
			await page.locator('[data-reading="step"] dd').getByText("10", { exact: true }).waitFor();
			const threads = Number(await page.locator('[data-reading="threads"] dd').innerText());
			return {
				name: /** @type {const} */ ("evenkeel"),
				label: `the lab in Chromium ${browser.version()}`,
				threads,
				pid: undefined,
				/** @param {import("../side.mjs").Job} job @param {number} seconds */
				async run({ batch = 256 }, seconds) {
					await button("Start").click();
					await page.waitForTimeout(1000 * Math.max(SETTLED, seconds));
					const shown = await page.locator('[data-reading="speed"] dd').innerText();
					await button("Pause").click();
					await button("Start").waitFor();
					return { metrics: { step: (1000 * batch) / Number(shown.replaceAll(",", "")) } };
				},
			};
		},
		/**
		 * Milliseconds from frame to frame in a run of ten thousand steps with `panel` on the screen, and what others took of
		 * the processors meanwhile.
		 *
		 * @param {string} panel
		 */
		async frames(panel) {
			const page = await open(toy);
			// A panel is loaded when it comes near the screen, and what is loaded above it pushes it away again.
			const show = () => page.locator(`#${panel}`).evaluate((element) => element.scrollIntoView());
			const canvas = page.locator(`#${panel} canvas`).first();
			do {
				await show();
				await page.waitForTimeout(500);
			} while (!(await canvas.isVisible()));
			await show();
			await page.waitForTimeout(1000);
			await page.evaluate(watchFrames);
			const watched = watchOutsiders();
			const started = performance.now();
			await page.getByRole("button", { name: "Start" }).click();
			await page.getByText("done", { exact: true }).waitFor({ timeout: 300_000 });
			const seconds = (performance.now() - started) / 1000;
			const others = watched();
			/** @type {number[]} */
			const frames = await page.evaluate("globalThis.frames_");
			await page.context().close();
			return { frames: frames.slice(1), seconds, others };
		},
		async stop() {
			await browser.close();
			server.stop();
		},
	};
}

/** Runs in the page. */
const watchFrames = `
	globalThis.frames_ = [];
	let last = performance.now();
	requestAnimationFrame(function each(now) {
		frames_.push(now - last);
		last = now;
		requestAnimationFrame(each);
	});
`;

/** `evenkeel lab` on a port that is free. */
async function serveLab() {
	const main = fileURLToPath(new URL("../../dist/cli/main.mjs", import.meta.url));
	const child = spawn(process.execPath, [main, "lab", "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
	for await (const line of createInterface({ input: child.stdout })) {
		const url = /http:\S+/.exec(line)?.[0];
		if (url) return { url, stop: () => child.kill() };
	}
	throw new Error("evenkeel lab ended before it said where it is");
}
