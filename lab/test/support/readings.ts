// What the page says, as numbers.

import type { Page } from "playwright";

/** A reading beside the buttons; NaN if there is none. */
export async function reading(page: Page, name: "step" | "epoch" | "speed" | "threads"): Promise<number> {
	return toNumber(await page.locator(`[data-reading="${name}"] dd`).innerText());
}

/** Waits until the page says that so many steps are done. */
export async function atStep(page: Page, step: number): Promise<void> {
	await page.locator('[data-reading="step"] dd').getByText(String(step), { exact: true }).waitFor();
}

/** A twin's score, shares as shares of 1. */
export async function score(page: Page, side: "a" | "b", name: "loss" | "train" | "test" | "speed"): Promise<number> {
	return toNumber(await page.locator(`[data-side="${side}"] [data-score="${name}"]`).innerText());
}

function toNumber(text: string): number {
	const plain = text.replaceAll(",", "").trim();
	return plain.endsWith("%") ? Number(plain.slice(0, -1)) / 100 : Number(plain);
}
