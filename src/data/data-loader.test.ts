import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { onEachBackend } from "../../test/support/backends.ts";
import { init } from "../backend/init.ts";
import { tensor } from "../ops/creation.ts";
import { Generator, manualSeed } from "../random/generator.ts";
import { scope } from "../tensor/scope.ts";
import { liveTensors } from "../tensor/tensor.ts";
import { DataLoader, type DataLoaderOptions } from "./data-loader.ts";
import { type Dataset, ImageDataset, subset, TensorDataset } from "./dataset.ts";
import type { ImageTransform } from "./transform.ts";

const N = 23;

/** Row i is [i, i / 2], its target 100 + i. */
function numbers(): TensorDataset {
	const x = Float32Array.from({ length: 2 * N }, (_, i) => Math.floor(i / 2) / (1 + (i % 2)));
	return new TensorDataset(tensor(x, [N, 2]), tensor(Int32Array.from({ length: N }, (_, i) => 100 + i)));
}

/** N images of 2 x 5 x 7 random bytes. */
function images(): ImageDataset {
	const random = new Generator(3);
	const bytes = Uint8Array.from({ length: N * 70 }, () => random.int(256));
	return new ImageDataset({
		images: tensor(bytes, [N, 2, 5, 7]),
		labels: tensor(Int32Array.from({ length: N }, (_, i) => i % 3)),
		classes: ["a", "b", "c"],
		mean: [0.5, 0.5],
		std: [0.25, 0.25],
	});
}

/** Everything a loop over the loader yields, as numbers. */
function contents(loader: DataLoader, most = Number.POSITIVE_INFINITY): number[][] {
	const found: number[][] = [];
	for (const batch of loader) {
		found.push([...batch.indices, ...batch.x.dataSync(), ...batch.y.dataSync()]);
		batch[Symbol.dispose]();
		if (found.length === most) break;
	}
	return found;
}

const augmented: DataLoaderOptions = {
	batchSize: 4,
	shuffle: true,
	seed: 5,
	transform: { mean: 0.3, std: [0.5, 0.6], crop: { padding: 2 }, flip: true },
};

