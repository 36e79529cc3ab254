import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkUnlocked, lockFile, lockFolder } from "./lock.ts";

let dir: string;
const file = () => join(dir, lockFile);

beforeEach(() => {
	dir = mkdtempSync(join(tmpdir(), "evenkeel-lock-"));
});

afterEach(() => {
	rmSync(dir, { recursive: true, force: true });
});

test("holds the process and its machine while it is taken", () => {
	const release = lockFolder(dir);
	expect(readFileSync(file(), "utf8")).toBe(`${process.pid} ${hostname()}\n`);
	release();
	expect(existsSync(file())).toBe(false);
	expect(process.listeners("exit")).not.toContain(release);
});

test("a process that runs has it; one that has ended, or is on another machine, does not", async () => {
	const child = spawn(process.execPath, ["--eval", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
	try {
		writeFileSync(file(), `${child.pid} ${hostname()}\n`);
		expect(() => checkUnlocked(dir)).toThrow(`--out ${dir}: the run of process ${child.pid} writes there`);
		expect(() => lockFolder(dir)).toThrow(`delete ${file()}`);
		writeFileSync(file(), `${child.pid} another-machine\n`);
		lockFolder(dir)();
	} finally {
		child.kill();
	}
	for (const left of [`${spawnSync(process.execPath, ["--version"]).pid} ${hostname()}\n`, "", "what is this"]) {
		writeFileSync(file(), left);
		const release = lockFolder(dir);
		expect(readFileSync(file(), "utf8")).toContain(`${process.pid} `);
		release();
	}
});

test("does not remove what another has taken over", () => {
	const release = lockFolder(dir);
	writeFileSync(file(), "1 another-machine\n");
	release();
	expect(existsSync(file())).toBe(true);
});
