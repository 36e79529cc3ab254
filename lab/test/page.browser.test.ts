// The page itself: address, languages, theme, sizes, what it loads, and how it is used without a mouse or without sight.

import { gzipSync } from "node:zlib";
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright";
import { describe, expect, test } from "vitest";
import { presets } from "../src/presets/presets.ts";
import { readAddress } from "../src/settings/address.ts";
import { defaults } from "../src/settings/settings.ts";
import { describeLab } from "./support/lab-page.ts";
import { atStep } from "./support/readings.ts";

/** Bytes of script, compressed, that may come before the first paint. */
const SCRIPT_BUDGET = 200_000;

/** What a reload does to requests under way, on a busy machine. */
const cutShort = /ERR_ABORTED/;

const search = (page: Page): string => new URL(page.url()).search;

/** Loads the page again once all that it asked for is there: what a reload cuts short counts as a failed request. */
async function reload(page: Page): Promise<void> {
	await page.waitForLoadState("networkidle");
	await page.reload();
}

describeLab("the page", (lab) => {
	describe("its address", () => {
		test("holds the settings, and a page that is opened with it has them", async () => {
			const page = await lab.open();
			await expect.poll(() => search(page)).toBe("");
			await page.getByLabel("Normalization of twin B").selectOption("layer");
			await page.getByRole("spinbutton", { name: "Learning rate of twin A" }).fill("0.25");
			await page.getByRole("spinbutton", { name: "Learning rate of twin A" }).press("Enter");
			await expect
				.poll(() => readAddress(search(page)))
				.toEqual({
					settings: { ...defaults, a: { ...defaults.a, lr: 0.25 }, b: { ...defaults.b, norm: "layer" } },
					problems: [],
				});
			const address = search(page);
			const other = await lab.open({ search: address });
			expect(await other.getByLabel("Normalization of twin B").inputValue()).toBe("layer");
			expect(await other.getByRole("spinbutton", { name: "Learning rate of twin A" }).inputValue()).toBe("0.25");
			await expect.poll(() => search(other)).toBe(address);
			await lab.close(page);
			await lab.close(other);
		});

		test("holds them after a link to a panel and the way back, and so does a reload", async () => {
			const page = await lab.open({ expected: cutShort });
			await page.locator('.contents a[href="#curves"]').click();
			await page.getByLabel("Normalization of twin B").selectOption("rms");
			await expect.poll(() => search(page)).toBe("?v=1&b.norm=rms");
			await page.goBack();
			await expect.poll(() => search(page)).toBe("?v=1&b.norm=rms");
			await reload(page);
			expect(await page.getByLabel("Normalization of twin B").inputValue()).toBe("rms");
			await lab.close(page);
		});

		test("that is wrong is named, replaced and put right", async () => {
			const page = await lab.open({ search: "?v=1&lr=abc&b.norm=rms&speed=9" });
			const notice = page.getByRole("alert");
			expect(await notice.innerText()).toContain("lr=abc: expected 0.000001–100; using 1");
			expect(await notice.innerText()).toContain("speed=9: there is no such setting");
			await expect.poll(() => search(page)).toBe("?v=1&b.norm=rms");
			await page.getByRole("button", { name: "Dismiss" }).click();
			await notice.waitFor({ state: "detached" });
			await lab.close(page);
		});

		test("that asks for a language or threads that there are not is named and put right too", async () => {
			const page = await lab.open({ search: "?lang=xx&threads=abc&a.norm=group" });
			const notice = await page.getByRole("alert").innerText();
			expect(notice).toContain("lang=xx: expected en, zh; using en");
			expect(notice).toContain("threads=abc: expected 1–64; using auto");
			await expect.poll(() => search(page)).toBe("?v=1&a.norm=group&lang=en");
			expect(await page.locator(".twins-cell.twin-a .hint").innerText()).toBe("norm1: 3");
			await lab.close(page);
		});

		test("of a chosen experiment is its name, and what to watch is said", async () => {
			const page = await lab.open();
			for (const preset of presets.slice(1, 4)) {
				await page.getByRole("button", { name: preset.title.en, exact: true }).click();
				await expect.poll(() => search(page)).toBe(`?v=1&preset=${preset.id}`);
				expect(await page.locator(".watch").innerText()).toBe(preset.watch.en);
			}
			await lab.close(page);
		});
	});

	describe("its language", () => {
		test.each([
			["zh-CN", "", "zh-Hans", "开始"],
			["zh-TW", "?lang=en", "en", "Start"],
			["de-DE", "", "en", "Start"],
			["en-US", "?lang=zh", "zh-Hans", "开始"],
		])("in a browser of %s at %s is %s", async (locale, query, lang, start) => {
			const page = await lab.open({ locale, search: query });
			expect(await page.locator("html").getAttribute("lang")).toBe(lang);
			await page.getByRole("button", { name: start, exact: true }).waitFor();
			await lab.close(page);
		});

		test("changes at once, everywhere, and is remembered", async () => {
			const page = await lab.open();
			await page.getByRole("button", { name: "中文" }).click();
			expect(await page.locator("html").getAttribute("lang")).toBe("zh-Hans");
			await page.getByRole("heading", { name: "损失与准确率" }).waitFor();
			expect(await page.getByLabel("网络 A 的归一化", { exact: true }).inputValue()).toBe("batch");
			await reload(page);
			await page.getByRole("heading", { name: "批量归一化做了什么" }).waitFor();
			await lab.close(page);
		});

		test("of the address follows the switch", async () => {
			const page = await lab.open({ search: "?lang=zh" });
			await page.getByRole("button", { name: "English" }).click();
			await expect.poll(() => search(page)).toBe("?lang=en");
			await lab.close(page);
		});
	});

	test("is dark where the system is, until told otherwise, and remembers that", async () => {
		const page = await lab.open({ dark: true });
		const theme = () => page.locator("html").getAttribute("data-theme");
		expect(await theme()).toBe("dark");
		await page.emulateMedia({ colorScheme: "light" });
		await expect.poll(theme).toBe("light");
		await page.getByRole("button", { name: "Dark" }).click();
		await reload(page);
		expect(await theme()).toBe("dark");
		await lab.close(page);
	});

	test("loads little before it paints, and the engine only when it is needed", async () => {
		const page = await lab.open({ search: "", height: 600 });
		await page.getByRole("heading", { level: 1 }).waitFor();
		const scripts = await page.evaluate(() =>
			performance.getEntriesByType("resource").flatMap(({ name }) => (/\.m?js$/.test(name) ? [name] : [])),
		);
		expect(scripts.length).toBeGreaterThan(0);
		const sizes = await Promise.all(
			scripts.map(async (url) => gzipSync(new Uint8Array(await (await fetch(url)).arrayBuffer())).length),
		);
		const total = sizes.reduce((a, b) => a + b, 0);
		expect(total).toBeLessThan(SCRIPT_BUDGET);
		expect(scripts.filter((url) => /worker|client|relaxed|simd/.test(url))).toEqual([]);
		await lab.close(page);
	});

	describe.each([
		["English, light", {}],
		["Chinese, dark", { search: "?lang=zh", dark: true }],
	])("in %s", (_, options) => {
		test.each([360, 1920])("at %i pixels nothing is cut off, and axe finds nothing serious", async (width) => {
			const page = await lab.open({ ...options, width });
			await page.locator(".controls button").nth(1).click();
			await atStep(page, 1);
			const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
			expect(wide).toBeLessThanOrEqual(0);
			const { violations } = await new AxeBuilder({ page }).include("body").analyze();
			const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
			const told = serious.flatMap(({ id, nodes }) =>
				nodes.map(({ html, failureSummary }) => ({ id, html, failureSummary })),
			);
			expect(told).toEqual([]);
			await lab.close(page);
		});
	});

	test("shows a panel where several changes of what is on the screen are told at once, as to a page that was busy", async () => {
		const page = await lab.open({ expected: cutShort });
		await page.addInitScript(() => {
			const Original = IntersectionObserver;
			window.IntersectionObserver = class extends Original {
				constructor(tell: IntersectionObserverCallback, options?: IntersectionObserverInit) {
					super((changes, observer) => {
						const { target, isIntersecting } = changes[changes.length - 1];
						const before = { target, isIntersecting: !isIntersecting } as IntersectionObserverEntry;
						tell([before, ...changes], observer);
					}, options);
				}
			};
		});
		await reload(page);
		const answers = async (): Promise<number> => {
			await page.locator("#try-it").scrollIntoViewIfNeeded();
			return page.locator("#try-it .try-share").count();
		};
		await expect.poll(answers, { timeout: 30_000 }).toBe(20);
		await lab.close(page);
	});

	test("is used with the keyboard alone", async () => {
		const page = await lab.open();
		await page.keyboard.press("Tab");
		expect(await page.evaluate(() => document.activeElement?.className)).toBe("skip");
		await page.getByRole("spinbutton", { name: "Learning rate of twin B" }).focus();
		await page.keyboard.press("ArrowDown");
		await expect.poll(() => search(page)).toBe("?v=1&b.lr=0.5");
		await page.keyboard.press("ArrowUp");
		await expect.poll(() => search(page)).toBe("");
		await page.getByRole("button", { name: "Step", exact: true }).focus();
		await page.keyboard.press("Enter");
		await atStep(page, 1);
		await lab.close(page);
	});
});
