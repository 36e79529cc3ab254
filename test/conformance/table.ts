// docs/conformance.md: the largest errors of every norm, by groups of cases, on every backend.

import type { Measured } from "./runner.ts";

/** What one group of cases of one norm came to on one backend: the largest error in each column; null: nothing there. */
export interface Row {
	norm: string;
	group: string;
	cases: number;
	backend: string;
	errors: (number | null)[];
}

/** The columns of the table. */
export const columns = ["forward", "dx", "dweight", "dbias", "other parameters", "running statistics"] as const;

/** What may be the error of each column, on the backends in single precision. */
export const limits = [1e-5, 1e-4, 1e-4, 1e-4, 1e-4, 1e-5] as const;

/** The group that a case belongs to: its name without shapes and counts. */
export function groupOf(name: string): string {
	const group = name
		.replace(/\[[^\]]*\]/g, "")
		.replace(/^\d+ /, "")
		.replace(/,?\s*training True/, ", training")
		.replace(/,?\s*training False/, ", evaluation")
		.replace(/ axis -?\d+/, " another axis")
		.replace(/\s+of\s*(?=,|$)/, "")
		.trim();
	return group === "" ? "shapes" : group;
}

/** The largest of `a` and the errors of one more case. */
export function widen(row: Row, { forward, gradients, state }: Measured): void {
	const { x = null, weight = null, bias = null, ...others } = gradients;
	const largest = (values: number[]) => (values.length > 0 ? Math.max(...values) : null);
	const errors = [forward, x, weight, bias, largest(Object.values(others)), largest(Object.values(state))];
	row.errors = row.errors.map((before, i) => {
		const now = errors[i];
		return now === null ? before : Math.max(before ?? 0, now);
	});
	row.cases++;
}

/** The least that is claimed: about the precision of the numbers themselves, below which machines differ. */
const leastOf = (backend: string) => (backend === "reference" ? 1e-12 : 2e-7);

/** Errors are printed rounded up, to 1, 2 or 5 times a power of ten: bounds, not the noise of one machine. */
export function bound(error: number, backend: string): string {
	const least = leastOf(backend);
	if (error <= least) return least.toExponential(0);
	const power = 10 ** Math.floor(Math.log10(error));
	const step = [1, 2, 5, 10].find((times) => error <= times * power * (1 + 1e-9)) ?? 10;
	return (step * power).toExponential(0);
}

/** The page. `sources`: what each norm was compared with. */
export function renderPage(rows: readonly Row[], sources: Readonly<Record<string, string>>): string {
	const norms = [...new Set(rows.map(({ norm }) => norm))];
	const lines = [
		"# Conformance of the norms",
		"",
		"Written by `npm run docs:conformance`; `npm test` measures again and fails where an error is larger than it says here.",
		"",
		"Each number is a bound on `‖ours − theirs‖ / ‖theirs‖`, the largest over the cases of its group (rounded up to 1, 2 or",
		"5 times a power of ten; 1e-12 on the reference and 2e-7 in single precision stand for less as well). *Theirs* is computed",
		"in float64 from the same inputs, by PyTorch or, where it has no such function, by the paper's formula in PyTorch's float64",
		"with autograd's gradients. The cases are in `cases.json` beside each norm, and `make-cases.py` beside them makes them. On",
		"the backends in single precision (`wasm`) forward and running statistics stay within 1e-5 and gradients within 1e-4.",
	];
	for (const norm of norms) {
		lines.push("", `## ${norm}`, "", `Compared with ${sources[norm]}.`, "");
		lines.push(
			`| cases | number | backend | ${columns.join(" | ")} |`,
			`| --- | --- | --- |${" --- |".repeat(columns.length)}`,
		);
		for (const row of rows.filter((own) => own.norm === norm)) {
			const cells = row.errors.map((error) => (error === null ? "-" : bound(error, row.backend)));
			lines.push(`| ${row.group} | ${row.cases} | ${row.backend} | ${cells.join(" | ")} |`);
		}
	}
	return `${lines.join("\n")}\n`;
}

/** The rows of a page that {@link renderPage} wrote. */
export function parsePage(page: string): Row[] {
	let norm = "";
	const rows: Row[] = [];
	for (const line of page.split("\n")) {
		if (line.startsWith("## ")) norm = line.slice(3);
		const cells = line.split("|").map((cell) => cell.trim());
		if (norm === "" || cells.length !== columns.length + 5 || cells[1] === "cases" || cells[1].startsWith("---"))
			continue;
		const [group, cases, backend, ...errors] = cells.slice(1, -1);
		rows.push({
			norm,
			group,
			cases: Number(cases),
			backend,
			errors: errors.map((cell) => (cell === "-" ? null : Number(cell))),
		});
	}
	return rows;
}
