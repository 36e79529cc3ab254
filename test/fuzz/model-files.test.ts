// Damaged files of every format that is read here: an EvenkeelError or a right answer.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bytesInMemory } from "../../src/model-files/byte-source.ts";
import { readHdf5 } from "../../src/model-files/hdf5/file.ts";
import {
	decodeNpy,
	decodeSafetensors,
	encodeNpy,
	encodeSafetensors,
	parseCsv,
	readKerasWeights,
	type SafetensorsTensor,
} from "../../src/model-files/index.ts";
import { fuzz, fuzzTimeout } from "../support/fuzz.ts";

const text = (value: string) => new TextEncoder().encode(value);
const files = (folder: string, pattern: RegExp, largest: number) =>
	readdirSync(join(import.meta.dirname, folder))
		.filter((name) => pattern.test(name))
		.map((name): Uint8Array => readFileSync(join(import.meta.dirname, folder, name)))
		.filter(({ length }) => length <= largest);

function expectBoth({ read, refused }: { read: number; refused: number }): void {
	expect(read).toBeGreaterThan(0);
	expect(refused).toBeGreaterThan(0);
}

describe("safetensors", () => {
	const tensors: Record<string, SafetensorsTensor> = {
		"0.weight": { dtype: "F32", shape: [4, 3], data: Float32Array.from({ length: 12 }, (_, i) => i / 7) },
		"1.running_mean": { dtype: "F16", shape: [4], data: Float32Array.of(1, 2, 3, 4) },
		"1.num_batches_tracked": { dtype: "I64", shape: [], data: BigInt64Array.of(7n) },
		"2.packed": { dtype: "F4", shape: [2, 2], data: Uint8Array.of(1, 2) },
		empty: { dtype: "BF16", shape: [0, 7], data: new Uint16Array(0) },
	};
	const seeds = [
		encodeSafetensors(tensors, { format: "pt", note: 'a "quoted" word' }),
		encodeSafetensors({ x: tensors["0.weight"] }),
		encodeSafetensors({}),
	];

	test(
		"in memory",
		() => {
			const report = fuzz({
				seeds,
				read: (bytes) => decodeSafetensors(bytes),
				// What was read is what the file says: written again, it is read the same.
				verify: ({ tensors: found, metadata }) => {
					const again = decodeSafetensors(encodeSafetensors(found, metadata));
					expect(again).toEqual({ tensors: found, metadata });
				},
			});
			expectBoth(report);
		},
		fuzzTimeout,
	);
});

test(
	"npy",
	() => {
		const data = Float32Array.of(1, 2, 3, 4, 5, 6);
		const one = encodeNpy({ shape: [2, 3], data });
		const seeds = [
			one,
			encodeNpy({ shape: [], data: Float64Array.of(7) }),
			Uint8Array.from(Buffer.from(one).toString("latin1").replace("False", "True "), (char) => char.charCodeAt(0)),
			Uint8Array.from(Buffer.from(one).toString("latin1").replace("<f4", ">f4"), (char) => char.charCodeAt(0)),
		];
		const report = fuzz({
			seeds,
			read: (bytes) => decodeNpy(bytes),
			verify: (found) => {
				expect(found.data).toHaveLength(found.shape.reduce((a, b) => a * b, 1));
				expect(decodeNpy(encodeNpy(found))).toEqual(found);
			},
		});
		expectBoth(report);
	},
	fuzzTimeout,
);

test(
	"csv",
	() => {
		const seeds = [
			text('height,"weight ""net""",age\r\n1.5,2e3,3\r\n-4,nan,+.5\n\n7,8,inf\n'),
			text("1,2\n3,4\n5,6"),
			text("\uFEFFx\n1\n"),
		];
		const report = fuzz({
			seeds,
			read: (bytes) => parseCsv(new TextDecoder().decode(bytes)),
			verify: ({ columns, shape: [rows, width], data }) => {
				expect(data).toHaveLength(rows * width);
				if (columns) expect(columns).toHaveLength(width);
			},
		});
		expectBoth(report);
	},
	fuzzTimeout,
);

describe("Keras", () => {
	const readAll = (bytes: Uint8Array) => {
		const { layers } = readKerasWeights(bytes);
		return layers.flatMap(({ variables }) => variables.map((variable) => ({ variable, values: variable.read() })));
	};
	const verify = (found: ReturnType<typeof readAll>) => {
		for (const { variable, values } of found) {
			expect(values.numbers()).toHaveLength(variable.shape.reduce((a, b) => a * b, 1));
		}
	};

	test(
		".keras",
		() => {
			expectBoth(fuzz({ seeds: files("../keras/models", /\.keras$/, 26_000), read: readAll, verify }));
		},
		fuzzTimeout,
	);

	test(
		".h5 and .weights.h5",
		() => {
			expectBoth(fuzz({ seeds: files("../keras/models", /\.h5$/, 23_000), read: readAll, verify }));
		},
		fuzzTimeout,
	);

	test(
		"HDF5 with dense groups and heaps",
		() => {
			const walk = (group: ReturnType<typeof readHdf5>): number => {
				let values = 0;
				for (const set of group.datasets.values()) {
					try {
						values += set.read().data.length;
					} catch (error) {
						if (!(error instanceof Error) || error.name !== "EvenkeelError") throw error;
					}
				}
				for (const name of ["text 3", "list", "long", "fixed"]) group.path === "/texts" && group.texts(name);
				for (const member of group.groups.values()) values += walk(member);
				return values;
			};
			const seeds = files("../../src/model-files/hdf5/cases", /\.h5$/, 200_000);
			expectBoth(fuzz({ seeds, read: (bytes) => walk(readHdf5(bytesInMemory(bytes, "f"))) }));
		},
		3 * fuzzTimeout,
	);
});
