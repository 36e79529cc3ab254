// Why something failed, in the page's words and language. What is not among the common cases stands as evenkeel says it.

import { defineStrings, type Text } from "../i18n/i18n.ts";

const reasons = defineStrings({
	engine: {
		en: "The engine's code could not be loaded. Look at the connection, then press Start again.",
		zh: "无法加载引擎代码。请检查网络连接，然后再按“开始”。",
	},
});

/** Messages, and what the page says instead; what stands in parentheses is handed on. */
const known: readonly (readonly [RegExp, (...found: string[]) => Text])[] = [
	[/^the engine did not load/, () => reasons.engine],
];

/** The page's own words for evenkeel's `message`; null if it has none. */
export function reasonOf(message: string): Text | null {
	for (const [pattern, say] of known) {
		const found = pattern.exec(message);
		if (found) return say(...found.slice(1));
	}
	return null;
}
