import { createHash } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import { add, mul } from "../../../test/support/toy-ops.ts";
import { tensor, zeros } from "../../ops/creation.ts";
import { addInPlace } from "../../ops/elementwise/add-in-place.ts";
import { scope } from "../../tensor/scope.ts";
import { withBackend } from "../backend.ts";
import { QUEUE } from "./layout.mjs";
import { bestBuild, hasRelaxedSimd, kernelBytes, withPrivateMemory } from "./module.ts";
import { WasmBackend } from "./wasm-backend.ts";

const builds = ["simd", "relaxed", "wide"] as const;

function refuse(): never {
	throw new Error("no threads left");
}

/** The bits of sums of many numbers on a backend, over enough chunks for every thread. */
function accumulated(backend: WasmBackend): string {
	return withBackend(backend, () =>
		scope(() => {
			const n = 100_003;
			const sum = zeros([n]);
			for (let k = 1; k <= 5; k++)
				addInPlace(
					sum,
					tensor(
						Float32Array.from({ length: n }, (_, i) => Math.sin(i * k)),
						[n],
					),
				);
			return createHash("sha256").update(sum.dataSync()).digest("hex");
		}),
	);
}

describe("the wasm backend", () => {
	test("gives the same bits on 1, 2, 3 and 4 threads", async () => {
		const backend = await WasmBackend.load();
		const results: string[] = [];
		for (const threads of [1, 2, 3, 4]) {
			await backend.setThreads(threads);
			expect(backend.threads).toBe(threads);
			results.push(accumulated(backend));
		}
		for (const result of results.slice(1)) expect(result).toEqual(results[0]);
		await backend.setThreads(1);
	});

	test("has three builds, and all compute", async () => {
		const plain = await WasmBackend.load({ build: "simd" });
		expect(plain.build).toBe("simd");
		expect((await WasmBackend.load()).build).toBe(bestBuild());
		// Additions alone: no fused multiply-add to round otherwise.
		for (const build of ["relaxed", "wide"] as const) {
			expect(accumulated(await WasmBackend.load({ build }))).toEqual(accumulated(plain));
		}
	});

	test("does without shared memory: the same kernels on one thread, and it says why", async () => {
		const shared = await WasmBackend.load();
		const alone = await WasmBackend.load({ shared: false });
		expect(alone.notice).toBe("");
		await alone.setThreads(4);
		expect(alone.threads).toBe(1);
		expect(alone.notice).toMatch(
			/not cross-origin isolated, so memory cannot be shared: running on one thread. Serve it with/,
		);
		const reserved = alone.memory().reserved;
		expect(accumulated(alone)).toEqual(accumulated(shared));
		// Its memory has grown meanwhile, which in unshared memory lets go of every older view.
		expect(alone.memory().reserved).toBeGreaterThan(reserved);
		expect(accumulated(alone)).toEqual(accumulated(shared));
	});

	test("tensors stay as they are when threads change", async () => {
		const backend = await WasmBackend.load();
		await withBackend(backend, () => {
			const [a, b] = [tensor([1, 2, 3]), tensor([4, 5, 6])];
			return backend.setThreads(2).then(() => {
				expect([...add(a, mul(a, b)).dataSync()]).toEqual([5, 12, 21]);
			});
		});
		await backend.setThreads(1);
	});

	test("kernels run while threads change, and changes follow one another", async () => {
		const backend = await WasmBackend.load();
		const expected = accumulated(backend);
		const changes = [backend.setThreads(3), backend.setThreads(2), backend.setThreads(4)];
		for (let i = 0; i < 5; i++) {
			expect(accumulated(backend)).toEqual(expected);
			await new Promise((resolve) => setTimeout(resolve, 2));
		}
		await Promise.all(changes);
		expect(backend.threads).toBe(4);
		expect(accumulated(backend)).toEqual(expected);
		await backend.setThreads(1);
	});

	test("goes on alone, and says so, where workers do not start", async () => {
		const backend = await WasmBackend.load();
		const builtin = process.getBuiltinModule("node:worker_threads");
		const spy = vi.spyOn(builtin, "Worker").mockImplementation(refuse);
		await backend.setThreads(3);
		spy.mockRestore();
		expect(backend.threads).toBe(1);
		expect(backend.notice).toBe("workers could not be started (no threads left): running on one thread");
		expect(accumulated(backend)).toEqual(accumulated(await WasmBackend.load()));
		await backend.setThreads(2);
		expect(backend.threads).toBe(2);
		expect(backend.notice).toBe("");
		await backend.setThreads(1);
	});

	test("counts what is held, the most that was, and what the system gave", async () => {
		const backend = await WasmBackend.load();
		expect(backend.memory().used).toBe(0);
		withBackend(backend, () => {
			scope(() => void zeros([1000]));
			const t = zeros([100]);
			expect(backend.memory()).toMatchObject({ used: 448, peak: 4032 });
			t.dispose();
			expect(backend.memory().used).toBe(0);
		});
	});

	test("keeps scratch for each thread, however many there come to be", async () => {
		const backend = await WasmBackend.load();
		const out = backend.take(64);
		const launch = (bytes: number) => backend.launch("elementwise_accumulate", [out, out], 16, 4, bytes);
		launch(5000);
		expect(backend.memory().used).toBe(64 + 8192);
		launch(100);
		expect(backend.memory().used).toBe(64 + 8192);
		await backend.setThreads(3);
		expect(backend.memory().used).toBe(64 + 3 * 8192);
		launch(9000);
		expect(backend.memory().used).toBe(64 + 3 * 12288);
		await backend.setThreads(1);
		expect(backend.memory().used).toBe(64 + 12288);
	});

	test("what a launch leaves is there for whoever looks, on one thread or several", async () => {
		const backend = await WasmBackend.load();
		await backend.setThreads(3);
		withBackend(backend, () =>
			scope(() => {
				const [sum, one] = [zeros([300_000]), tensor(new Float32Array(300_000).fill(1), [300_000])];
				for (let k = 1; k <= 50; k++) {
					backend.launch("elementwise_accumulate", [sum.ptr, one.ptr], 300_000, 4096);
					if (k % 3 === 0) backend.finish();
					expect(new Set(k % 2 ? sum.view() : sum.dataSync())).toEqual(new Set([k]));
				}
			}),
		);
		await backend.setThreads(1);
	});

	test("does not count tables, which stay", async () => {
		const backend = await WasmBackend.load();
		const ptr = backend.table([1, 2, 3]);
		expect(backend.table([1, 2, 3])).toBe(ptr);
		expect(backend.memory().used).toBe(0);
	});

	test("lends memory to kernels", async () => {
		const backend = await WasmBackend.load();
		const ptr = backend.take(100);
		backend.heapViews.int32[ptr >> 2] = 5;
		expect(backend.memory().used).toBe(128);
		backend.giveBack(ptr);
		expect(backend.memory().used).toBe(0);
	});
});

