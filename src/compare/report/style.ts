// How a report looks.

/** The rules of the page; colors come from the palette's variables. */
export const reportStyle = `
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 960px; margin: 0 auto; padding: 40px 20px 64px; }
h1 { font-size: clamp(24px, 5vw, 34px); line-height: 1.2; letter-spacing: -0.015em; margin: 0 0 12px; }
h2 { font-size: 20px; letter-spacing: -0.01em; margin: 44px 0 14px; }
h3 { font-size: 16px; font-weight: 600; line-height: 1.4; margin: 4px 0 8px; }
p { margin: 0 0 10px; }
.lead { max-width: 68ch; }
.facts, .note, .evidence, .source { color: var(--quiet); font-size: 14px; }
.claims { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 400px), 1fr)); gap: 14px; }
.claims h2 { grid-column: 1 / -1; margin-bottom: 0; }
.claim { border: 1px solid var(--grid); border-left: 4px solid var(--tone); border-radius: 8px; padding: 14px 16px; }
.claim p:last-child { margin-bottom: 0; }
.claim.yes { --tone: var(--green); }
.claim.no { --tone: var(--pink); }
.claim.open { --tone: var(--orange); }
.verdict { display: flex; gap: 12px; justify-content: space-between; align-items: baseline; margin: 0; color: var(--tone); font-size: 13px; font-weight: 700; letter-spacing: 0.02em; text-transform: uppercase; }
.source { font-weight: 400; letter-spacing: 0; text-transform: none; text-align: right; }
.interval { display: block; max-width: 100%; height: auto; margin: 0 0 6px; }
.interval .zero { stroke: var(--axis); stroke-dasharray: 3 3; }
.interval .margin { fill: var(--grid); }
.interval .range { stroke: var(--tone); stroke-width: 3; stroke-linecap: round; }
.interval circle { fill: var(--tone); stroke: var(--paper); stroke-width: 1.5; }
figure { margin: 0 0 28px; }
figcaption { font-weight: 600; margin-bottom: 6px; }
.wide svg, .narrow svg { display: block; width: 100%; height: auto; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; list-style: none; margin: 0 0 6px; padding: 0; font-size: 14px; }
.legend li { display: flex; align-items: center; gap: 6px; }
.legend svg { flex: none; }
.narrow { display: none; }
@media (max-width: 600px) {
	main { padding: 24px 14px 48px; }
	.wide { display: none; }
	.narrow { display: block; }
}
@media (min-width: 900px) {
	.charts figure { max-width: 820px; }
}
.scroll { overflow-x: auto; border: 1px solid var(--grid); border-radius: 8px; margin-bottom: 10px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 12px; text-align: left; white-space: nowrap; }
th { color: var(--quiet); font-weight: 600; border-bottom: 1px solid var(--axis); }
tbody tr + tr td { border-top: 1px solid var(--grid); }
.number { text-align: right; }
dl { display: grid; grid-template-columns: minmax(110px, max-content) 1fr; gap: 6px 18px; margin: 0; font-size: 14px; }
dt { color: var(--quiet); }
dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 600px) {
	dl { grid-template-columns: 1fr; gap: 0; }
	dd { margin-bottom: 10px; }
}
code { font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
`.trim();
