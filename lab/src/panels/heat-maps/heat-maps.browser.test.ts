import type { Page } from "playwright";
import { expect, test } from "vitest";
import { describeLab } from "../../../test/support/lab-page.ts";
import { atStep } from "../../../test/support/readings.ts";

/** The lines of text below the pictures of one metric: twin A's, twin B's. */
async function texts(page: Page, title: string): Promise<string[]> {
	const section = page.locator("#heat-maps section", { has: page.getByRole("heading", { name: title, exact: true }) });
	return section.locator("output").allTextContents();
}

async function trained(page: Page, steps: number): Promise<void> {
	await page.locator("#heat-maps").scrollIntoViewIfNeeded();
	await page.locator("#heat-maps canvas").first().waitFor();
	const button = page.getByRole("button", { name: /^(Step|单步)$/ });
	for (let i = 1; i <= steps; i++) {
		await button.click();
		await atStep(page, i);
	}
}

// axe looks at them with the other panels of their kind, in statistics/part-two.browser.test.ts.
describeLab("the heat maps", (lab) => {
	test("keyboard and pointer read layer, step and value of both twins", async () => {
		const page = await lab.open();
		await trained(page, 3);
		const chart = page.getByRole("application", { name: /^Heat map: Activation mean of each layer of Twin A/ });
		await chart.focus();
		// The numbers may come a moment after the step's count, and what is read by keyboard stays as it was.
		const atEnd = async (): Promise<string[]> => {
			await page.keyboard.press("End");
			return texts(page, "Activation mean");
		};
		await expect
			.poll(atEnd)
			.toEqual([
				expect.stringMatching(/^conv1 · step 3 · [-\d.e]+$/),
				expect.stringMatching(/^conv1 · step 3 · [-\d.e]+$/),
			]);
		await page.keyboard.press("ArrowDown");
		await page.keyboard.press("Home");
		await expect
			.poll(() => texts(page, "Activation mean"))
			.toEqual([expect.stringMatching(/^norm1 · step 1 · -?[\d.e-]+$/), "norm1 · step 1 · no such layer"]);
		await page.keyboard.press("Escape");
		await expect.poll(() => texts(page, "Activation mean")).toEqual([" ", " "]);

		const canvas = page.locator("#heat-maps section").nth(2).locator("canvas").first();
		await canvas.scrollIntoViewIfNeeded();
		const box = await canvas.boundingBox();
		if (!box) throw new Error("the canvas has no place");
		await canvas.hover({ position: { x: box.width * 0.3, y: 12 } });
		await expect
			.poll(() => texts(page, "Dead or saturated"))
			.toEqual([
				expect.stringMatching(/^sigmoid1 · step \d · [\d.]+%$/),
				expect.stringMatching(/^sigmoid1 · step \d · [\d.]+%$/),
			]);
		await lab.close(page);
	});

	test("a norm's output has mean 0 and deviation 1 at the first step", async () => {
		const page = await lab.open();
		await trained(page, 1);
		for (const [title, value] of [
			["Activation mean", 0],
			["Activation standard deviation", 1],
		] as const) {
			const chart = page.getByRole("application", { name: new RegExp(`^Heat map: ${title} of each layer of Twin A`) });
			await chart.focus();
			await page.keyboard.press("End");
			await page.keyboard.press("ArrowDown");
			const read = async (): Promise<string> => (await texts(page, title))[0];
			await expect.poll(read).toMatch(/^norm1 · step 1 · /);
			expect(Math.abs(Number((await read()).split(" · ")[2]) - value)).toBeLessThan(1e-3);
		}
		await lab.close(page);
	});

	test("the picture has colors, and follows reset", async () => {
		const page = await lab.open();
		await trained(page, 2);
		const colors = async () => {
			const picture = page.locator("#heat-maps canvas").first();
			// What loads above may have pushed it off the screen, where nothing is drawn.
			await picture.scrollIntoViewIfNeeded();
			return picture.evaluate((canvas: HTMLCanvasElement) => {
				const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
				copy?.drawImage(canvas, 0, 0);
				const { data } = copy?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
				const found = new Set<string>();
				for (let i = 0; i < data.length; i += 4)
					if (data[i + 3] === 255) found.add(`${data[i]},${data[i + 1]},${data[i + 2]}`);
				return found.size;
			});
		};
		await expect.poll(colors).toBeGreaterThan(6);
		const many = await colors();
		await page.getByRole("button", { name: "Reset" }).click();
		await expect.poll(colors).toBeLessThan(many);
		await lab.close(page);
	});
});
