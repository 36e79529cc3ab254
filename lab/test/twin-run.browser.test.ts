// The claim that the page opens with, made good in a real browser: at learning rate 1.0 the network with batch
// normalization learns Fashion-MNIST, and the one without stays at guessing.

import { expect, test } from "vitest";
import { describeLab } from "./support/lab-page.ts";
import { reading, score } from "./support/readings.ts";

describeLab("a twin run on Fashion-MNIST", (lab) => {
	test("ends with batch norm above 80% and no norm at chance", async () => {
		const page = await lab.open();
		await page.getByRole("button", { name: "Start" }).click();
		await page.getByText("done", { exact: true }).waitFor({ timeout: 180_000 });
		expect(await reading(page, "step")).toBe(480);
		expect(await score(page, "a", "train")).toBeGreaterThan(0.8);
		expect(await score(page, "a", "loss")).toBeLessThan(0.6);
		expect(await score(page, "b", "train")).toBeLessThan(0.15);
		expect(await score(page, "b", "test")).toBeLessThan(0.15);
		expect(await score(page, "b", "loss")).toBeCloseTo(2.3, 1);
		expect(await reading(page, "threads")).toBeGreaterThan(0);
		await lab.close(page);
	});

	test("one twin alone trains, and the other is not shown", async () => {
		const page = await lab.open({ search: "?b.on=0&steps=5" });
		await page.getByRole("button", { name: "Start" }).click();
		await page.getByText("done", { exact: true }).waitFor();
		expect(await page.locator(".scores tbody tr").count()).toBe(1);
		expect(await score(page, "a", "loss")).toBeGreaterThan(1);
		await lab.close(page);
	});
});
