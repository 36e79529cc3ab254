// Links to panels, from the contents and from elsewhere: they lead to the panel, although those above it grow meanwhile.

import type { Page } from "playwright";
import { expect, test } from "vitest";
import { describeLab } from "./support/lab-page.ts";

/** Below the bar of controls: the panels' scroll margin. */
const TOP = 96;

const topOf = (page: Page, id: string): Promise<number> =>
	page.locator(`#${id}`).evaluate((panel) => panel.getBoundingClientRect().top);

/** Waits until the panel and those above it are loaded, and it stands where it belongs. */
async function expectAtTop(page: Page, id: string): Promise<void> {
	await page.waitForFunction((name) => {
		const panels = [...document.querySelectorAll(".panel")];
		const above = panels.slice(0, panels.findIndex((panel) => panel.id === name) + 1);
		return above.length > 0 && above.every((panel) => !panel.querySelector(".panel-wait"));
	}, id);
	await page.waitForTimeout(700);
	await expect.poll(async () => Math.abs((await topOf(page, id)) - TOP), { timeout: 15_000 }).toBeLessThan(2);
}

describeLab("a link to a panel", (lab) => {
	test.each(["try-it", "stepper", "statistics"])("in the address leads to it: #%s", async (id) => {
		const page = await lab.open({ search: `#${id}` });
		await expectAtTop(page, id);
		await lab.close(page);
	});

	test("in the contents leads to it, however slowly the code of those above comes", async () => {
		const page = await lab.open();
		await page.route(/\/assets\//, async (route) => {
			await new Promise((resolve) => setTimeout(resolve, 400));
			await route.continue();
		});
		await page.locator('.contents a[href="#stepper"]').click();
		await expectAtTop(page, "stepper");
		await page.mouse.move(640, 450);
		await page.mouse.wheel(0, 300);
		await expect.poll(() => topOf(page, "stepper")).toBeLessThan(0);
		await page.waitForTimeout(300);
		expect(await topOf(page, "stepper")).toBeLessThan(0);
		await lab.close(page);
	});
});
