import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright";
import { expect, test } from "vitest";
import { explainBatchNorm } from "../../../../src/ops/norm/batch-norm/explain.ts";
import { describeLab } from "../../../test/support/lab-page.ts";
import { atStep } from "../../../test/support/readings.ts";
import { formatValue } from "./format.ts";
import { stages } from "./stages.ts";

/** The numbers of a quantity that are on the page, in full. */
function numbers(page: Page, name: string, within = ".stepper-given"): Promise<number[]> {
	return page
		.locator(`${within} [data-name="${name}"] [data-value]`)
		.evaluateAll((cells) => cells.map((cell) => Number(cell.getAttribute("data-value"))));
}

/** Walks all steps and compares every number with explainBatchNorm of what is given. */
async function compareAll(page: Page): Promise<void> {
	const [x, dy, gamma, beta, [eps]] = await Promise.all(
		["x", "dy", "gamma", "beta", "eps"].map((name) => numbers(page, name)),
	);
	const shape = [x.length / gamma.length, gamma.length];
	const all = explainBatchNorm({ shape, data: x }, gamma, beta, { eps, dy: { shape, data: dy } });
	await page.locator(".stepper-rung").first().click();
	for (const { assignments } of stages) {
		for (const { name } of assignments) {
			if (!(name in all)) continue;
			const expected = (all[name as keyof typeof all] as number[] | number[][]).flat();
			// An attribute has no sign for 0.
			expect(await numbers(page, name, ".is-result"), name).toEqual(expected.map((value) => value || 0));
			const shown = await page.locator(`.is-result [data-name="${name}"] button`).allTextContents();
			expect(shown, name).toEqual(expected.map(formatValue));
		}
		await page.keyboard.press("ArrowRight");
	}
}

async function axe(page: Page): Promise<string[]> {
	const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).include("#stepper").analyze();
	return violations
		.filter(({ impact }) => impact === "serious" || impact === "critical")
		.map(({ id, nodes }) => `${id}: ${nodes[0].html}`);
}

describeLab("the stepper", (lab) => {
	test("shows explainBatchNorm's numbers, follows an edit, and tells where a number comes from", async () => {
		const page = await lab.open();
		await page.locator("#stepper").scrollIntoViewIfNeeded();
		await page.locator(".stepper-rung").first().waitFor();
		await compareAll(page);

		await page.locator(".stepper-rung").nth(1).click();
		const field = page.getByLabel("x, example 0, channel 0", { exact: true });
		await field.fill("11");
		expect(await numbers(page, "mu", ".is-result")).toEqual([5, 32]);
		expect(await page.locator(".stepper-live").textContent()).toContain("is now 11");
		expect(await page.locator(".is-result .is-changed").count()).toBe(1);
		await compareAll(page);

		await page.locator(".stepper-rung").nth(1).click();
		await page.locator('.is-result [data-name="mu"] button').first().focus();
		expect(await page.locator(".stepper-arithmetic").textContent()).toBe("μ = (11 + 2 + 4 + 5 + 3) / 5 = 5");
		expect(await page.locator('[data-name="x"] .is-lit').count()).toBe(5);
		expect(await axe(page)).toEqual([]);

		const eps = page.getByLabel("ε", { exact: true });
		await eps.fill("-1");
		await eps.blur();
		expect(await page.locator(".stepper-problem").innerText()).toBe(
			"These numbers cannot be normalized: ε must be at least 0.",
		);
		expect(await eps.inputValue()).toBe("-1");
		expect(await eps.getAttribute("aria-invalid")).toBe("true");
		expect(await field.getAttribute("aria-invalid")).toBe("false");
		await field.fill("7");
		expect(await numbers(page, "eps")).toEqual([-1]);
		await eps.fill("0.5");
		expect(await page.locator(".stepper-problem").count()).toBe(0);
		expect(await numbers(page, "mu", ".is-result")).toEqual([4.2, 32]);
		await page.getByRole("button", { name: "Undo all edits" }).click();
		expect((await numbers(page, "x"))[0]).toBe(1);
		await lab.close(page);
	});

	test("keeps the marks of an edit, however its number is written", async () => {
		const page = await lab.open();
		await page.locator("#stepper").scrollIntoViewIfNeeded();
		await page.locator(".stepper-rung").nth(1).click();
		const field = page.getByLabel("x, example 0, channel 0", { exact: true });
		for (const text of ["1,5", "2.50"]) {
			await field.fill(text);
			await field.blur();
			expect(await page.locator(".is-result .is-changed").count(), text).toBe(1);
		}
		await lab.close(page);
	});

	test("names the table until a layer has been at work, and does not end a run", async () => {
		const page = await lab.open({ search: "?data=xor&net=mlp&steps=3", height: 600 });
		await page.getByRole("button", { name: "Start", exact: true }).click();
		await page.getByText("done", { exact: true }).waitFor();
		await page.locator("#stepper").scrollIntoViewIfNeeded();
		const select = page.getByLabel("Numbers from");
		await page
			.locator(".stepper-note", { hasText: "Take one more step to see the numbers of twin A, norm1" })
			.waitFor();
		expect(await select.inputValue()).toBe("table");
		const train = page.getByRole("button", { name: "Train one step" });
		await train.click();
		await page.locator(".stepper-note", { hasText: "norm1 at training step 4" }).waitFor();
		expect(await select.inputValue()).toBe("a:norm1");
		await page.getByRole("button", { name: "Start", exact: true }).click();
		expect(await train.isDisabled()).toBe(true);
		await lab.close(page);
	});

	test("takes its numbers from the batch in training", async () => {
		const page = await lab.open();
		await page.locator("#stepper").scrollIntoViewIfNeeded();
		await page.locator(".stepper-rung").first().waitFor();
		await page.getByRole("button", { name: "Train one step" }).click();
		await atStep(page, 1);
		await page.getByRole("button", { name: "Train one step" }).click();
		await page.locator(".stepper-note", { hasText: "norm1 at training step 2" }).waitFor();
		await compareAll(page);
		expect((await numbers(page, "dy")).some((value) => value !== 0)).toBe(true);
		await lab.close(page);
	});
});
