import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import picocolors from "picocolors";
import { afterAll, describe, expect, test } from "vitest";
import { recordTerminal, runForTest } from "../../../test/support/terminal.ts";
import { renderSections } from "../explain/render.ts";
import { runProgram } from "../program.ts";
import { visibleWidth } from "../ui/table.ts";

const folder = mkdtempSync(join(tmpdir(), "evenkeel-explain-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, contents: string | Uint8Array): string {
	const path = join(folder, name);
	writeFileSync(path, contents);
	return path;
}

async function json(...args: string[]): Promise<Record<string, Record<string, unknown>>> {
	const { code, out, err } = await runForTest("explain", "--json", ...args);
	expect({ code, err }).toEqual({ code: 0, err: "" });
	const lines = out.trimEnd().split("\n");
	return Object.fromEntries(lines.map((line) => JSON.parse(line)).map((object) => [object.event, object]));
}

/** A .npy file, version 1.0, of float64. */
function npy(shape: number[], values: number[]): Uint8Array {
	const shapeText = `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
	const header = `{'descr': '<f8', 'fortran_order': False, 'shape': ${shapeText}, }`.padEnd(117, " ");
	const bytes = new Uint8Array(128 + values.length * 8);
	bytes.set([0x93, ...Buffer.from("NUMPY"), 1, 0, 118, 0, ...Buffer.from(`${header}\n`)]);
	const view = new DataView(bytes.buffer);
	for (let i = 0; i < values.length; i++) view.setFloat64(128 + i * 8, values[i], true);
	return bytes;
}

describe("the default lesson", () => {
	// Expected: numpy 1.24, x = numpy.random.seed(42); numpy.random.rand(10, 5), float64.
	test("x, its mean and variance, and the running averages", async () => {
		const { data, forward, running } = await json();
		expect((data.x as number[][])[9][4]).toBe(0.18485445552552704);
		const close = (actual: unknown, expected: number[]): void => {
			for (const [i, value] of expected.entries()) expect((actual as number[])[i]).toBeCloseTo(value, 14);
		};
		close(
			forward.mu,
			[0.4332055218664848, 0.39041435355713927, 0.4478928496252522, 0.5891983282603924, 0.36890846865203625],
		);
		const variance = forward.var as number[];
		const { before, batch, after } = running as Record<string, { mean: number[]; var: number[] }>;
		expect(before).toEqual({ mean: [0, 0, 0, 0, 0], var: [1, 1, 1, 1, 1] });
		expect(batch.var).toEqual(variance);
		close(
			after.mean,
			(forward.mu as number[]).map((value) => 0.1 * value),
		);
		close(
			after.var,
			variance.map((value) => 0.9 + 0.1 * value),
		);
	});

	test("inference uses the running averages", async () => {
		const { data, running, inference } = await json("--gamma", "2", "--beta", "1,2,3,4,5");
		const after = running.after as { mean: number[]; var: number[] };
		const x = (data.x as number[][])[3][2];
		const expected = (2 * (x - after.mean[2])) / Math.sqrt(after.var[2] + 1e-5) + 3;
		expect((inference.out as number[][])[3][2]).toBeCloseTo(expected, 14);
	});

	test("the text: steps in order, one table under the other", async () => {
		const { code, out, err } = await runForTest("explain");
		expect({ code, err }).toEqual({ code: 0, err: "" });
		const places = [
			"1  mu = mean(x)",
			"9  out = gammax + beta",
			"9  dbeta = sum(dy)",
			"dx = dx1 + dx2",
			"Inference",
		].map((t) => out.indexOf(t));
		expect(places.every((place, i) => place > (places[i - 1] ?? 0))).toBe(true);
		expect(out).toContain("         0   0.3745   0.9507   0.7320   0.5987   0.1560\n");
		expect(out).toMatch(/The same in one formula; largest difference \de-1[5-7]\./);
		expect(out).not.toMatch(/NaN|undefined|[ \t]\n/);
		expect(out).not.toContain("\u001b");
		for (const line of out.split("\n")) expect(visibleWidth(line)).toBeLessThanOrEqual(120);
	});
});

describe("options", () => {
	test("--momentum is 1 - decay, and --unbiased divides by m - 1", async () => {
		const { forward, running } = await json("--momentum", "0.25", "--unbiased");
		const after = running.after as { mean: number[]; var: number[] };
		expect(after.mean[0]).toBeCloseTo(0.25 * (forward.mu as number[])[0], 14);
		expect(after.var[0]).toBeCloseTo(0.75 + 0.25 * (10 / 9) * (forward.var as number[])[0], 14);
	});

	test("--no-backward, --rows, --digits", async () => {
		const { out } = await runForTest("explain", "--no-backward", "--rows", "2", "--digits", "7");
		expect(out).not.toContain("dbeta");
		expect(out).toContain("… 8 more (--rows 10 shows all)");
		expect(out).toMatch(/running_mean = .*\n +before .*\n +batch .*\n +after /);
		expect(out).toContain("   0.3745401   0.9507143");
		expect(await json("--no-backward")).not.toHaveProperty("backward");
	});

	test("columns that do not fit are left out, and color only on a terminal", async () => {
		const narrow = recordTerminal({ isTTY: true, columns: 40 });
		expect(await runProgram(["explain"], narrow.terminal)).toBe(0);
		const row =
			narrow
				.out()
				.split("\n")
				.find((line) => line.includes("0.3745")) ?? "";
		expect(row).toContain("…");
		expect(visibleWidth(row)).toBeLessThanOrEqual(40);
		expect(narrow.out()).toContain("\u001b[");
		const longest = Math.max(...narrow.out().split("\n").map(visibleWidth));
		expect(longest).toBeLessThanOrEqual(63); // The one closed formula is not broken.
	});

	test.each([
		[["--gamma", "1,2"], 2, "--gamma has 2 values, x has 5 features; give 5, or one for all"],
		[["--momentum", "0.1", "--decay", "0.9"], 2, "cannot be used with option '--decay <x>'"],
		[["--decay", "1.5"], 2, "it must be a number from 0 to 1"],
		[["--beta", "1,x"], 2, "it must be numbers separated by commas"],
		[["batch.txt"], 2, "batch.txt: expected a file that ends in .npy or .csv"],
		[["no-such-file.csv"], 1, "no-such-file.csv: no such file"],
	])("%j is refused", async (args, code, message) => {
		const result = await runForTest("explain", ...args);
		expect(result).toMatchObject({ code, out: "" });
		expect(result.err).toContain(message);
		expect(result.err.split("\n")).toHaveLength(2);
	});
});

describe("files", () => {
	test("a .csv with names for its columns", async () => {
		const path = file("table.csv", "height,weight\n1,10\n2,30\n6,20\n");
		const { data, forward } = await json(path);
		expect(data).toMatchObject({
			source: path,
			shape: [3, 2],
			x: [
				[1, 10],
				[2, 30],
				[6, 20],
			],
		});
		expect(forward.mu).toEqual([3, 20]);
		expect((await runForTest("explain", path)).out).toMatch(/height +weight\n/);
	});

	test("a .npy of images: statistics over samples and positions", async () => {
		const values = Array.from({ length: 2 * 3 * 2 * 2 }, (_, i) => Math.sin(i));
		const path = file("images.npy", npy([2, 3, 2, 2], values));
		const { forward } = await json(path);
		const first = [...values.slice(0, 4), ...values.slice(12, 16)];
		expect((forward.mu as number[])[0]).toBeCloseTo(first.reduce((a, b) => a + b) / 8, 14);
		const { out } = await runForTest("explain", path);
		expect(out).toContain("[2, 3, 2, 2]: 2 samples x 3 channels x 2 x 2 positions");
		expect(out).toContain(" 1:1,0 ");
	});

	test("--dy from a file", async () => {
		const x = file("x.csv", "1,10\n2,30\n6,20\n");
		const { backward } = await json(x, "--dy", file("dy.csv", "1,0\n0,1\n2,0\n"));
		expect(backward.dbeta).toEqual([3, 1]);
	});

	test.each([
		["one row", "one.csv", "1,2,3\n", "fewer than two values a feature"],
		["a NaN", "bad.csv", "1,2\nNaN,4\n", "nan"],
		["a table with holes", "holes.csv", "1,2\n3\n", "line 2 has 1 values, expected 2"],
	])("%s is refused", async (_, name, contents, message) => {
		const { code, out, err } = await runForTest("explain", file(name, contents));
		expect({ code, out }).toEqual({ code: 1, out: "" });
		expect(err.toLowerCase()).toContain(message);
	});

	test("a gradient of another shape is refused", async () => {
		const { code, err } = await runForTest("explain", "--dy", file("small.csv", "1,2\n3,4\n"));
		expect(code).toBe(1);
		expect(err).toContain("small.csv: the gradient must have the shape of x, [10, 5], got [2, 2]");
	});
});

test("numbers of any size stay aligned", () => {
	const block = (values: number[]) => ({ step: "", formula: "f", purpose: "p", rows: [{ label: "", values }] });
	const text = renderSections(
		[{ title: "t", text: [], blocks: [block([1, -2]), block([1e-9, 3e-9]), block([4e8, 1])] }],
		{
			columns: ["a", "a long name of a column"],
			digits: 3,
			rows: 5,
			width: 80,
			colors: picocolors.createColors(false),
		},
	);
	const numbers = text.split("\n").filter((line) => /^ +-?\d/.test(line));
	expect(numbers).toHaveLength(3);
	expect(new Set(numbers.map((line) => line.length)).size).toBe(1);
});
