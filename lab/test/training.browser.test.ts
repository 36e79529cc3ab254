// Training as the buttons and settings drive it: on a slow line, without a line, and told one thing after another.

import type { Page } from "playwright";
import { describe, expect, test } from "vitest";
import { describeLab } from "./support/lab-page.ts";
import { atStep, reading } from "./support/readings.ts";

const quick = "?data=xor&net=mlp&depth=1&width=8&steps=0";
const start = (page: Page) => page.getByRole("button", { name: "Start", exact: true });
const status = (page: Page) => page.locator(".phase");

describeLab("training", (lab) => {
	test("goes on under the last of two settings that are changed one right after the other", async () => {
		const page = await lab.open({ search: quick });
		await start(page).click();
		await expect.poll(() => reading(page, "step")).toBeGreaterThan(10);
		await page.evaluate(async () => {
			const options = { bubbles: true };
			for (const [name, value] of [
				["Data", "moons"],
				["Activation of twin A", "tanh"],
			]) {
				const select = document.querySelector<HTMLSelectElement>(`select[aria-label="${name}"]`);
				if (!select) throw new Error(`no ${name}`);
				select.value = value;
				select.dispatchEvent(new Event("change", options));
				// The page has told the engine of the first, and the engine has not answered yet.
				for (let i = 0; i < 20; i++) await null;
			}
		});
		expect(await status(page).innerText()).not.toBe("paused");
		await page.getByRole("button", { name: "Pause", exact: true }).waitFor();
		await expect.poll(() => status(page).innerText()).toBe("training");
		const before = await reading(page, "step");
		await expect.poll(() => reading(page, "step")).toBeGreaterThan(before);
		await page.getByRole("button", { name: "Pause", exact: true }).click();
		await start(page).waitFor();
		await expect.poll(() => status(page).innerText()).toBe("paused");
		await lab.close(page);
	});

	test("says so as soon as it is started, and after the last step that it is done", async () => {
		const page = await lab.open({ search: "?batch=1024&steps=3" });
		await page.getByRole("button", { name: "Step", exact: true }).click();
		await atStep(page, 1);
		await expect.poll(() => status(page).innerText()).toBe("paused");
		await start(page).click();
		expect(await status(page).innerText()).toMatch(/^(training|done)$/);
		await expect.poll(() => status(page).innerText()).toBe("done");
		await start(page).waitFor();
		await lab.close(page);
	});

	test("says how it stands on a telephone too", async () => {
		const page = await lab.open({ search: quick, width: 360, height: 640 });
		expect(await page.getByRole("status").filter({ hasText: "ready when you are" }).isVisible()).toBe(true);
		await start(page).click();
		await page.getByRole("status").filter({ hasText: "training" }).waitFor();
		await lab.close(page);
	});

	test("of a batch of one names the layer as the page does, in Chinese", async () => {
		const page = await lab.open({ search: `${quick}&batch=1&lang=zh` });
		await page.getByRole("button", { name: "单步", exact: true }).click();
		await page.getByRole("alert").getByText("norm1 的每个通道只有一个值").waitFor();
		await lab.close(page);
	});

	describe("without a line", () => {
		test("says that the engine's code is missing, and begins when Start is pressed again", async () => {
			const page = await lab.open({ search: `${quick}&lang=zh`, expected: /ERR_(FAILED|ABORTED)/ });
			await page.route(/client-[^/]*\.js$/, (route) => route.abort());
			await page.getByRole("button", { name: "开始", exact: true }).click();
			await page.getByRole("alert").getByText("无法加载引擎代码").waitFor();
			await page.unroute(/client-[^/]*\.js$/);
			await page.getByRole("button", { name: "开始", exact: true }).click();
			await expect.poll(() => reading(page, "step")).toBeGreaterThan(10);
			expect(await page.getByRole("alert").count()).toBe(0);
			await lab.close(page);
		});

		test("the same where the worker's code is missing; panels hear of the engine that comes then", async () => {
			const page = await lab.open({ search: quick, expected: /ERR_(FAILED|ABORTED)/ });
			await page.locator("#stepper").scrollIntoViewIfNeeded();
			await page.locator(".stepper-note").waitFor();
			await page.route(/worker-[^/]*\.js$/, (route) => route.abort());
			await start(page).click();
			await page.getByRole("alert").getByText("could not be loaded").waitFor();
			await page.unroute(/worker-[^/]*\.js$/);
			const train = page.getByRole("button", { name: "Train one step" });
			await train.click();
			await atStep(page, 1);
			await train.click();
			await page.locator(".stepper-note", { hasText: "norm1 at training step 2" }).waitFor();
			await lab.close(page);
		});

		test("a panel says that its code is missing, and loads it on Retry", async () => {
			const page = await lab.open({ search: "?lang=zh", height: 600, expected: /ERR_(FAILED|ABORTED)/ });
			await page.route(/\/assets\//, (route) => route.abort());
			await page.locator("#family").scrollIntoViewIfNeeded();
			const panel = page.locator("#family");
			await panel.getByText("无法加载此部分的代码").waitFor();
			await page.unroute(/\/assets\//);
			await panel.getByRole("button", { name: "重试" }).click();
			await panel.locator(".family").first().waitFor();
			await lab.close(page);
		});

		test("data that did not come are asked for again when Start is pressed again", async () => {
			const page = await lab.open({ search: "?steps=0", expected: /ERR_(FAILED|ABORTED)/ });
			await page.route(/\/data\/(?!available)/, (route) => route.abort());
			await start(page).click();
			await page.getByRole("alert").waitFor();
			await page.unroute(/\/data\/(?!available)/);
			await start(page).click();
			await expect.poll(() => reading(page, "step")).toBeGreaterThan(1);
			expect(await page.getByRole("alert").count()).toBe(0);
			await lab.close(page);
		});
	});
});