onEachBackend("DataLoader", () => {
	test("batches hold the rows in order, the last one what is left", () => {
		const loader = new DataLoader(numbers(), { batchSize: 5 });
		const batches = [...loader];
		expect(batches.map(({ x }) => x.shape)).toEqual([
			[5, 2],
			[5, 2],
			[5, 2],
			[5, 2],
			[3, 2],
		]);
		expect([...batches[4].x.dataSync()]).toEqual([20, 10, 21, 10.5, 22, 11]);
		expect(batches[4].y.dataSync()).toEqual(Int32Array.of(120, 121, 122));
		expect(batches[4].indices).toEqual(Int32Array.of(20, 21, 22));
		expect(loader.length).toBe(5);
		expect(new DataLoader(numbers(), { batchSize: 5, dropLast: true }).length).toBe(4);
		expect([...new DataLoader(numbers(), { batchSize: 5, dropLast: true })]).toHaveLength(4);
	});

	test("an epoch has every row once, and x stays with y", () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 30 }), fc.nat(1000), (batchSize, seed) => {
				const seen: number[] = [];
				for (using batch of new DataLoader(numbers(), { batchSize, seed, shuffle: true })) {
					const x = batch.x.dataSync();
					batch.indices.forEach((row, i) => {
						expect([x[2 * i], x[2 * i + 1]]).toEqual([row, row / 2]);
						expect(batch.y.dataSync()[i]).toBe(100 + row);
					});
					seen.push(...batch.indices);
				}
				expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: N }, (_, i) => i));
			}),
			{ numRuns: 20 },
		);
	});

	test("epochs differ from one another, seeds too, and a seed repeats itself", () => {
		const make = (seed: number) => new DataLoader(numbers(), { batchSize: 8, shuffle: true, seed });
		const a = make(1);
		const epochs = [contents(a), contents(a), contents(make(2))];
		expect(new Set(epochs.map((epoch) => JSON.stringify(epoch))).size).toBe(3);
		const b = make(1);
		expect([contents(b), contents(b)]).toEqual(epochs.slice(0, 2));
		expect(a.epoch).toBe(2);
	});

	test("resuming from any batch goes on bit for bit", () => {
		const loader = new DataLoader(images(), augmented);
		contents(loader);
		const states: string[] = [];
		const batches: number[][] = [];
		for (const { x, y, indices } of loader) {
			batches.push([...indices, ...x.dataSync(), ...y.dataSync()]);
			states.push(JSON.stringify(loader.state()));
		}
		const next = contents(loader);
		states.forEach((state, k) => {
			const resumed = new DataLoader(images(), { ...augmented, seed: 99 });
			resumed.setState(JSON.parse(state));
			expect([resumed.epoch, resumed.position]).toEqual([1, k + 1]);
			expect(contents(resumed)).toEqual(batches.slice(k + 1));
			expect(contents(resumed)).toEqual(next);
		});
	});

	test("leaving the loop early ends the epoch", () => {
		const make = () => new DataLoader(numbers(), { batchSize: 4, shuffle: true, seed: 1 });
		const whole = make();
		const [, second] = [contents(whole), contents(whole)];
		const left = make();
		contents(left, 2);
		expect(left.state()).toMatchObject({ epoch: 0, position: 2 });
		expect(contents(left)).toEqual(second);
	});

	test("images are normalized, cropped and flipped as the table of windows says", () => {
		const set = images();
		const plain = new DataLoader(set, { batchSize: N });
		const [whole] = contents(plain);
		expect(whole.slice(N, N + 3)).toEqual(
			Array.from(set.images.dataSync().slice(0, 3), (v) => expect.closeTo(v / 255, 6)),
		);
		const crop = new DataLoader(set, { batchSize: N, seed: 1, transform: { crop: { size: [3, 4] } } });
		const flips = new DataLoader(set, { batchSize: N, seed: 1, transform: { flip: true } });
		const [cropped] = [...crop];
		const [flipped] = [...flips];
		expect(cropped.x.shape).toEqual([N, 2, 3, 4]);
		expect(flipped.x.shape).toEqual([N, 2, 5, 7]);
		const row = (i: number) => Array.from(flipped.x.dataSync().slice(i * 70, i * 70 + 7));
		const original = (i: number) => whole.slice(N + i * 70, N + i * 70 + 7);
		const mirrored = Array.from(
			{ length: N },
			(_, i) => JSON.stringify(row(i)) === JSON.stringify(original(i).reverse()),
		);
		const same = Array.from({ length: N }, (_, i) => JSON.stringify(row(i)) === JSON.stringify(original(i)));
		expect(mirrored.filter(Boolean).length + same.filter(Boolean).length).toBe(N);
		expect(mirrored.filter(Boolean).length).toBeGreaterThan(4);
		expect(same.filter(Boolean).length).toBeGreaterThan(4);
	});

	test("the batch size does not change the order, nor what happens to an image", () => {
		const pixels = (batchSize: number) =>
			[...new DataLoader(images(), { ...augmented, batchSize })].flatMap(({ x }) => [...x.dataSync()]);
		const once = pixels(N);
		expect(pixels(4)).toEqual(once);
		expect(pixels(1)).toEqual(once);
	});

	test("batches belong to the scope they are made in", () => {
		const loader = new DataLoader(numbers(), { batchSize: 4 });
		const before = liveTensors();
		scope(() => {
			expect([...loader]).toHaveLength(6);
			expect(liveTensors()).toBe(before + 12);
		});
		expect(liveTensors()).toBe(before);
		for (using batch of loader) expect(batch.x.disposed).toBe(false);
		expect(liveTensors()).toBe(before);
	});

	test("a subset is the rows it names", () => {
		const [batch] = [...new DataLoader(subset(numbers(), [4, 2, 2]), { batchSize: 9 })];
		expect(batch.y.dataSync()).toEqual(Int32Array.of(104, 102, 102));
		expect(
			subset(subset(numbers(), [5, 6, 7]), 2)
				.gather(Int32Array.of(1))
				.y.dataSync(),
		).toEqual(Int32Array.of(106));
		expect([...new DataLoader(subset(numbers(), 0))]).toEqual([]);
	});

	describe("what is wrong is named", () => {
		const transformed = (set: Dataset, transform: ImageTransform) => new DataLoader(set, { transform });
		const cases: [string, () => unknown, string][] = [
			["rows", () => new TensorDataset(tensor([1, 2]), tensor([1])), "the same number of rows"],
			[
				"labels' type",
				() => new ImageDataset({ ...partsOf(images()), labels: tensor([1]) }),
				"labels must be int32 [N]",
			],
			[
				"images' type",
				() => new ImageDataset({ ...partsOf(images()), images: tensor([1]) }),
				"images must be uint8 [N, C, H, W]",
			],
			[
				"label",
				() =>
					new ImageDataset({
						...partsOf(images()),
						labels: tensor(Int32Array.from({ length: N }, (_, i) => (i === 7 ? 11 : 0))),
					}),
				"ImageDataset: label 11 at index 7 is none of the 3 classes, which are 0 to 2; correct the label",
			],
			[
				"negative label",
				() => new ImageDataset({ ...partsOf(images()), labels: tensor(new Int32Array(N).fill(-1)) }),
				"label -1 at index 0",
			],
			[
				"batchSize",
				() => new DataLoader(numbers(), { batchSize: 0 }),
				"batchSize must be a whole number of at least 1, got 0",
			],
			[
				"both",
				() => new DataLoader(numbers(), { seed: 1, generator: new Generator(1) }),
				"a seed or a generator, not both",
			],
			["transform", () => transformed(numbers(), { mean: 1 }), "transform.mean is for images kept as bytes"],
			[
				"crop",
				() => transformed(images(), { crop: { size: 8, padding: 1 } }),
				"crop.size 8 x 8 does not fit into images of 5 x 7",
			],
			["padding", () => transformed(images(), { crop: { padding: -1 } }), "at least 0, got -1"],
			["subset", () => subset(numbers(), [0, N]), `row ${N} (at 1) is outside of a data set of ${N} rows`],
			["too many", () => subset(numbers(), N + 1), `row ${N} (at ${N})`],
			[
				"state of another loader",
				() => new DataLoader(numbers(), { batchSize: 2 }).setState(new DataLoader(numbers()).state()),
				"the saved state has batchSize 1, this loader 2; resume with the same data and options",
			],
			[
				"damaged state",
				() => new DataLoader(numbers()).setState({ ...new DataLoader(numbers()).state(), position: 99 }),
				"the saved state is damaged: epoch 0, batch 99 of 23",
			],
			[
				"two loops",
				() => {
					const loader = new DataLoader(numbers());
					for (const _ of loader) contents(loader, 1);
				},
				"use two loaders",
			],
		];
		test.each(cases)("%s", (_, call, message) => {
			expect(call).toThrow(message);
		});
	});
});