describe("the module", () => {
	test("the probe for relaxed simd says what the engine says of the kernels themselves", async () => {
		const probed = hasRelaxedSimd();
		expect(probed).toBe(WebAssembly.validate(await kernelBytes("relaxed")));
	});

	test.each(builds)("build %s: the unshared variant differs in one bit", async (build) => {
		const bytes = await kernelBytes(build);
		const unshared = withPrivateMemory(bytes);
		const changed = [...bytes.keys()].filter((i) => bytes[i] !== unshared[i]);
		expect(changed).toHaveLength(1);
		expect(bytes[changed[0]] ^ unshared[changed[0]]).toBe(2);
		expect(WebAssembly.validate(unshared)).toBe(true);
	});

	test("refuses what is not the kernels", () => {
		expect(() => withPrivateMemory(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))).toThrow("the kernels import no memory");
	});

	test.each(builds)("build %s has no start function, which each thread would run over the others", async (build) => {
		const bytes = await kernelBytes(build);
		const module = await WebAssembly.compile(bytes);
		expect(WebAssembly.Module.imports(module)).toEqual([{ module: "env", name: "memory", kind: "memory" }]);
		expect(sectionsOf(bytes)).not.toContain(8);
	});

	test.each(builds)(
		"build %s: its constants, which each thread writes anew, stand before the queue of jobs",
		async (build) => {
			const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
			const bytes = new Uint8Array(memory.buffer);
			bytes.fill(0x55);
			await WebAssembly.instantiate(await WebAssembly.compile(await kernelBytes(build)), { env: { memory } });
			const written = [...bytes.keys()].filter((i) => bytes[i] !== 0x55);
			expect(written.length).toBeGreaterThan(0);
			expect(written[0]).toBeGreaterThanOrEqual(1024);
			expect(written[written.length - 1]).toBeLessThan(4 * QUEUE);
		},
	);
});

/** The numbers of a module's sections: 8 is the start function, 11 are data segments. */
function sectionsOf(bytes: Uint8Array): number[] {
	const found: number[] = [];
	for (let at = 8; at < bytes.length; ) {
		found.push(bytes[at++]);
		let length = 0;
		for (let shift = 0; ; shift += 7) {
			const byte = bytes[at++];
			length |= (byte & 127) << shift;
			if (byte < 128) break;
		}
		at += length;
	}
	return found;
}
