import { describe, expect, test } from "vitest";
import { type AdviceQuestion, adviseNorm } from "./index.ts";

describe("adviseNorm", () => {
	test.each<[AdviceQuestion, string, string]>([
		[{ batchSize: 256, channels: 64 }, "batch", "new nn.BatchNorm2d(64)"],
		[{ batchSize: 256, layer: "linear", channels: 120 }, "batch", "new nn.BatchNorm1d(120)"],
		[{ batchSize: 16 }, "batch", "new nn.BatchNorm2d(channels)"],
		[{ batchSize: 15, channels: 64 }, "group", "new nn.GroupNorm(32, 64)"],
		[{ batchSize: 4, channels: 6 }, "group", "new nn.GroupNorm(3, 6)"],
		[{ batchSize: 4, channels: 1 }, "group", "new nn.GroupNorm(1, 1)"],
		[{ batchSize: 64, replicas: 8, channels: 24 }, "group", "new nn.GroupNorm(12, 24)"],
		[{ batchSize: 2, layer: "linear", channels: 84 }, "layer", "new nn.LayerNorm(84)"],
		[{ batchSize: 256, layer: "recurrent" }, "layer", "new nn.LayerNorm(features)"],
		[{ batchSize: 256, layer: "attention", channels: 768 }, "layer", "new nn.LayerNorm(768)"],
		[{ batchSize: 256, task: "sequence", layer: "linear" }, "layer", "new nn.LayerNorm(features)"],
		[{ batchSize: 32, task: "style-transfer", channels: 3 }, "instance", "new nn.InstanceNorm2d(3, { affine: true })"],
		[{ batchSize: 4, task: "transfer", channels: 3 }, "frozen", "new nn.BatchNorm2d(3).freeze()"],
		[{ batchSize: 64, task: "transfer" }, "batch", "new nn.BatchNorm2d(channels)"],
		[{ batchSize: 1, task: "online", channels: 32 }, "group", "new nn.GroupNorm(16, 32)"],
	])("%j: %s", (question, norm, code) => {
		const advice = adviseNorm(question);
		expect([advice.norm, advice.code]).toEqual([norm, code]);
		expect(advice.batchNormFits).toBe(norm === "batch");
		expect(advice.reasons.length).toBeGreaterThan(0);
		for (const { source } of advice.reasons) expect(source).toMatch(/\d{4}, https:\/\/arxiv\.org\/abs\/\d{4}\.\d{5}/);
	});

	test("what to mind beside batch norm", () => {
		const { cautions } = adviseNorm({ batchSize: 256, replicas: 4, dropout: true });
		expect(cautions.map(({ claim }) => claim).join(" ")).toMatch(/dropout before it.*64 examples/);
		expect(adviseNorm({ batchSize: 256 }).cautions).toEqual([]);
	});

	test.each([
		[{ batchSize: 0 }, /batchSize must be a whole number of at least 1, got 0/],
		[{ batchSize: 8, task: "poetry" }, /unknown task "poetry"; there are classification/],
		[{ batchSize: 8, layer: "pool" }, /unknown layer "pool"; there are convolution/],
	])("bad question %#", (question, message) => {
		expect(() => Reflect.apply(adviseNorm, null, [question])).toThrow(message);
	});
});
