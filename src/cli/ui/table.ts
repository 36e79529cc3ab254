// Text tables: columns as wide as their widest cell, numbers flush right. Colored cells keep their
// alignment, because color codes count as no width.

export interface TableOptions {
	/** Titles of the columns, printed above a rule. */
	header?: readonly string[];
	/** How each column is set; columns beyond the list are `"left"`. */
	align?: readonly ("left" | "right")[];
	/** Printed under a rule at the end (sums). */
	footer?: readonly string[];
	/** Spaces before each line. Default 0. */
	indent?: number;
	/** Spaces between columns. Default 2. */
	gap?: number;
	/** Applied to the header, the rules and the footer after they are laid out: colors. */
	style?: { header?: (text: string) => string; rule?: (text: string) => string; footer?: (text: string) => string };
}

/** The lines of a table of `rows`, without trailing spaces. Rows may be shorter than others. */
export function tableLines(rows: readonly (readonly string[])[], options: TableOptions = {}): string[] {
	const { header, footer, align = [], indent = 0, gap = 2, style = {} } = options;
	const all = [...(header ? [header] : []), ...rows, ...(footer ? [footer] : [])];
	const count = Math.max(0, ...all.map((row) => row.length));
	const widths = Array.from({ length: count }, (_, column) =>
		all.reduce((width, row) => Math.max(width, visibleWidth(row[column] ?? "")), 0),
	);
	const margin = " ".repeat(indent);
	const line = (row: readonly string[], color = plain): string => {
		const cells = widths.map((width, column) => pad(row[column] ?? "", width, align[column] ?? "left"));
		return margin + color(cells.join(" ".repeat(gap)).trimEnd());
	};
	const rule = margin + (style.rule ?? plain)(widths.map((width) => "─".repeat(width)).join(" ".repeat(gap)));
	return [
		...(header ? [line(header, style.header), rule] : []),
		...rows.map((row) => line(row)),
		...(footer ? [rule, line(footer, style.footer)] : []),
	];
}

/** {@link tableLines} as one text that ends with a line break. */
export function formatTable(rows: readonly (readonly string[])[], options?: TableOptions): string {
	return tableLines(rows, options)
		.map((line) => `${line}\n`)
		.join("");
}

/** Pads `text` to `width` visible characters. */
export function pad(text: string, width: number, align: "left" | "right" = "left"): string {
	const missing = " ".repeat(Math.max(0, width - visibleWidth(text)));
	return align === "right" ? missing + text : text + missing;
}

/** How many characters `text` takes on screen: color codes and combining marks take none. */
export function visibleWidth(text: string): number {
	return [...text.replace(colorCodes, "").replace(/\p{M}/gu, "")].length;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what a color code begins with.
const colorCodes = /\u001b\[[0-9;]*m/g;

function plain(text: string): string {
	return text;
}
