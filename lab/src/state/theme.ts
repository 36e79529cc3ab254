// Light and dark: what the system prefers, unless chosen here.

import { effect, signal } from "@preact/signals";
import { recall, remember } from "../i18n/i18n.ts";

export type Theme = "light" | "dark";

const storageKey = "evenkeel-lab-theme";

/** The theme in use. Canvases draw again when it changes: read it in their effect. */
export const theme = signal<Theme>("light");

export function chooseTheme(chosen: Theme): void {
	theme.value = chosen;
	remember(storageKey, chosen);
}

/** Begins with what was chosen before, or what the system prefers, and follows the system until something is chosen. */
export function startTheme(): void {
	const dark = matchMedia("(prefers-color-scheme: dark)");
	const before = recall(storageKey);
	theme.value = before === "dark" || before === "light" ? before : dark.matches ? "dark" : "light";
	dark.addEventListener("change", () => {
		if (recall(storageKey) === null) theme.value = dark.matches ? "dark" : "light";
	});
	effect(() => {
		document.documentElement.dataset.theme = theme.value;
	});
}

/** The value of a CSS variable of ours, such as `--twin-a`: for canvases. Reads the theme, so effects follow it. */
export function cssColor(name: string): string {
	void theme.value;
	return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
