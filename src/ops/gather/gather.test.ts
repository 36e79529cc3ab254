import { beforeAll, describe, expect, test } from "vitest";
import { bothBackends, onEachBackend, withBackend } from "../../../test/support/backends.ts";
import { init } from "../../backend/init.ts";
import { Generator } from "../../random/generator.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { tensor, zeros } from "../creation.ts";
import { type GatherImagesOptions, gatherImages, gatherRows } from "./op.ts";

const random = new Generator(7);
const N = 40;
const C = 3;
const H = 29;
const W = 31;
const bytes = Uint8Array.from({ length: N * C * H * W }, () => random.int(256));
const rows = Int32Array.from({ length: 300 }, () => random.int(N));
const windows = Int32Array.from({ length: 900 }, (_, i) => (i % 3 === 2 ? random.int(2) : random.int(13) - 6));
const options: Record<string, GatherImagesOptions> = {
	whole: { mean: [0.1, 0.2, 0.3], std: [0.5, 0.6, 0.7] },
	windows: { mean: 0.5, std: 0.25, windows },
	"small windows": { windows, windowSize: [17, 6] },
};

/** Compares bits: quicker than toEqual by far. */
function expectSame(found: ArrayBufferView, expected: ArrayBufferView): void {
	const bytesOf = (view: ArrayBufferView) => Buffer.from(view.buffer, view.byteOffset, view.byteLength);
	expect(found.byteLength).toBe(expected.byteLength);
	expect(Buffer.compare(bytesOf(found), bytesOf(expected))).toBe(0);
}

function images(): Tensor {
	return tensor(bytes, [N, C, H, W]);
}

describe.each(Object.keys(options))("large batches, %s", (key) => {
	test("the kernel gives what the reference gives, rounded", async () => {
		const { reference, wasm } = await bothBackends();
		const expected = withBackend(reference, () => gatherImages(images(), rows, options[key]).dataSync());
		const found = withBackend(wasm, () => gatherImages(images(), rows, options[key]).dataSync());
		expectSame(found, Float32Array.from(expected));
	});

	test("any number of threads gives the same bits", async () => {
		const found: ArrayBufferView[] = [];
		for (const threads of [1, 2, 3]) {
			await init({ threads });
			found.push(gatherImages(images(), rows, options[key]).dataSync());
		}
		expectSame(found[1], found[0]);
		expectSame(found[2], found[0]);
	});
});

test("rows of a large table on 1, 2 and 3 threads", async () => {
	const table = Float32Array.from({ length: 1000 * 257 }, () => random.uniform());
	const chosen = Int32Array.from({ length: 700 }, () => random.int(1000));
	for (const threads of [1, 2, 3]) {
		await init({ threads });
		const found = gatherRows(tensor(table, [1000, 257]), chosen).dataSync();
		chosen.forEach((row, i) => {
			expectSame(found.subarray(i * 257, (i + 1) * 257), table.subarray(row * 257, (row + 1) * 257));
		});
	}
});

test("nothing is written past the batch, and no memory is kept", async () => {
	const backend = await init({ threads: 1 });
	using x = images();
	const before = backend.memory().used;
	for (let i = 0; i < 20; i++) {
		using a = gatherImages(x, rows, { windows });
		using guard = tensor(new Float32Array(16).fill(9), [16]);
		using b = gatherImages(x, rows.subarray(0, 7), { windows: windows.subarray(0, 21), windowSize: [3, 5] });
		using c = gatherRows(x, [1, 2]);
		expect([a.size, b.size, c.size]).toEqual([300 * C * H * W, 7 * C * 15, 2 * C * H * W]);
		expect(new Set(guard.dataSync())).toEqual(new Set([9]));
	}
	expect(backend.memory().used).toBe(before);
});

onEachBackend("what is wrong is named", () => {
	let x: Tensor;
	beforeAll(() => {
		x = tensor(new Uint8Array(2 * 3 * 4 * 5), [2, 3, 4, 5], { name: "images" });
	});
	const cases: [string, () => Tensor, string][] = [
		[
			"row",
			() => gatherRows(x, [0, 2]),
			'gatherRows: row 2 (at 1) is outside of Tensor "images" [2, 3, 4, 5], whose rows are 0 to 1',
		],
		["fraction", () => gatherRows(x, [0.5]), "gatherRows: row 0.5 (at 0)"],
		["negative", () => gatherImages(x, [-1]), "gatherImages: row -1 (at 0)"],
		["rows' type", () => gatherRows(x, tensor([0])), "rows must be an int32 tensor [n], got float"],
		["scalar", () => gatherRows(tensor(1), [0]), "expected a tensor with rows [N, …]"],
		["floats", () => gatherImages(tensor([1]), [0]), "expected uint8 images [N, C, H, W], got float"],
		[
			"mean",
			() => gatherImages(x, [0], { mean: [1, 2] }),
			"mean must be a finite number, or 3 of them (one a channel), got [1, 2]",
		],
		["std", () => gatherImages(x, [0], { std: 0 }), "std must be above 0, got 0"],
		[
			"windows",
			() => gatherImages(x, [0, 1], { windows: Int32Array.of(0, 0, 0) }),
			"for each of 2 images, 6 numbers, got 3",
		],
		["flip", () => gatherImages(x, [0], { windows: Int32Array.of(0, 0, 2) }), "windows[2] is a flip, 0 or 1, got 2"],
		["size", () => gatherImages(x, [0], { windows: new Int32Array(3), windowSize: [0, 2] }), "above 0, got [0, 2]"],
		["size alone", () => gatherImages(x, [0], { windowSize: [2, 2] }), "but no windows were given"],
		["gradient", () => gatherRows(tensor([[1]], undefined, { requiresGrad: true }), [0]), "it has no gradient"],
	];
	test.each(cases)("%s", (_, call, message) => {
		expect(call).toThrow(message);
	});
});

test("batches made one behind the other, without a look in between, have their own rows", async () => {
	await init({ threads: 2 });
	const x = tensor(Float32Array.from({ length: 4000 }, (_, i) => i));
	const rowsOf = (batch: number) => Int32Array.from({ length: 500 }, (_, i) => (7 * i + 11 * batch) % 4000);
	// Enough to do that what comes next has to wait for its turn.
	const wide = zeros([64, 65_536]);
	gatherRows(
		wide,
		Int32Array.from({ length: 64 }, (_, i) => i),
	).dispose();
	const batches = Array.from({ length: 20 }, (_, batch) => gatherRows(x, rowsOf(batch)));
	for (const [batch, made] of batches.entries()) {
		expect([...made.dataSync()]).toEqual([...rowsOf(batch)]);
		made.dispose();
	}
	x.dispose();
	wide.dispose();
	await init({ threads: 1 });
});
