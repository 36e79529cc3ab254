// The pool on kernels made for the purpose: they count, they look after their scratch, they fail.

import asc from "assemblyscript/asc";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { HEAP_START, LAST } from "./layout.mjs";
import { Pool } from "./pool.ts";

const kernels = `
export function count(out: usize, begin: i32, end: i32, scratch: usize): void {
  for (let i = begin; i < end; i++) atomic.add<i32>(out + (<usize>i << 2), 1);
}
/** Writes its own number all over its scratch, and looks whether it stays. */
export function own(faults: usize, bytes: i32, begin: i32, end: i32, scratch: usize): void {
  for (let round = 0; round < 50; round++) {
    for (let i = 0; i < bytes; i += 4) store<i32>(scratch + i, begin + round);
    for (let i = 0; i < bytes; i += 4) if (load<i32>(scratch + i) != begin + round) atomic.add<i32>(faults, 1);
  }
}
function spin(n: i32, at: usize): void {
  for (let i = 0; i < n; i++) store<i32>(at, load<i32>(at) + i);
}
/** Item i of a row of jobs: out = 3 out + step, so that a job that ran too early, too late or twice shows. */
export function chain(out: usize, step: i32, begin: i32, end: i32, scratch: usize): void {
  for (let i = begin; i < end; i++) {
    const at = out + (<usize>i << 2);
    store<i32>(at, 3 * load<i32>(at) + step);
  }
}
/** Even items take long enough for another thread to wake up, odd ones much longer. */
export function uneven(out: usize, begin: i32, end: i32, scratch: usize): void {
  for (let i = begin; i < end; i++) {
    spin(i & 1 ? 5000000 : 500000, scratch);
    store<i32>(out + (<usize>i << 2), 1);
  }
}
export function failOnMain(base: usize, begin: i32, end: i32, scratch: usize): void {
  spin(1000, scratch);
  if (scratch == base) unreachable();
}
export function failOnWorker(base: usize, begin: i32, end: i32, scratch: usize): void {
  spin(1000, scratch);
  if (scratch != base) unreachable();
}
export function sumOfArgs(out: usize, a: f64, b: f32, c: i32, d: u32, begin: i32, end: i32, scratch: usize): void {
  for (let i = begin; i < end; i++) store<f64>(out + (<usize>i << 3), a + <f64>b + <f64>c + <f64>d);
}
`;

let module: WebAssembly.Module;
beforeAll(async () => {
	const files = new Map<string, string | Uint8Array>([["kernels.ts", kernels]]);
	const flags = [
		"--enable",
		"simd,threads",
		"--runtime",
		"stub",
		"--importMemory",
		"--sharedMemory",
		"--initialMemory",
		"1",
	];
	const { error, stderr } = await asc.main(
		["kernels.ts", "--outFile", "out.wasm", "--maximumMemory", "65536", "-O3", ...flags],
		{
			readFile: (name) => (typeof files.get(name) === "string" ? String(files.get(name)) : null),
			writeFile: (name, contents) => void files.set(name, contents),
			listFiles: () => [],
		},
	);
	if (error) throw new Error(String(stderr));
	module = await WebAssembly.compile(files.get("out.wasm") as Uint8Array<ArrayBuffer>);
});

const BASE = HEAP_START;
const SCRATCH = 65536 * 4;
const SCRATCH_BYTES = 4096;
const started: { pool: Pool; generation: number }[] = [];
afterEach(() => {
	for (const { pool, generation } of started.splice(0)) pool.stop(generation);
});

async function start(threads: number, memory = newMemory(), generation = 1) {
	const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
	const pool = await Pool.withWorkers(module, memory, exports, threads, generation);
	started.push({ pool, generation });
	const ints = (length: number) => new Int32Array(memory.buffer, BASE, length);
	const run = (kernel: string, args: number[], total: number, grain: number) => {
		pool.start(kernel, args, total, grain, SCRATCH, SCRATCH_BYTES);
		pool.finish();
	};
	return { pool, memory, ints, run };
}

function newMemory(): WebAssembly.Memory {
	return new WebAssembly.Memory({ initial: 8, maximum: 65536, shared: true });
}

