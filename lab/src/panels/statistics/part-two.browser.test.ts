// Quantiles, scale and shift, running statistics: read by keyboard, in both twins.

import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright";
import { expect, test } from "vitest";
import { describeLab } from "../../../test/support/lab-page.ts";
import { atStep } from "../../../test/support/readings.ts";

const panels = ["heat-maps", "distribution", "scale-shift", "statistics"];

/** Shows a panel, trains so many steps, one by one, and puts the cursor of its first chart at the end. */
async function read(page: Page, id: string, steps: number): Promise<string[]> {
	await page.locator(`#${id}`).scrollIntoViewIfNeeded();
	const chart = page.locator(`#${id} [role=application]`);
	await chart.first().waitFor();
	for (let i = 1; i <= steps; i++) {
		await page.getByRole("button", { name: /^(Step|单步)$/ }).click();
		await atStep(page, i);
	}
	// What is at the cursor is read out when it moves: the numbers may come a moment after the step's count.
	const atEnd = async (): Promise<string[]> => {
		await chart.first().press("End");
		return page.locator(`#${id} output`).allTextContents();
	};
	await expect.poll(async () => (await atEnd())[0], { timeout: 10_000 }).toMatch(new RegExp(`step ${steps} `));
	return atEnd();
}

describeLab("what the lab shows of a layer", (lab) => {
	test("quantiles, of the layer that is chosen", async () => {
		const page = await lab.open();
		// The layers to choose from are known when the run has begun: the first step is not in the picture.
		const [a] = await read(page, "distribution", 2);
		expect(a).toMatch(/^step 2 · median \S+, middle 68% \S+ to \S+, all \S+ to \S+$/);
		await page.locator("#distribution select").selectOption("sigmoid1");
		// The engine hears of it after the next frame.
		await page.waitForTimeout(500);
		await page.getByRole("button", { name: "Step", exact: true }).click();
		await atStep(page, 3);
		const chart = page.locator("#distribution [role=application]").first();
		const sigmoidText = async (): Promise<string> => {
			await chart.press("End");
			return (await page.locator("#distribution output").first().textContent()) ?? "";
		};
		await expect.poll(sigmoidText, { timeout: 10_000 }).toMatch(/, all /);
		const sigmoid = await sigmoidText();
		const [least, most] = sigmoid.split(", all ")[1].split(" to ").map(Number);
		expect(least).toBeGreaterThan(0);
		expect(most).toBeLessThan(1);
		await lab.close(page);
	});

	test("scale starts at 1, and the network without norms has none", async () => {
		const page = await lab.open();
		const [a, b] = await read(page, "scale-shift", 2);
		expect(a).toMatch(/^channel \d · step 2 · (0\.9|1|1\.0)\d*$/);
		expect(b).toBe("Nothing of the kind in this network.");
		await lab.close(page);
	});

	test("with batch norm the modes differ, without norms they do not", async () => {
		const page = await lab.open();
		const [a, b] = await read(page, "statistics", 2);
		const losses = (text: string) => /train mode (\S+) · eval mode (\S+)/.exec(text)?.slice(1).map(Number) ?? [];
		expect(losses(a)[0]).not.toBe(losses(a)[1]);
		expect(losses(b)).toHaveLength(2);
		const texts = await page.locator("#statistics output").allTextContents();
		expect(texts.filter((text) => /batch \S+ · running \S+/.test(text))).toHaveLength(2);
		expect(losses(b)[0]).toBe(losses(b)[1]);
		await lab.close(page);
	});

	test.each([
		[360, false, "en"],
		[360, true, "zh"],
		[1920, false, "zh"],
		[1920, true, "en"],
	] as const)("axe finds nothing and nothing is cut off: %d px, dark %s, %s", async (width, dark, lang) => {
		const page = await lab.open({ width, dark, search: `?lang=${lang}` });
		const chartOf = (id: string) => page.locator(`#${id} [role=application]`).first();
		for (const id of panels) {
			await page.locator(`#${id}`).scrollIntoViewIfNeeded();
			await chartOf(id).waitFor();
		}
		// A single step is taken to be looked at: every panel gets its numbers of it, in view or not.
		for (const step of [1, 2, 3]) {
			await page.getByRole("button", { name: /^(Step|单步)$/ }).click();
			await atStep(page, step);
		}
		for (const id of panels) {
			const atEnd = async (): Promise<string | null> => {
				await chartOf(id).press("End");
				return page.locator(`#${id} output`).first().textContent();
			};
			await expect.poll(atEnd, { timeout: 30_000 }).toMatch(/\d/);
			await chartOf(id).press("Escape");
		}
		expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
		const axe = panels.reduce((builder, id) => builder.include(`#${id}`), new AxeBuilder({ page }));
		const { violations } = await axe.analyze();
		expect(violations.map(({ id: rule, nodes }) => [rule, nodes.map(({ html }) => html)])).toEqual([]);
		await lab.close(page);
	});
});
