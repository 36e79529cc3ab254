import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runForTest } from "../../../test/support/terminal.ts";
import { readIdx } from "../../data/index.ts";
import { type LabServer, serveLab } from "../lab/server.ts";

describe("the lab's server", () => {
	const above = mkdtempSync(join(tmpdir(), "evenkeel-lab-server-"));
	const folder = join(above, "page");
	let server: LabServer;

	beforeAll(async () => {
		mkdirSync(join(folder, "assets"), { recursive: true });
		writeFileSync(join(folder, "index.html"), "<!doctype html>");
		writeFileSync(join(folder, "assets/a-1234.js"), "export {};");
		writeFileSync(join(above, "secret.txt"), "secret");
		server = await serveLab({ folder, port: 0, host: "127.0.0.1" });
	});
	afterAll(async () => {
		await server.close();
		rmSync(above, { recursive: true });
	});

	const get = (path: string, init?: RequestInit): Promise<Response> => fetch(new URL(path, server.url), init);

	test("sends the page so that it may share memory between its workers", async () => {
		for (const path of ["", "index.html", "assets/a-1234.js", "nothing"]) {
			const { headers } = await get(path);
			expect(headers.get("Cross-Origin-Opener-Policy")).toBe("same-origin");
			expect(headers.get("Cross-Origin-Embedder-Policy")).toBe("require-corp");
		}
		const page = await get("");
		expect([page.status, page.headers.get("Content-Type")]).toEqual([200, "text/html; charset=utf-8"]);
		expect(page.headers.get("Cache-Control")).toBe("no-cache");
		const script = await get("assets/a-1234.js");
		expect(script.headers.get("Content-Type")).toBe("text/javascript; charset=utf-8");
		expect(script.headers.get("Cache-Control")).toMatch(/immutable/);
	});

	test("sends Fashion-MNIST's sample, and says whether the whole set is here", async () => {
		const answer = await get("data/fashion-mnist/sample/t10k-images-idx3-ubyte.gz");
		const { shape } = await readIdx(new Uint8Array(await answer.arrayBuffer()));
		expect(shape).toEqual([1000, 28, 28]);
		const { full } = await (await get("data/available.json")).json();
		const labels = await get("data/fashion-mnist/full/t10k-labels-idx1-ubyte.gz");
		expect(labels.status).toBe(full ? 200 : 404);
	});

	test.each([
		"nothing",
		"../secret.txt",
		"%2e%2e/secret.txt",
		"..%2fsecret.txt",
		"assets/..%2f..%2fsecret.txt",
		"assets",
		"data/fashion-mnist/sample/README.md",
		"data/fashion-mnist/sample/..%2f..%2fsecret.gz",
		"%00",
	])("%s is not there", async (path) => {
		// As it stands: fetch would resolve the dots itself.
		const status = await new Promise((resolve, reject) => {
			const { port } = new URL(server.url);
			request({ port, path: `/${path}`, host: "127.0.0.1" }, ({ statusCode }) => resolve(statusCode))
				.on("error", reject)
				.end();
		});
		expect(status).toBe(404);
	});

	test("refuses what is no reading, and survives what is no path", async () => {
		expect((await get("", { method: "POST" })).status).toBe(405);
		expect((await get("%E0%A4%A")).status).toBe(400);
		const head = await get("index.html", { method: "HEAD" });
		expect([head.status, head.headers.get("Content-Length"), await head.text()]).toEqual([200, "15", ""]);
	});

	test("a port that is taken is an error that names it", async () => {
		const port = Number(new URL(server.url).port);
		await expect(serveLab({ folder, port, host: "127.0.0.1" })).rejects.toThrow(
			`port ${port} is in use; choose another with --port, or --port 0 for any that is free`,
		);
	});
});

describe("evenkeel lab", () => {
	test.each([
		["--port", "70000", /--port.*whole number from 0 to 65535/],
		["--port", "x", /--port.*whole number from 0 to 65535/],
	])("%s %s is wrong usage", async (flag, value, message) => {
		const { code, err } = await runForTest("lab", flag, value);
		expect(code).toBe(2);
		expect(err).toMatch(message);
	});
});