function partsOf({ images, labels, classes, mean, std }: ImageDataset) {
	return { images, labels, classes, mean, std };
}

describe("reproducibility", () => {
	beforeAll(async () => {
		await init({ threads: 1 });
	});

	test("any number of threads gives the same batches", async () => {
		const found: number[][][] = [];
		for (const threads of [1, 2, 3]) {
			await init({ threads });
			found.push(contents(new DataLoader(images(), { ...augmented, batchSize: 23 })));
		}
		expect(found[1]).toEqual(found[0]);
		expect(found[2]).toEqual(found[0]);
	});

	test("without a seed the default generator's counts, however much of it has been used", () => {
		const orders = [4, 4, 5].map((seed, i) => {
			const generator = manualSeed(seed);
			for (let k = 0; k < i; k++) generator.uint32();
			return contents(new DataLoader(numbers(), { shuffle: true }));
		});
		manualSeed(0);
		expect(orders[1]).toEqual(orders[0]);
		expect(orders[2]).not.toEqual(orders[0]);
		const own = new DataLoader(numbers(), { shuffle: true, generator: new Generator(4) });
		expect(contents(own)).toEqual(orders[0]);
	});
});

describe("processes that share batches", () => {
	beforeAll(async () => {
		await init({ threads: 1 });
	});

	test.each([1, 2, 3, 4, 8])("%i of them have, one after the other, the rows of each batch of one", (size) => {
		const options: DataLoaderOptions = { ...augmented, batchSize: 8 };
		scope(() => {
			const alone = new DataLoader(images(), options);
			const shards = Array.from({ length: size }, (_, rank) => {
				return new DataLoader(images(), { ...options, shard: { rank, size } });
			});
			for (let epoch = 0; epoch < 2; epoch++) {
				const parts = shards.map((loader) => [...loader]);
				[...alone].forEach((batch, i) => {
					const shares = parts.map((batches) => batches[i]);
					expect(shares.flatMap(({ indices }) => [...indices])).toEqual([...batch.indices]);
					expect(shares.flatMap(({ x }) => [...x.dataSync()])).toEqual([...batch.x.dataSync()]);
					expect(shares.flatMap(({ y }) => [...y.dataSync()])).toEqual([...batch.y.dataSync()]);
					expect(shares.every(({ total }) => total === batch.indices.length)).toBe(true);
					const rows = shares.map(({ indices }) => indices.length);
					expect(rows[0]).toBe(Math.max(...rows));
					expect(rows[0] - Math.min(...rows)).toBeLessThanOrEqual(1);
				});
			}
		});
	});

	test("a state goes from a loader of one number of them to that of another", () => {
		scope(() => {
			const options: DataLoaderOptions = { batchSize: 6, shuffle: true, seed: 2 };
			const before = new DataLoader(numbers(), { ...options, shard: { rank: 1, size: 2 } });
			before[Symbol.iterator]().next();
			const after = [0, 1, 2].map((rank) => new DataLoader(numbers(), { ...options, shard: { rank, size: 3 } }));
			for (const loader of after) loader.setState(before.state());
			const rest = after.map((loader) => [...loader].map(({ indices }) => [...indices]));
			const alone = [...new DataLoader(numbers(), options)].slice(1).map(({ indices }) => [...indices]);
			expect(alone.map((_, i) => rest.flatMap((batches) => batches[i]))).toEqual(alone);
		});
	});

	test("refuses what is none, and batches too small to share", () => {
		const make = (rank: number, size: number) => () =>
			new DataLoader(numbers(), { batchSize: 2, shard: { rank, size } });
		expect(make(2, 2)).toThrow(/shard is \{ rank, size \} with rank from 0 to size - 1, got .*"rank":2/);
		expect(make(0, 3)).toThrow(/3 processes cannot share batches of 2; use a batchSize of at least 3/);
	});
});
