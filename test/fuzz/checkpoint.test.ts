// Damaged checkpoints: refused, or a run goes on from them.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { init } from "../../src/backend/init.ts";
import * as nn from "../../src/nn/index.ts";
import { tensor } from "../../src/ops/creation.ts";
import { Adam } from "../../src/optim/index.ts";
import { Generator } from "../../src/random/generator.ts";
import { scope } from "../../src/tensor/scope.ts";
import { restoreCheckpoint } from "../../src/train/checkpoint.ts";
import { checkpointFile, readCheckpoint, Trainer } from "../../src/train/index.ts";
import { fuzz, fuzzTimeout } from "../support/fuzz.ts";

let dir: string;
let net: nn.Module;
let optimizer: Adam;
let sound: Uint8Array;

beforeAll(async () => {
	await init({ backend: "reference" });
	dir = mkdtempSync(join(tmpdir(), "evenkeel-fuzz-"));
	net = new nn.Sequential(new nn.Linear(2, 3), new nn.BatchNorm1d(3), new nn.Dropout(0.1), new nn.Linear(3, 2));
	optimizer = new Adam(net.namedParameters());
	const x = tensor([0, 1, 1, 0, 1, 1, 0, 0], [4, 2]);
	const y = tensor(Int32Array.of(0, 0, 1, 1));
	await new Trainer(net, { optimizer, loss: "crossEntropy" }).fit([x, y], {
		epochs: 2,
		batchSize: 2,
		seed: 1,
		checkpoint: { dir },
	});
	sound = readFileSync(join(dir, checkpointFile));
});

afterAll(() => {
	rmSync(dir, { recursive: true, force: true });
});

test(
	"checkpoints",
	() => {
		const report = fuzz({
			seeds: [sound],
			read: (bytes) => {
				writeFileSync(join(dir, checkpointFile), bytes);
				const saved = readCheckpoint(dir);
				scope(() => restoreCheckpoint(saved, { net, optimizer }));
				for (const state of Object.values(saved.state.generators)) new Generator().setState(state);
				return saved.state;
			},
			verify: ({ history, step }) => {
				expect(step).toBeGreaterThanOrEqual(0);
				for (const { epoch } of history) expect(epoch).toBeGreaterThanOrEqual(0);
			},
		});
		expect(report.read).toBeGreaterThan(0);
		expect(report.refused).toBeGreaterThan(0);
	},
	fuzzTimeout,
);
