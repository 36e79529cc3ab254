// What to compare: a grid of options, and the claims that its runs are to decide. Read from plain data (a file's, or a
// preset's), and made into the list of runs.

import { check } from "../errors.ts";
import { type ChartSpec, parseChart } from "./chart-spec.ts";
import { type Claim, parseClaim } from "./claim.ts";
import { type CellOptions, checkOption, type OptionName, type OptionValue, optionNames, show } from "./options.ts";
import { asObject, list, number, type OptionSet, oneOf, parseSet, text } from "./parse.ts";

/** Options with several values each, of which every combination is run. */
export type OptionGrid = Partial<Record<OptionName, readonly OptionValue[]>>;

/** A comparison. */
export interface CompareSpec {
	/** Letters, digits and dashes: the folder under `runs/compare/`. */
	readonly name: string;
	/** One line: what is compared. */
	readonly title: string;
	/** A paragraph for the report: why, and how to read it. Default: none. */
	readonly description: string;
	/** `"fashion-mnist"` (default), `"mnist"` or a folder. */
	readonly data: string;
	/** Options that all runs share; `preset` among them or in the grid. */
	readonly base: OptionSet;
	/** One grid, or several whose runs are put together. */
	readonly grids: readonly OptionGrid[];
	/** How many seeds each combination is run with, from 0 on. Default 3. */
	readonly seeds: number;
	/** The test accuracy for "epochs to". Default 0.85. */
	readonly target: number;
	/** What is measured while a run trains: {@link measurementNames}. Default: nothing. */
	readonly measure: readonly MeasurementName[];
	readonly charts: readonly ChartSpec[];
	readonly claims: readonly Claim[];
}

/** The measurements that can be taken while a run trains. */
export const measurementNames = ["dynamics"] as const;
export type MeasurementName = (typeof measurementNames)[number];

/** The most runs that one comparison may have: a slip of the pen, beyond that. */
const mostCells = 10_000;

const keys = ["name", "title", "description", "data", "base", "grid", "seeds", "target", "measure", "charts", "claims"];

/**
 * A comparison from plain data. `where` names it in errors.
 *
 * @throws EvenkeelError naming the key, the value and what it may be
 */
export function parseSpec(value: unknown, where: string): CompareSpec {
	const spec = asObject(value, where, keys);
	const name = text(spec.name, `${where}.name`);
	check(
		/^[a-z0-9][a-z0-9-]*$/i.test(name),
		() => `${where}.name: expected letters, digits and dashes, got ${show(name)}`,
	);
	const base = spec.base === undefined ? {} : parseSet(spec.base, `${where}.base`);
	const grids = parseGrids(spec.grid, `${where}.grid`);
	const parsed: CompareSpec = {
		name,
		title: text(spec.title, `${where}.title`, name),
		description: text(spec.description, `${where}.description`, ""),
		data: text(spec.data, `${where}.data`, "fashion-mnist"),
		base,
		grids,
		seeds: number(spec.seeds, 3, `${where}.seeds`, "a whole number from 1 to 1000", (n) => isWhole(n, 1, 1000)),
		target: number(spec.target, 0.85, `${where}.target`, "a number from 0 to 1", (n) => n >= 0 && n <= 1),
		measure: list(spec.measure, `${where}.measure`).map((entry, i) =>
			oneOf(entry, measurementNames, `${where}.measure[${i}]`),
		),
		charts: list(spec.charts, `${where}.charts`).map((entry, i) => parseChart(entry, `${where}.charts[${i}]`)),
		claims: list(spec.claims, `${where}.claims`).map((entry, i) => parseClaim(entry, `${where}.claims[${i}]`)),
	};
	checkTogether(parsed, where);
	return parsed;
}

/** Every run of a comparison, each once, in the order of the grids; `seeds` overrides the comparison's. */
export function cellsOf(spec: CompareSpec, seeds = spec.seeds): CellOptions[] {
	const found = new Map<string, CellOptions>();
	for (const grid of spec.grids) {
		for (const choice of combinations(grid)) {
			for (let seed = 0; seed < seeds; seed++) {
				const cell = ordered({ ...spec.base, ...choice, seed });
				found.set(JSON.stringify(cell), cell);
			}
		}
	}
	return [...found.values()];
}

/** The options that differ between runs, seeds aside, in the order of tables. */
export function varyingOptions(cells: readonly CellOptions[]): OptionName[] {
	return optionNames.filter((name) => name !== "seed" && new Set(cells.map((cell) => cell[name])).size > 1);
}

/** Whether `cell` has all the values of `where`. */
export function matches(cell: CellOptions, where: OptionSet): boolean {
	return Object.entries(where).every(([name, value]) => cell[name as OptionName] === value);
}

function isWhole(value: number, min: number, max: number): boolean {
	return Number.isInteger(value) && value >= min && value <= max;
}

function parseGrids(value: unknown, where: string): OptionGrid[] {
	check(
		value !== undefined,
		() => `${where}: it is missing; give options with lists of values, such as norm: [none, batch]`,
	);
	if (!Array.isArray(value)) return [parseGrid(value, where)];
	check(value.length > 0, () => `${where}: expected at least one grid, got an empty list`);
	return value.map((entry, i) => parseGrid(entry, `${where}[${i}]`));
}

function parseGrid(value: unknown, where: string): OptionGrid {
	const grid: Partial<Record<OptionName, OptionValue[]>> = {};
	for (const [name, given] of Object.entries(asObject(value, where))) {
		check(
			name !== "seed",
			() =>
				`${where}.seed: seeds are not part of a grid; give their number, seeds: ${Array.isArray(given) ? given.length : 3}`,
		);
		const values: unknown[] = Array.isArray(given) ? given : [given];
		check(values.length > 0, () => `${where}.${name}: expected at least one value, got an empty list`);
		const checked = values.map((option): OptionValue => {
			checkOption(name, option, where);
			return option;
		});
		grid[name as OptionName] = checked;
	}
	return grid;
}

/** Every combination of a grid's values; the last option changes fastest. */
function combinations(grid: OptionGrid): OptionSet[] {
	let sets: OptionSet[] = [{}];
	for (const [name, values] of Object.entries(grid)) {
		sets = sets.flatMap((set) => values.map((value) => ({ ...set, [name]: value })));
	}
	return sets;
}

/** The options in the order of tables, so that equal runs are written alike. */
function ordered(set: OptionSet): CellOptions {
	const entries = optionNames.filter((name) => set[name] !== undefined).map((name) => [name, set[name]]);
	return Object.fromEntries(entries) as CellOptions;
}

/** What the parts must be together: every run has a network, and charts and claims find their runs. */
function checkTogether(spec: CompareSpec, where: string): void {
	const count = spec.grids.reduce(
		(sum, grid) => sum + Object.values(grid).reduce((product, { length }) => product * length, spec.seeds),
		0,
	);
	check(
		count <= mostCells,
		() => `${where}.grid: it makes ${count} runs, and ${mostCells} are the most; leave some values out`,
	);
	const cells = cellsOf(spec);
	check(
		cells.every(({ preset }) => preset !== undefined),
		() => `${where}.base.preset: it is missing; name a network, such as preset: lenet`,
	);
	for (const [i, claim] of spec.claims.entries()) {
		for (const side of ["a", "b"] as const) {
			check(
				cells.some((cell) => matches(cell, claim[side])),
				() => `${where}.claims[${i}].${side}: no run has ${show(claim[side])}; name values that the grid has`,
			);
		}
	}
}
