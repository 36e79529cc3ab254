import { describe, expect, test } from "vitest";
import { runInChild } from "../../test/support/child.ts";
import { add } from "../../test/support/toy-ops.ts";
import { tensor, zeros } from "../ops/creation.ts";
import { addInPlace } from "../ops/elementwise/add-in-place.ts";
import { currentBackend, isInitialized, withBackend } from "./backend.ts";
import { type InitOptions, init } from "./init.ts";
import { referenceBackend } from "./reference/reference-backend.ts";

describe("init", () => {
	test("comes first", () => {
		expect(isInitialized()).toBe(false);
		expect(() => tensor([1])).toThrow(
			"evenkeel is not initialized: call `await init()` before making tensors or layers",
		);
	});

	test("uses wasm and all cores by default", async () => {
		const backend = await init();
		expect(isInitialized()).toBe(true);
		expect(backend.name).toBe("wasm");
		expect(backend.float).toBe("float32");
		const os = await import("node:os");
		expect(backend.threads).toBe(os.availableParallelism());
	});

	test("may be called again with other threads, and tensors go on working", async () => {
		const a = tensor([1, 2]);
		for (const threads of [2, 1, 3, 3]) {
			const backend = await init({ threads });
			expect(backend.threads).toBe(threads);
			expect(backend.notice).toBe("");
			const b = zeros([100_000]);
			addInPlace(b, b);
			expect([...add(a, a).dataSync()]).toEqual([2, 4]);
		}
	});

	test("runs wide kernels if asked to, where V8 can make them, until told otherwise", async () => {
		const able = Number.parseInt(process.versions.node, 10) >= 24 && process.arch === "x64";
		const narrow = await init({ threads: 1 });
		expect(narrow.build).toBe("relaxed");
		const tensorBefore = tensor([1, 2]);
		const wide = await init({ threads: 1, wide: true });
		expect(wide.build).toBe(able ? "wide" : "relaxed");
		expect(await init({ threads: 2 })).toBe(wide);
		expect([...add(tensorBefore, tensorBefore).dataSync()]).toEqual([2, 4]);
		expect(await init({ threads: 1, wide: false })).toBe(narrow);
		expect(narrow === wide).toBe(!able);
	});

	test("may be called twice at once: the later call wins", async () => {
		const [first, second] = await Promise.all([init({ threads: 6 }), init({ threads: 2 })]);
		expect(first).toBe(second);
		expect(currentBackend().threads).toBe(2);
	});

	test("of two backends asked for at once, the later is the one of new tensors, whichever starts first", async () => {
		const [wasm] = await Promise.all([init({ threads: 1 }), init({ backend: "reference" })]);
		expect(wasm.name).toBe("wasm");
		expect(currentBackend()).toBe(referenceBackend);
		await Promise.all([init({ backend: "reference" }), init({ threads: 1 })]);
		expect(currentBackend()).toBe(wasm);
		const [, wrong] = await Promise.allSettled([init({ threads: 2 }), init({ threads: 0 })]);
		expect(wrong.status).toBe("rejected");
		expect(currentBackend()).toBe(wasm);
		expect(wasm.threads).toBe(2);
	});

	test("changes the backend of new tensors, not of old ones", async () => {
		const onWasm = tensor([1, 2]);
		await init({ backend: "reference" });
		expect(currentBackend()).toBe(referenceBackend);
		const onReference = tensor([3, 4]);
		expect(onReference.dtype).toBe("float64");
		expect(add(onWasm, onWasm).dtype).toBe("float32");
		expect(() => add(onWasm, onReference)).toThrow(
			/lives on the wasm backend and .* on reference; make both after the same init/,
		);
		expect(withBackend(onWasm.backend, () => tensor([1]).dtype)).toBe("float32");
		expect(currentBackend()).toBe(referenceBackend);
	});

	test.each([
		[{ threads: 0 }, 'init: threads must be "auto" or a whole number from 1 to 64, got 0'],
		[{ threads: 1.5 }, /got 1.5/],
		[{ threads: 65 }, /got 65/],
		[{ threads: Number.NaN }, /got NaN/],
		[{ threads: "two" }, /got two/],
		[{ backend: "cuda" }, 'init: unknown backend "cuda"; there are "wasm" and "reference"'],
	])("refuses %j and stays as it was", async (options, message) => {
		const before = currentBackend();
		// What TypeScript would refuse, from JavaScript.
		await expect(init(options as InitOptions)).rejects.toThrow(message);
		expect(currentBackend()).toBe(before);
	});
});

describe("in a process of its own", () => {
	const begin = 'const { init } = await import(src("backend/init.ts"));';

	test("init is waited for though nothing else is going on, and idle workers let the process end", async () => {
		const { code, stdout, stderr, timedOut } = await runInChild(
			`${begin}
			const backend = await init({ threads: 3 });
			const { zeros } = await import(src("ops/creation.ts"));
			const { addInPlace } = await import(src("ops/elementwise/add-in-place.ts"));
			const a = zeros([100000]);
			for (let i = 0; i < 100; i++) addInPlace(a, a);
			console.log(backend.threads);`,
			[],
			20_000,
		);
		expect({ code, stdout, stderr, timedOut }).toEqual({ code: 0, stdout: "3\n", stderr: "", timedOut: false });
	});

	test("workers of earlier calls end", async () => {
		const { code, stdout } = await runInChild(
			`${begin}
			const { Worker } = process.getBuiltinModule("node:worker_threads");
			let running = 0;
			const { emit } = Worker.prototype;
			Worker.prototype.emit = function (name, ...rest) {
				if (name === "online") running++;
				if (name === "exit") running--;
				return emit.call(this, name, ...rest);
			};
			await init({ threads: 2 });
			// One of ours; what else the engine runs as a worker is its own affair.
			const before = running;
			for (const threads of [4, 2, 3, 2]) await init({ threads });
			for (let i = 0; i < 100 && running > before; i++) await new Promise((resolve) => setTimeout(resolve, 20));
			console.log(running - before);`,
		);
		expect({ code, stdout }).toEqual({ code: 0, stdout: "0\n" });
	});
});
