import { AxeBuilder } from "@axe-core/playwright";
import { expect, test } from "vitest";
import { describeLab } from "../../../test/support/lab-page.ts";

describeLab("the family", (lab) => {
	test("draws five blocks that turn by keys and by dragging, and says how many values each mean is over", async () => {
		const page = await lab.open();
		await page.locator("#family").scrollIntoViewIfNeeded();
		const batch = page.locator("#family canvas").first();
		await batch.waitFor();
		expect(await page.locator("#family canvas").count()).toBe(5);
		expect(await batch.getAttribute("aria-label")).toContain("2,048 values for each of 16 means");
		const before = await batch.screenshot();
		await page.getByLabel("Turn", { exact: true }).focus();
		await page.keyboard.press("PageUp");
		const differs = async (from: Buffer): Promise<boolean> => !(await batch.screenshot()).equals(from);
		await expect.poll(() => differs(before)).toBe(true);
		const turned = await batch.screenshot();
		await batch.scrollIntoViewIfNeeded();
		const box = await batch.boundingBox();
		if (!box) throw new Error("the block is not on the page");
		await page.mouse.move(box.x + 100, box.y + 100);
		await page.mouse.down();
		await page.mouse.move(box.x + 160, box.y + 120, { steps: 4 });
		await page.mouse.up();
		await expect.poll(() => differs(turned)).toBe(true);
		const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).include("#family").analyze();
		expect(
			violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id }) => id),
		).toEqual([]);
		await lab.close(page);
	});
});
