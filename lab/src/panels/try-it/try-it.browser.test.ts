import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright";
import { expect, test } from "vitest";
import { describeLab } from "../../../test/support/lab-page.ts";
import { atStep } from "../../../test/support/readings.ts";

/** Scrolls to the panel, and waits until both twins have answered. */
async function show(page: Page): Promise<void> {
	// Panels above it grow as they load, and push it away again.
	const count = async () => {
		await page.locator("#try-it").scrollIntoViewIfNeeded();
		return page.locator("#try-it .try-share").count();
	};
	await expect.poll(count, { timeout: 30_000 }).toBe(20);
}

const rowsOf = (page: Page, side: string): Promise<string[]> =>
	page.locator(`#try-it section.twin-${side} .try-modes td`).allTextContents();

describeLab("trying a picture", (lab) => {
	test("a test picture is judged by both twins, and shown layer by layer; training goes on undisturbed", async () => {
		// Tall, so that the panel is looked at all the time.
		const page = await lab.open({ height: 9000 });
		await show(page);
		const untrained = await page.locator("#try-it .try-share").allTextContents();
		const step = page.getByRole("button", { name: "Step", exact: true });
		for (const count of [1, 2]) {
			await step.click();
			await atStep(page, count);
		}
		const sharesOf = (each: Page): Promise<string[]> => each.locator("#try-it .try-share").allTextContents();
		await expect.poll(() => sharesOf(page)).not.toEqual(untrained);
		expect(await page.locator("#try-it section.twin-a .try-maps canvas").count()).toBe(4 * 6 + 4 * 16);
		expect(await page.getByRole("img", { name: /^norm1: 6 maps of 24 × 24/ }).count()).toBe(1);

		const other = await lab.open({ height: 300 });
		for (const count of [1, 2]) {
			await other.getByRole("button", { name: "Step", exact: true }).click();
			await atStep(other, count);
		}
		await show(other);
		// Either may still show the answer of a step before.
		const same = async (): Promise<boolean> => String(await sharesOf(other)) === String(await sharesOf(page));
		await expect.poll(same, { timeout: 30_000 }).toBe(true);
		expect(await sharesOf(page)).not.toEqual(untrained);
		await lab.close(page);
		await lab.close(other);
	});

	test("alone in training mode batch norm refuses one value a channel; the twin without norms does not care", async () => {
		const page = await lab.open();
		await show(page);
		const [evaluation, alone, company, others] = await rowsOf(page, "a");
		expect(alone).toBe("refused");
		expect(new Set([evaluation, company, others]).size).toBe(3);
		expect(new Set(await rowsOf(page, "b")).size).toBe(1);
		const facts = await page.locator("#try-it section.twin-a .try-facts td").allTextContents();
		expect(facts.filter((_, i) => i % 3 === 0)).toEqual(["576", "64", "1", "1"]);
		expect(facts.slice(-3)).toEqual(["1", "0", "1"]);

		// The same for every picture: its first norm over single values forgets it.
		const why = page.locator("#try-it section.twin-a .try-why strong");
		const ranges = page.locator("#try-it section.twin-a .try-layer-name");
		const [answer, seen] = [await why.textContent(), await ranges.allTextContents()];
		await page.getByRole("button", { name: /^Test picture 2:/ }).press("Enter");
		await expect.poll(() => ranges.allTextContents()).not.toEqual(seen);
		expect(await why.textContent()).toBe(answer);
		await lab.close(page);
	});

	test("a drawing and an opened picture become 28 by 28 values; a broken file is told in one line", async () => {
		const page = await lab.open();
		await show(page);
		const pad = page.getByRole("img", { name: /^Drawing pad/ });
		await pad.scrollIntoViewIfNeeded();
		const box = await pad.boundingBox();
		if (!box) throw new Error("the pad has no place");
		await page.mouse.move(box.x + 100, box.y + 60);
		await page.mouse.down();
		await page.mouse.move(box.x + 100, box.y + 200, { steps: 4 });
		await page.mouse.up();
		await page.getByText(/^Made like Fashion-MNIST: gray, contrast stretched, cut to 2\d × 16\d/).waitFor();

		const png = await page.evaluate(async () => {
			const canvas = new OffscreenCanvas(100, 60);
			const context = canvas.getContext("2d");
			if (!context) throw new Error("no canvas");
			context.fillStyle = "#eee";
			context.fillRect(0, 0, 100, 60);
			context.fillStyle = "#222";
			context.fillRect(10, 10, 50, 25);
			return [...new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())];
		});
		const input = page.locator("#try-it input[type=file]");
		await input.setInputFiles({ name: "shirt.png", mimeType: "image/png", buffer: Buffer.from(png) });
		await page.getByText(/gray, inverted to light on black, contrast stretched, cut to 50 × 25/).waitFor();
		await input.setInputFiles({ name: "no.png", mimeType: "image/png", buffer: Buffer.from("no") });
		await page.getByRole("alert").getByText("no.png: the browser cannot read this as a picture").waitFor();
		await lab.close(page);
	});

	test.for([
		[360, "light"],
		[360, "dark"],
		[1920, "light"],
		[1920, "dark"],
	] as const)("is usable at %i pixels, %s", async ([width, theme]) => {
		const page = await lab.open({ width, dark: theme === "dark", search: theme === "dark" ? "?lang=zh" : "" });
		await show(page);
		const wide = await page.evaluate(() => document.documentElement.scrollWidth);
		expect(wide).toBeLessThanOrEqual(width);
		const { violations } = await new AxeBuilder({ page }).setLegacyMode().include("#try-it").analyze();
		expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`)).toEqual([]);
		await lab.close(page);
	});
});
