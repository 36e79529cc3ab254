import { type ChildProcess, fork } from "node:child_process";
import {
	chmodSync,
	existsSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FileServer, startFileServer } from "../../test/support/file-server.ts";
import { DownloadError, type DownloadProgress, download } from "./download.ts";

const body = Uint8Array.from({ length: 200_000 }, (_, i) => (i * i) >> 3);
let server: FileServer;
let dir: string;
let path: string;

beforeEach(async () => {
	server = await startFileServer();
	server.files.set("file", body);
	dir = mkdtempSync(join(tmpdir(), "evenkeel-download-"));
	path = join(dir, "cache", "file");
});

afterEach(async () => {
	await server.close();
	rmSync(dir, { recursive: true, force: true });
});

function expectBody(bytes: Uint8Array): void {
	expect(Buffer.compare(bytes, body)).toBe(0);
	expect(Buffer.compare(readFileSync(path), body)).toBe(0);
	expect(readdirSync(join(dir, "cache"))).toEqual(["file"]);
}

test("a file arrives whole, under its name alone, and says how far it is", async () => {
	const progress: DownloadProgress[] = [];
	expectBody(await download(`${server.url}file`, path, { onProgress: (at) => progress.push(at) }));
	expect(progress[0]).toEqual({ file: "file", received: 0, total: body.length });
	expect(progress.at(-1)).toEqual({ file: "file", received: body.length, total: body.length });
});

test("a cut connection is taken up where it ended", async () => {
	server.cutAfter = [70_000, 50_000];
	expectBody(await download(`${server.url}file`, path));
	expect(server.requests).toEqual(["GET /file", "GET /file bytes=70000-", "GET /file bytes=120000-"]);
});

test("a connection that brings nothing is given up, and what came before stays", async () => {
	server.cutAfter = [70_000, 0];
	const failed = download(`${server.url}file`, path);
	await expect(failed).rejects.toThrow(DownloadError);
	await expect(failed).rejects.toThrow(/^http:\/\/127\.0\.0\.1:\d+\/file: the connection was cut/);
	expect(existsSync(path)).toBe(false);
	expect(statSync(`${path}.part`).size).toBe(70_000);
	expectBody(await download(`${server.url}file`, path));
	expect(server.requests.at(-1)).toBe("GET /file bytes=70000-");
});

test("a server that knows no ranges sends all of it again", async () => {
	await download(`${server.url}file`, path);
	rmSync(path);
	writeFileSync(`${path}.part`, "other bytes");
	server.instead = (_, response) => response.writeHead(200).end(body);
	expectBody(await download(`${server.url}file`, path));
});

test.each([
	["all of it was here already", body, ["GET /file bytes=200000-"]],
	["too much of it was", new Uint8Array(body.length + 1), ["GET /file bytes=200001-", "GET /file"]],
])("%s", async (_, part, requests) => {
	await download(`${server.url}file`, path);
	rmSync(path);
	writeFileSync(`${path}.part`, part);
	server.requests.length = 0;
	expectBody(await download(`${server.url}file`, path));
	expect(server.requests).toEqual(requests);
});

describe("verification", () => {
	const verify = (bytes: Uint8Array) => {
		if (Buffer.compare(bytes, body) !== 0) throw new Error("wrong bytes");
	};

	test("wrong bytes are an error and leave nothing", async () => {
		server.files.set("file", body.slice(1));
		await expect(download(`${server.url}file`, path, { verify })).rejects.toThrow("wrong bytes");
		expect(readdirSync(join(dir, "cache"))).toEqual([]);
	});

	test("wrong bytes that an earlier attempt left are fetched again", async () => {
		await download(`${server.url}file`, path);
		rmSync(path);
		writeFileSync(`${path}.part`, new Uint8Array(1000));
		expectBody(await download(`${server.url}file`, path, { verify }));
	});
});

describe("what is wrong is named", () => {
	test("404", async () => {
		await expect(download(`${server.url}none`, path)).rejects.toThrow(/\/none: the server answered 404 Not Found$/);
		expect(readdirSync(join(dir, "cache"))).toEqual([]);
	});

	test("connection refused", async () => {
		await server.close();
		await expect(download(`${server.url}file`, path)).rejects.toThrow(/\/file: connection refused$/);
	});

	test("a server that does not answer", async () => {
		const silent = createServer(() => {});
		await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
		const address = silent.address();
		const port = typeof address === "object" ? address?.port : 0;
		const begun = Date.now();
		const failed = download(`http://127.0.0.1:${port}/file`, path, { timeout: 200 });
		await expect(failed).rejects.toThrow(/: the server did not answer for 0\.2 s$/);
		expect(Date.now() - begun).toBeLessThan(5000);
		silent.close();
	});

	test("a server that goes silent half-way", async () => {
		server.instead = (_, response) => response.writeHead(200, { "content-length": 100 }).write("some");
		await expect(download(`${server.url}file`, path, { stall: 100 })).rejects.toThrow(
			/: the connection went silent for 0\.1 s$/,
		);
	});

	test("a folder that cannot be made", async () => {
		writeFileSync(join(dir, "cache"), "a file");
		await expect(download(`${server.url}file`, path)).rejects.toThrow(/: it cannot be written \(E(EXIST|NOTDIR)/);
	});

	test.skipIf(process.getuid?.() === 0 || process.platform === "win32")("a folder without permission", async () => {
		chmodSync(dir, 0o500);
		await expect(download(`${server.url}file`, path)).rejects.toThrow(/EACCES/);
		chmodSync(dir, 0o700);
	});
});

test("killed half-way, a process leaves only the .part file, and the next one goes on from there", async () => {
	const out = join(dir, "built");
	await build({
		configFile: false,
		logLevel: "silent",
		build: {
			ssr: join(import.meta.dirname, "download.ts"),
			outDir: out,
			emptyOutDir: true,
			rolldownOptions: { output: { entryFileNames: "download.mjs" } },
		},
	});
	const script = join(dir, "child.mjs");
	writeFileSync(
		script,
		`import { download } from "./built/download.mjs";
		await download(process.argv[2], process.argv[3], { onProgress: ({ received }) => process.send(received) });`,
	);
	server.instead = (_, response) =>
		response.writeHead(200, { "content-length": body.length }).write(body.subarray(0, 90_000));
	const child = fork(script, [`${server.url}file`, path], { stdio: "ignore" });
	await untilReceived(child, 90_000);
	child.kill("SIGKILL");
	await new Promise((resolve) => child.once("exit", resolve));
	expect(readdirSync(join(dir, "cache"))).toEqual(["file.part"]);
	server.instead = null;
	expectBody(await download(`${server.url}file`, path));
	expect(server.requests.at(-1)).toBe("GET /file bytes=90000-");
});

function untilReceived(child: ChildProcess, bytes: number): Promise<void> {
	return new Promise((resolve, reject) => {
		child.on("message", (received) => received === bytes && resolve());
		child.once("exit", (code) => reject(new Error(`the process ended by itself: ${code}`)));
	});
}
