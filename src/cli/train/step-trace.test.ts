import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stepTrace } from "./step-trace.ts";

let dir: string;

beforeEach(() => {
	dir = mkdtempSync(join(tmpdir(), "evenkeel-trace-"));
});

afterEach(() => {
	rmSync(dir, { recursive: true, force: true });
});

/** After which of `left` steps the file is there; 0: after none. */
function writtenAfter(left: number, taken = left): number {
	const file = join(dir, "trace.json");
	const trace = stepTrace(file, left);
	let found = 0;
	for (let step = 1; step <= taken; step++) {
		trace.step();
		if (found === 0 && existsSync(file)) found = step;
	}
	expect(trace.end() === null).toBe(found > 0);
	return found;
}

test("the fifty-first step, or the last of those that are left", () => {
	expect(writtenAfter(80)).toBe(51);
	rmSync(join(dir, "trace.json"));
	expect(writtenAfter(3)).toBe(3);
	rmSync(join(dir, "trace.json"));
	expect(writtenAfter(1)).toBe(1);
});

test("says so where there is no such step", () => {
	expect(stepTrace("t.json", 0).end()).toBe("--trace t.json: there was no step left to trace");
	expect(writtenAfter(80, 20)).toBe(0);
	expect(stepTrace("t.json", 80).end()).toBe("--trace t.json: the run ended before the step to trace");
});

test("a file that cannot be written is no error, and leaves nothing behind", () => {
	const trace = stepTrace(join(dir, "gone", "trace.json"), 1);
	trace.step();
	expect(trace.end()).toMatch(/^--trace: .*gone.*trace.json: it was not written: /);
	expect(readdirSync(dir)).toEqual([]);
});