describe.each([1, 2, 3, 4])("a pool of %i", (threads) => {
	test("runs every item once, whatever the grain", async () => {
		const { pool, ints, run } = await start(threads);
		expect(pool.threads).toBe(threads);
		for (const [total, grain] of [
			[1, 1],
			[7, 3],
			[1000, 1],
			[1000, 64],
			[1000, 1000],
			[1000, 5000],
			[999, 998],
		]) {
			ints(1024).fill(0);
			run("count", [BASE], total, grain);
			expect([...ints(1024)]).toEqual(Array.from({ length: 1024 }, (_, i) => (i < total ? 1 : 0)));
		}
		run("count", [BASE], 0, 4);
		expect(ints(1)[0]).toBe(1);
	});

	test("gives each thread scratch of its own", async () => {
		const { ints, run } = await start(threads);
		ints(1).fill(0);
		run("own", [BASE, SCRATCH_BYTES], 200, 1);
		expect(ints(1)[0]).toBe(0);
	});

	test("hands over numbers of every kind exactly", async () => {
		const { memory, run } = await start(threads);
		const [a, b, c, d] = [1e-3, Math.fround(0.1), -5, 4_000_000_000];
		run("sumOfArgs", [BASE, a, b, c, d], 32, 4);
		const expected = a + b + c + d;
		expect(new Float64Array(memory.buffer, BASE, 32).every((v) => v === expected)).toBe(true);
	});

	test("knows its kernels", async () => {
		const { pool, run } = await start(threads);
		expect(pool.has("count")).toBe(true);
		expect(pool.has("nothing")).toBe(false);
		expect(() => run("nothing", [], 10, 1)).toThrow('wasm: there is no kernel "nothing"');
	});
});

describe("a job that was started", () => {
	test("is done by the workers while the calling thread does something else", async () => {
		const { pool, ints } = await start(2);
		ints(8).fill(0);
		pool.start("count", [BASE], 8, 1, SCRATCH, SCRATCH_BYTES);
		await vi.waitFor(() => expect([...ints(8)]).toEqual(new Array(8).fill(1)));
		pool.finish();
		pool.finish();
		expect([...ints(8)]).toEqual(new Array(8).fill(1));
	});

	test("is done before the next one begins, which may be a single chunk", async () => {
		const { pool, ints } = await start(2);
		for (let i = 0; i < 10; i++) {
			ints(2).fill(0);
			pool.start("uneven", [BASE], 2, 1, SCRATCH, SCRATCH_BYTES);
			pool.start("count", [BASE], 2, 2, SCRATCH, SCRATCH_BYTES);
			pool.finish();
			expect([...ints(2)]).toEqual([2, 2]);
		}
	});

	test("that is a single chunk, with nothing before it, is done on return", async () => {
		const { pool, ints } = await start(2);
		ints(4).fill(0);
		pool.start("count", [BASE], 4, 4, SCRATCH, SCRATCH_BYTES);
		expect([...ints(4)]).toEqual([1, 1, 1, 1]);
	});

	test("can be waited for without those behind it", async () => {
		const { pool, ints } = await start(2);
		ints(4).fill(0);
		const before = pool.last;
		pool.start("count", [BASE], 2, 1, SCRATCH, SCRATCH_BYTES);
		const first = pool.last;
		expect(first).toBe(before + 1);
		pool.start("uneven", [BASE + 8], 2, 1, SCRATCH, SCRATCH_BYTES);
		pool.finish(first);
		expect([...ints(2)]).toEqual([1, 1]);
		expect(pool.settled).toBe(first);
		pool.finish();
		expect([...ints(4)]).toEqual([1, 1, 1, 1]);
		expect(pool.settled).toBe(pool.last);
	});

	test("that fails is an error where it is waited for, once", async () => {
		const { pool, ints } = await start(2);
		ints(8).fill(0);
		pool.start("failOnWorker", [0], 64, 1, SCRATCH, SCRATCH_BYTES);
		pool.start("count", [BASE], 8, 1, SCRATCH, SCRATCH_BYTES);
		expect(() => pool.finish()).toThrow(/"failOnWorker" failed on a worker|unreachable/);
		pool.start("count", [BASE], 8, 1, SCRATCH, SCRATCH_BYTES);
		pool.finish();
		expect([...ints(8)]).toEqual(new Array(8).fill(2));
	});
});

