// The address bar follows the settings, and the settings what it said at the start.

import { effect, signal } from "@preact/signals";
import { language, languageOf, languages, startLanguage } from "../i18n/i18n.ts";
import { type AddressProblem, readAddress, readThreads, writeAddress } from "../settings/address.ts";
import { settings } from "./lab.ts";

/** What the address got wrong, until it is dismissed. */
export const addressProblems = signal<readonly AddressProblem[]>([]);

/** What is in the address besides settings, and stays. */
const others = ["lang", "threads"];

/** Takes settings and language from the address, and keeps it up to date from then on. */
export function startAddressBar(): void {
	startLanguage(location.search);
	const read = readAddress(location.search);
	settings.value = read.settings;
	addressProblems.value = [...read.problems, ...problemsOfLanguage()];
	const show = (): void => {
		const query = new URLSearchParams(writeAddress(settings.value));
		for (const key of others) {
			const value = new URLSearchParams(location.search).get(key);
			if (value === null || (key === "threads" && readThreads(location.search) === "auto")) continue;
			query.set(key, key === "lang" ? language.value : value);
		}
		const search = query.size > 0 ? `?${query}` : "";
		if (search !== location.search) history.replaceState(null, "", location.pathname + search + location.hash);
	};
	effect(show);
	// An entry from before a link to a panel has the address of then: the settings are still those of now.
	addEventListener("popstate", show);
}

function problemsOfLanguage(): AddressProblem[] {
	const asked = new URLSearchParams(location.search).get("lang");
	if (asked === null || languageOf(asked)) return [];
	return [{ given: `lang=${asked}`, used: language.value, expected: languages.join(", "), reason: "value" }];
}
