// Training and inference without scope(): more garbage than the heap can hold, and memory stays bounded, whether the loop
// comes back to the event loop or not.

import { expect, test } from "vitest";
import { runInChild } from "../support/child.ts";

/** Batch normalization alone, of 8 MB: quick to compute, and 17 MB a step that nobody frees, 4.5 GB in all. */
const program = (loop: string) => `
	await import(src("autograd/backward.ts"));
	const { init } = await import(src("backend/init.ts"));
	const nn = await import(src("nn/index.ts"));
	const { noGrad } = await import(src("autograd/tape.ts"));
	const { zeros } = await import(src("ops/creation.ts"));
	const { mean } = await import(src("ops/reduce/op.ts"));
	const { SGD } = await import(src("optim/index.ts"));
	const backend = await init({ threads: 1 });
	const net = new nn.Sequential(new nn.BatchNorm1d(64), new nn.ReLU());
	const optimizer = new SGD(net.parameters(), { lr: 0.1 });
	const train = () => {
		const loss = mean(net.forward(zeros([32768, 64])));
		optimizer.zeroGrad();
		loss.backward();
		optimizer.step();
		return loss;
	};
	const answer = () => noGrad(() => net.forward(zeros([32768, 64])));
	for (let step = 0; step < 270; step++) { ${loop} }
	console.log(JSON.stringify({ peak: backend.memory().peak, gc: typeof globalThis.gc }));
`;

async function peakOf(loop: string): Promise<number> {
	const { stdout, stderr, code } = await runInChild(program(loop), [], 100_000);
	expect(stderr).toBe("");
	expect(code).toBe(0);
	const { peak, gc } = JSON.parse(stdout);
	expect(gc).toBe("undefined");
	return peak;
}

test("training that comes back to the event loop after each step", { timeout: 120_000 }, async () => {
	expect(await peakOf("train(); await new Promise((resolve) => setImmediate(resolve));")).toBeLessThan(7e8);
});

test("inference that waits for nothing but answers", { timeout: 120_000 }, async () => {
	expect(await peakOf("await answer().data();")).toBeLessThan(1.2e9);
});