describe.each([2, 3])("a queue of jobs for %i threads", (threads) => {
	/** What `chain` makes of 0 with steps 1 to `jobs`, in int32. */
	function chained(jobs: number): number {
		let value = 0;
		for (let step = 1; step <= jobs; step++) value = (Math.imul(3, value) + step) | 0;
		return value;
	}

	/** A job in which the calling thread takes no part. */
	async function doneByWorkers(pool: Pool, ints: (length: number) => Int32Array): Promise<void> {
		ints(64).fill(0);
		pool.start("count", [BASE], 64, 1, SCRATCH, SCRATCH_BYTES);
		await vi.waitFor(() => expect([...ints(64)]).toEqual(new Array(64).fill(1)));
	}

	test("runs more jobs than it has places for, in order", async () => {
		const { pool, ints } = await start(threads);
		ints(64).fill(0);
		for (let step = 1; step <= 5000; step++) {
			pool.start("chain", [BASE, step], 64, step % 7 === 0 ? 64 : 1 + (step % 5), SCRATCH, SCRATCH_BYTES);
			if (step % 611 === 0) pool.finish(pool.last - (step % 3));
		}
		pool.finish();
		expect([...ints(64)]).toEqual(new Array(64).fill(chained(5000)));
	});

	test("finds its place again after a worker has slept through many", async () => {
		const { pool, ints } = await start(threads);
		ints(64).fill(0);
		let step = 0;
		for (let round = 0; round < 10; round++) {
			await new Promise((resolve) => setTimeout(resolve, 3));
			for (let i = 0; i < 100; i++) {
				pool.start("chain", [BASE, ++step], 64, 2, SCRATCH, SCRATCH_BYTES);
				pool.finish();
			}
		}
		expect([...ints(64)]).toEqual(new Array(64).fill(chained(1000)));
		await doneByWorkers(pool, ints);
	});

	test("goes on where numbers of jobs begin anew", async () => {
		const memory = newMemory();
		new Int32Array(memory.buffer)[LAST] = 2 ** 31 - 50;
		const { pool, ints } = await start(threads, memory);
		ints(64).fill(0);
		for (let step = 1; step <= 200; step++) {
			pool.start("chain", [BASE, step], 64, 3, SCRATCH, SCRATCH_BYTES);
			if (step % 3 !== 0) continue;
			pool.finish();
			expect([...ints(64)]).toEqual(new Array(64).fill(chained(step)));
		}
		pool.finish();
		expect(pool.last).toBe((2 ** 31 - 50 + 200) | 0);
		await doneByWorkers(pool, ints);
	});
});

describe("many and failing jobs", () => {
	test("20,000 tiny jobs, one after the other, lose and repeat nothing", async () => {
		const { ints, run } = await start(2);
		ints(8).fill(0);
		for (let i = 0; i < 20_000; i++) run("count", [BASE], 8, 2);
		expect([...ints(8)]).toEqual(new Array(8).fill(20_000));
	});

	test("returns when the slowest thread is done, not before", async () => {
		const { ints, run } = await start(2);
		for (let i = 0; i < 20; i++) {
			ints(2).fill(0);
			run("uneven", [BASE], 2, 1);
			expect([...ints(2)]).toEqual([1, 1]);
		}
	});

	test("wakes workers that have gone to sleep", async () => {
		const { ints, run } = await start(3);
		ints(8).fill(0);
		for (let i = 0; i < 20; i++) {
			await new Promise((resolve) => setTimeout(resolve, 3));
			run("count", [BASE], 8, 1);
		}
		expect([...ints(8)]).toEqual(new Array(8).fill(20));
	});

	test.each(["failOnMain", "failOnWorker"])("%s is an error, and the pool goes on", async (kernel) => {
		const { ints, run } = await start(2);
		// By chance one thread may take all chunks of a job: ask until the other had one.
		const attempt = () => {
			for (let i = 0; i < 2000; i++) run(kernel, [SCRATCH], 64, 1);
		};
		expect(attempt).toThrow(
			kernel === "failOnMain" ? WebAssembly.RuntimeError : /"failOnWorker" failed on a worker; run it with init/,
		);
		ints(100).fill(0);
		run("count", [BASE], 100, 3);
		expect([...ints(100)]).toEqual(new Array(100).fill(1));
	});

	test("a stopped pool's workers take no part in the next one's jobs", async () => {
		const memory = newMemory();
		const first = await start(3, memory, 1);
		first.run("count", [BASE], 8, 1);
		first.pool.stop(1);
		const second = await start(2, memory, 2);
		second.ints(64).fill(0);
		for (let i = 0; i < 500; i++) second.run("count", [BASE], 64, 1);
		expect([...second.ints(64)]).toEqual(new Array(64).fill(500));
	});
});
