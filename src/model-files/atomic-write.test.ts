import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { writeFileAtomic, writeFileAtomicSync } from "./atomic-write.ts";

let dir: string;

beforeEach(() => {
	dir = fs.mkdtempSync(join(tmpdir(), "evenkeel-write-"));
});

afterEach(() => {
	vi.restoreAllMocks();
	fs.rmSync(dir, { recursive: true, force: true });
});

const forms = [
	["async", writeFileAtomic],
	["sync", async (path: string, contents: Uint8Array | string) => writeFileAtomicSync(path, contents)],
] as const;

function fails(code: string) {
	return () => {
		throw Object.assign(new Error(`${code}: it failed`), { code });
	};
}

describe.each(forms)("%s", (form, write) => {
	test("writes and replaces, and leaves nothing else", async () => {
		const path = join(dir, "file");
		await write(path, "one");
		await write(path, Uint8Array.of(1, 2, 3));
		expect([...fs.readFileSync(path)]).toEqual([1, 2, 3]);
		expect(fs.readdirSync(dir)).toEqual(["file"]);
	});

	test.each([
		["ENOSPC", "the disk is full; free some space, or write elsewhere (ENOSPC)"],
		["EROFS", "the file system is read-only; write elsewhere (EROFS)"],
		["EACCES", "no permission to write there; change the folder's permissions, or write elsewhere (EACCES)"],
		["EXOTIC", "EXOTIC: it failed"],
	])("%s at the end leaves the old file, and nothing else", async (code, cause) => {
		const path = join(dir, "file");
		await write(path, "old");
		if (form === "sync") vi.spyOn(fs, "renameSync").mockImplementation(fails(code));
		else vi.spyOn(fs.promises, "rename").mockImplementation(fails(code));
		await expect(write(path, "new")).rejects.toThrow(`${path}: it was not written: ${cause}`);
		expect(fs.readFileSync(path, "utf8")).toBe("old");
		expect(fs.readdirSync(dir)).toEqual(["file"]);
	});

	test("a folder that is not there, a file in place of a folder, a folder in place of a file", async () => {
		await expect(write(join(dir, "none", "file"), "")).rejects.toThrow(
			"the folder does not exist; create it first (ENOENT)",
		);
		fs.writeFileSync(join(dir, "file"), "");
		await expect(write(join(dir, "file", "file"), "")).rejects.toThrow("a part of the path is a file, not a folder");
		fs.mkdirSync(join(dir, "folder"));
		await expect(write(join(dir, "folder"), "")).rejects.toThrow("folder: it was not written:");
		expect(fs.readdirSync(dir).sort()).toEqual(["file", "folder"]);
	});
});

test.skipIf(process.platform === "win32")("a real limit on the file's size, hit half-way, leaves nothing", async () => {
	await build({
		configFile: false,
		logLevel: "silent",
		build: {
			ssr: join(import.meta.dirname, "atomic-write.ts"),
			outDir: join(dir, "built"),
			rolldownOptions: { output: { entryFileNames: "write.mjs" } },
		},
	});
	const target = join(dir, "out");
	fs.mkdirSync(target);
	const script = join(dir, "child.mjs");
	fs.writeFileSync(
		script,
		`import { writeFileAtomic, writeFileAtomicSync } from "./built/write.mjs";
		const big = new Uint8Array(1 << 20);
		const path = ${JSON.stringify(join(target, "file"))};
		try { writeFileAtomicSync(path, big); } catch (error) { console.log(error.message); }
		try { await writeFileAtomic(path, big); } catch (error) { console.log(error.message); }`,
	);
	const said = execFileSync("sh", ["-c", 'ulimit -f 100; exec "$0" "$1"', process.execPath, script], {
		encoding: "utf8",
	});
	const message = `${join(target, "file")}: it was not written: the file is larger than is allowed here; raise the limit, or write elsewhere (EFBIG)\n`;
	expect(said).toBe(message + message);
	expect(fs.readdirSync(target)).toEqual([]);
});
