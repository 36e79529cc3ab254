// How an inspection looks. Its rules begin with its class, so that a page that contains it is left alone.

// Blue and orange stay apart for every kind of color vision; each pair has contrast enough on its paper.
const light =
	"--paper: #ffffff; --raised: #f6f7f9; --ink: #1c2430; --quiet: #5b6676; --line: #dde2ea; --bar: #2563c9; " +
	"--error: #b3261e; --warning: #97500a; --info: #3f4b5c;";
const dark =
	"--paper: #14181f; --raised: #1b212a; --ink: #eef1f6; --quiet: #a3adbd; --line: #2f3845; --bar: #7ab0ff; " +
	"--error: #ff8f86; --warning: #ffb05e; --info: #b9c3d2;";

const rules: Readonly<Record<string, string>> = {
	"": 'color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;',
	"code, pre": "font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 0.93em;",
	"h1, h2, h3, p": "margin: 0; overflow-wrap: anywhere;",
	h1: "font-size: 1.4rem; line-height: 1.3; font-weight: 650; letter-spacing: -0.01em;",
	h2: "font-size: 1.05rem; font-weight: 650; margin: 2.25rem 0 0.75rem;",
	h3: "font-size: 0.95rem; font-weight: 600;",
	".facts": "color: var(--quiet); font-size: 0.87rem;",
	"header .facts": "margin-top: 0.35rem;",
	".note": "margin-top: 0.75rem; padding-left: 0.75rem; border-left: 3px solid var(--warning);",
	".findings": "list-style: none; margin: 0; padding: 0; display: grid; gap: 0.6rem;",
	".findings li":
		"background: var(--raised); border-left: 3px solid var(--info); padding: 0.6rem 0.85rem; border-radius: 0 6px 6px 0;",
	".findings .error": "border-color: var(--error);",
	".findings .warning": "border-color: var(--warning);",
	".severity": "font-size: 0.8rem; font-weight: 600; color: var(--info);",
	".error .severity": "color: var(--error);",
	".warning .severity": "color: var(--warning);",
	".remedy": "color: var(--quiet);",
	".norms": "display: grid; gap: 0.75rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 25rem), 1fr));",
	article: "background: var(--raised); border-radius: 6px; padding: 0.75rem 0.85rem; min-width: 0;",
	table: "border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 0.87rem;",
	"article table": "margin-top: 0.4rem;",
	"th, td": "text-align: left; font-weight: 400; padding: 0.22rem 0.9rem 0.22rem 0; vertical-align: middle;",
	"th:last-child, td:last-child": "padding-right: 0;",
	"thead th": "color: var(--quiet); font-size: 0.8rem;",
	"article td, article thead th": "text-align: right; white-space: nowrap;",
	".number": "text-align: right; white-space: nowrap;",
	"article thead th:last-child, .picture": "width: 96px;",
	".picture": "line-height: 0;",
	".picture .bad": "display: block; line-height: 1.4; color: var(--error);",
	".histogram": "color: var(--quiet); max-width: 100%; height: auto;",
	".bar": "fill: var(--bar);",
	".scroll": "overflow-x: auto;",
	".scroll:focus-visible": "outline: 2px solid var(--bar); outline-offset: 2px;",
	".scroll td, .scroll th": "white-space: nowrap;",
	".scroll tbody tr": "border-top: 1px solid var(--line);",
	".scroll tfoot tr": "border-top: 2px solid var(--line);",
	".scroll tfoot th, .scroll tfoot td": "font-weight: 600;",
	".unseen":
		"position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;",
};

/** Rules for what `inspectionHtml` makes, to go into a page's `<style>`. */
export const inspectionStyle: string = [
	`.evenkeel-inspection { color-scheme: light dark; ${light} }`,
	`@media (prefers-color-scheme: dark) { .evenkeel-inspection { ${dark} } }`,
	...Object.entries(rules).map(([selector, declarations]) => `${scoped(selector)} { ${declarations} }`),
	"@media (min-width: 30.01rem) { .evenkeel-inspection article table { table-layout: fixed; } " +
		".evenkeel-inspection article thead th:first-child { width: 8.5rem; } }",
	"@media (max-width: 30rem) { .evenkeel-inspection :is(th, td) { padding-right: 0.5rem; font-size: 0.8rem; } " +
		".evenkeel-inspection article thead th:last-child, .evenkeel-inspection .picture { width: 64px; } }",
].join("\n");

/** Rules for a page that holds nothing else. */
export const pageStyle: string = [
	`:root { color-scheme: light dark; ${light} }`,
	`@media (prefers-color-scheme: dark) { :root { ${dark} } }`,
	"body { margin: 0; background: var(--paper); }",
	"main { max-width: 76rem; margin: 0 auto; padding: 1.75rem clamp(1rem, 4vw, 2.5rem) 3rem; }",
].join("\n");

function scoped(selector: string): string {
	return selector
		.split(", ")
		.map((one) => `.evenkeel-inspection ${one}`.trim())
		.join(", ");
}
