import { expect, test } from "vitest";
import { describeLab } from "../../../test/support/lab-page.ts";
import { atStep } from "../../../test/support/readings.ts";

describeLab("the curves", (lab) => {
	test("both twins take the steps that are asked for", async () => {
		const page = await lab.open();
		await page.getByRole("button", { name: "Step", exact: true }).click();
		await atStep(page, 1);
		expect(await page.locator("#curves canvas").count()).toBe(2);
		await lab.close(page);
	});
});
