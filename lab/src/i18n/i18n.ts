// Two languages, side by side: a text is both at once, and what is shown depends on the language that is chosen. Each
// panel has a strings.ts of its own, made with `defineStrings`, so the type checker sees that nothing is missing.

import { effect, signal } from "@preact/signals";

/** The languages, in the order of the switch. */
export const languages = ["en", "zh"] as const;
export type Language = (typeof languages)[number];

/** One text in both languages. */
export interface Text {
	readonly en: string;
	readonly zh: string;
}

/** Texts by name; those with something to fill in are functions. */
export type Strings = Readonly<Record<string, Text | ((...values: never[]) => Text)>>;

/** A panel's texts. */
export function defineStrings<const S extends Strings>(strings: S): S {
	return strings;
}

const storageKey = "evenkeel-lab-language";

/** The language in use. */
export const language = signal<Language>("en");

/** The text in the language in use. Components that call it are drawn again when the language changes. */
export function t(text: Text): string {
	return text[language.value];
}

/** A number as it is written in the language in use. */
export function formatNumber(value: number, options: Intl.NumberFormatOptions = {}): string {
	return value.toLocaleString(language.value === "zh" ? "zh-CN" : "en-US", options);
}

/** Chooses a language and remembers it. */
export function chooseLanguage(chosen: Language): void {
	language.value = chosen;
	remember(storageKey, chosen);
}

/**
 * Finds the language to begin with: `?lang=` of the address, what was chosen before, what the browser prefers; and keeps
 * the document's `lang` with it.
 */
export function startLanguage(search: string): void {
	const asked = new URLSearchParams(search).get("lang");
	language.value = languageOf(asked) ?? languageOf(recall(storageKey)) ?? preferred();
	effect(() => {
		document.documentElement.lang = language.value === "zh" ? "zh-Hans" : "en";
	});
}

function preferred(): Language {
	for (const tag of navigator.languages ?? [navigator.language]) {
		const found = languageOf(tag);
		if (found) return found;
	}
	return "en";
}

/** The language of a tag, `zh-CN`; undefined if it is none of ours. */
export function languageOf(tag: string | null): Language | undefined {
	return languages.find((one) => tag?.toLowerCase().split("-")[0] === one);
}

/** Storage may be forbidden; the choice then lasts as long as the page. */
export function remember(key: string, value: string): void {
	try {
		localStorage.setItem(key, value);
	} catch {}
}

export function recall(key: string): string | null {
	try {
		return localStorage.getItem(key);
	} catch {
		return null;
	}
}
