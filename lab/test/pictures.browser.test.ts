// Pictures for docs/lab/ of the panels that show a run over time: LAB_SCREENSHOTS names the folder they are written to.

import { mkdirSync } from "node:fs";
import { test } from "vitest";
import { describeLab } from "./support/lab-page.ts";

const { LAB_SCREENSHOTS: folder } = process.env;

const runs = [
	{ search: "steps=160", panels: ["curves", "heat-maps", "distribution", "scale-shift", "statistics"] },
	{ search: "preset=spirals", panels: ["surface"] },
];

const looks = [360, 1920].flatMap((width) => [false, true].map((dark) => [width, dark] as const));

describeLab("pictures of a run", (lab) => {
	test.skipIf(!folder).each(looks)("%i pixels, dark: %s", async (width, dark) => {
		mkdirSync(folder ?? "", { recursive: true });
		for (const { search, panels } of runs) {
			const page = await lab.open({ width, height: 1000, dark, search: `?v=1&${search}` });
			// A bar that stays in view would lie over what is taller than the window.
			await page.addStyleTag({ content: ".controls, .bench-side { position: static !important }" });
			await page.getByRole("button", { name: "Start", exact: true }).click();
			await page.locator(`#${panels[0]}`).scrollIntoViewIfNeeded();
			await page.getByText("done", { exact: true }).waitFor({ state: "attached", timeout: 200_000 });
			for (const id of panels) {
				const panel = page.locator(`#${id}`);
				await panel.scrollIntoViewIfNeeded();
				// The last numbers arrive, and are drawn.
				await page.waitForTimeout(600);
				await panel.screenshot({ path: `${folder}/${id}-${width}-${dark ? "dark" : "light"}.png` });
			}
			await lab.close(page);
		}
	});
});
