// Links to panels, from the contents and from elsewhere: they lead to the panel, although those above it grow meanwhile.

import type { Page } from "playwright";
import { expect, test } from "vitest";
import { describeLab } from "./support/lab-page.ts";

/** Where the panel begins on the screen, once it and those above it are loaded and the page has settled. */
async function settledTop(page: Page, id: string): Promise<number> {
	await page.waitForFunction((name) => {
		const panels = [...document.querySelectorAll(".panel")];
		const above = panels.slice(0, panels.findIndex((panel) => panel.id === name) + 1);
		return above.length > 0 && above.every((panel) => !panel.querySelector(".panel-wait"));
	}, id);
	await page.waitForTimeout(700);
	return page.locator(`#${id}`).evaluate((panel) => panel.getBoundingClientRect().top);
}

describeLab("a link to a panel", (lab) => {
	test.each(["try-it", "stepper", "statistics"])("in the address leads to it: #%s", async (id) => {
		const page = await lab.open({ search: `#${id}` });
		expect(Math.abs((await settledTop(page, id)) - 96)).toBeLessThan(2);
		await lab.close(page);
	});

	test("in the contents leads to it, however slowly the code of those above comes", async () => {
		const page = await lab.open();
		await page.route(/\/assets\//, async (route) => {
			await new Promise((resolve) => setTimeout(resolve, 400));
			await route.continue();
		});
		await page.locator('.contents a[href="#stepper"]').click();
		expect(Math.abs((await settledTop(page, "stepper")) - 96)).toBeLessThan(2);
		await page.mouse.move(640, 450);
		await page.mouse.wheel(0, 300);
		await page.waitForTimeout(300);
		expect(await page.locator("#stepper").evaluate((panel) => panel.getBoundingClientRect().top)).toBeLessThan(0);
		await lab.close(page);
	});
});
