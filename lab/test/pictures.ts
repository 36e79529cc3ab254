// Pictures of the panels, for docs/lab/. They are no tests, and run alone, when LAB_SCREENSHOTS names the folder to write to:
//
//     LAB_SCREENSHOTS=/tmp/lab npx vitest run --project lab

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright";
import { describe, test } from "vitest";
import { describeLab } from "./support/lab-page.ts";
import { weightsOfOneNorm } from "./support/weights.ts";

const folder = process.env.LAB_SCREENSHOTS ?? "";

/** What is to be seen in a panel's picture. */
interface Picture {
	readonly panel: string;
	/** What its page is opened with. Default: the first experiment, untrained. */
	readonly search?: string;
	/** Whether that experiment is run to its end, with the panel on the screen all the time. */
	readonly trained?: boolean;
	/** What is done at last. */
	readonly prepare?: (page: Page) => Promise<void>;
}

const run = { search: "steps=120", trained: true } as const;

const pictures: readonly Picture[] = [
	{ panel: "curves", ...run },
	{ panel: "surface", search: "preset=spirals", trained: true },
	{ panel: "heat-maps", ...run },
	{ panel: "distribution", search: "net=mlp&width=128&steps=240", trained: true },
	{ panel: "scale-shift", ...run },
	{ panel: "statistics", ...run },
	{
		panel: "stepper",
		async prepare(page) {
			await page.locator(".stepper-rung").nth(7).click();
			await page.locator(".is-result button").nth(3).hover();
		},
	},
	{ panel: "family" },
	{ panel: "try-it", ...run },
	{
		panel: "open-model",
		async prepare(page) {
			const buffer = Buffer.from(weightsOfOneNorm());
			const file = { name: "net.safetensors", mimeType: "application/octet-stream", buffer };
			await page.locator("#open-model input[type=file]").setInputFiles(file);
			await page.getByRole("heading", { name: "bn1 BatchNorm2d" }).waitFor();
		},
	},
];

/** Brings the panel to the top, and waits for what loads above it and pushes it away. */
async function show(page: Page, panel: string): Promise<void> {
	for (let i = 0; i < 3; i++) {
		await page.locator(`#${panel}`).evaluate((element) => element.scrollIntoView());
		await page.waitForTimeout(500);
	}
}

describeLab("pictures", (lab) => {
	describe.each([360, 1920])("%i pixels", (width) => {
		describe.each(["light", "dark"])("%s", (theme) => {
			test.each(pictures)("$panel", async ({ panel, search = "", trained = false, prepare }) => {
				mkdirSync(folder, { recursive: true });
				const dark = theme === "dark";
				const language = dark ? "&lang=zh" : "";
				const page = await lab.open({ width, height: 1000, dark, search: `?v=1&${search}${language}` });
				// A bar that stays in view would lie over what is taller than the window.
				const still = ".controls, .bench-side { position: static !important } .panel { scroll-margin: 0 !important }";
				await page.addStyleTag({ content: still });
				await show(page, panel);
				if (trained) {
					// A click would scroll to the button. The layers to ask for are known after the first step.
					for (const [button, phase] of [
						[1, /^(paused|已暂停)$/],
						[3, /^(ready when you are|随时可以开始)$/],
						[0, /^(done|已完成)$/],
					] as const) {
						await page.locator(".controls button").nth(button).dispatchEvent("click");
						await page.locator(".phase").getByText(phase).waitFor({ state: "attached", timeout: 200_000 });
						if (button !== 0) await page.waitForTimeout(700);
					}
					await show(page, panel);
				}
				await prepare?.(page);
				// The last numbers arrive, and are drawn.
				await page.waitForTimeout(600);
				await page.locator(`#${panel}`).screenshot({ path: join(folder, `${panel}-${width}-${theme}.png`) });
				await lab.close(page);
			});
		});
	});
});
