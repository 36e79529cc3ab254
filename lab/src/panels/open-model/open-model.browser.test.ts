import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { afterAll, expect, test } from "vitest";
import { init } from "../../../../src/backend/init.ts";
import { encodeSafetensors } from "../../../../src/model-files/safetensors.ts";
import { encodeOnnx, exportOnnx } from "../../../../src/onnx/index.ts";
import { buildNetwork, presetNamed } from "../../../../src/presets/index.ts";
import { entryOf } from "../../../../src/train/weights-file.ts";
import { describeLab } from "../../../test/support/lab-page.ts";
import { weightsOfOneNorm } from "../../../test/support/weights.ts";

const folder = mkdtempSync(join(tmpdir(), "evenkeel-open-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function put(name: string, bytes: Uint8Array): string {
	const path = join(folder, name);
	writeFileSync(path, bytes);
	return path;
}

/** What a checkpoint has beside its tensors. */
const checkpointState = {
	...{
		version: 1,
		step: 7,
		epochs: 1,
		trainedSeconds: 1,
		epochSeconds: 1,
		generators: {},
		history: [],
		schedule: null,
	},
	loader: {
		generator: { seed: 0, stream: [0, 0], counter: 0 },
		...{ epoch: 0, position: 7, rows: 600, batchSize: 64, dropLast: false, shuffle: true },
	},
	totals: { loss: 0, metrics: [0], seen: 0 },
	settings: { preset: "lenet-bn", file: null, norm: "batch", batchSize: 64 },
	optimizer: { optimizer: "SGD", groups: [], steps: {} },
};

/** A file of 500 MB: the norm first, then zeros that the file system does not store. */
function large(): string {
	const size = 500_000_000;
	const entries = {
		"bn.running_mean": { dtype: "F32", shape: [2], data_offsets: [0, 8] },
		"bn.running_var": { dtype: "F32", shape: [2], data_offsets: [8, 16] },
		"body.weight": { dtype: "F32", shape: [size / 4], data_offsets: [16, 16 + size] },
	};
	const header = new TextEncoder().encode(JSON.stringify(entries));
	const head = new Uint8Array(8 + header.length + 16);
	new DataView(head.buffer).setBigUint64(0, BigInt(header.length), true);
	head.set(header, 8);
	const path = put("large.safetensors", head);
	truncateSync(path, head.length + size);
	return path;
}

describeLab("opening a model", (lab) => {
	test("weights, large and damaged files; nothing is asked of any server", async () => {
		const page = await lab.open();
		const panel = page.locator("#open-model");
		await panel.scrollIntoViewIfNeeded();
		await panel.locator("[data-ready=true]").waitFor();
		const asked: string[] = [];
		page.on("request", (request) => asked.push(`${request.method()} ${request.url()}`));
		const input = panel.locator("input[type=file]");

		await input.setInputFiles(put("net.safetensors", weightsOfOneNorm()));
		await panel.getByText("net.safetensors is shown below.").waitFor();
		await panel.getByRole("heading", { name: "bn1 BatchNorm2d" }).waitFor();
		await panel.getByRole("row", { name: /running variance 3\.00/ }).waitFor();

		await page.evaluate(() => {
			const times: number[] = [];
			Object.assign(window, { gaps: times });
			let last = performance.now();
			const tick = (now: number) => {
				times.push(now - last);
				last = now;
				requestAnimationFrame(tick);
			};
			requestAnimationFrame(tick);
		});
		await input.setInputFiles(large());
		await panel.getByText("large.safetensors is shown below.").waitFor();
		await panel.getByText("[125000000]").waitFor();
		const gaps = await page.evaluate(() => Reflect.get(window, "gaps") as number[]);
		expect(Math.max(...gaps)).toBeLessThan(1000);

		await input.setInputFiles(put("cut.safetensors", weightsOfOneNorm().subarray(0, 400)));
		await panel
			.getByRole("alert")
			.getByText(/^cut\.safetensors: cut short: .+$/)
			.waitFor();
		await input.setInputFiles(put("bad.onnx", new Uint8Array([1, 2, 3, 4])));
		await panel
			.getByRole("alert")
			.getByText(/^bad\.onnx: .+$/)
			.waitFor();
		await input.setInputFiles(put("net.pt", new Uint8Array(4)));
		await panel
			.getByRole("alert")
			.getByText(/^net\.pt: only \.safetensors and \.onnx are read here/)
			.waitFor();

		// The page may be loading its own engine and data meanwhile; nothing else, and nothing is sent.
		const own = ["assets/", "data/"].map((folder) => `GET ${lab.url}${folder}`);
		const others = asked.filter((request) => !own.some((start) => request.startsWith(start)));
		expect(others.filter((request) => !/^GET (blob|data):/.test(request))).toEqual([]);
		await lab.close(page);
	});

	test("an ONNX model and a checkpoint are shown as networks, under the names of their layers", async () => {
		await init({ threads: 1 });
		const preset = presetNamed("lenet-bn");
		const net = buildNetwork(preset, { norm: "batch" });
		const model = exportOnnx(net, { inputShape: preset.inputShape, dynamicBatch: false });
		const entries = Object.entries(net.stateDict()).map(([name, value]) => [`model.${name}`, entryOf(value)] as const);
		const state = { "evenkeel.checkpoint": JSON.stringify(checkpointState) };
		const files = {
			"lenet.onnx": encodeOnnx(model),
			"checkpoint.safetensors": encodeSafetensors(Object.fromEntries(entries), state),
		};
		const page = await lab.open();
		const panel = page.locator("#open-model");
		await panel.scrollIntoViewIfNeeded();
		for (const [name, bytes] of Object.entries(files)) {
			await panel.locator("input[type=file]").setInputFiles(put(name, bytes));
			await panel.getByText(`${name} is shown below.`).waitFor();
			await expect.poll(() => panel.locator(".open-model-page article h3").count()).toBe(4);
			await panel.getByRole("row", { name: /Conv2d \[1, 6, 24, 24\]/ }).waitFor();
		}
		await panel.getByRole("heading", { name: "checkpoint.safetensors: preset lenet-bn, step 7" }).waitFor();
		await panel.getByText(/4 norms .*batch size 64/).waitFor();
		await lab.close(page);
	});

	test.for([
		[360, "light"],
		[360, "dark"],
		[1920, "light"],
		[1920, "dark"],
	] as const)("is usable at %i pixels, %s", async ([width, theme]) => {
		const page = await lab.open({ width, dark: theme === "dark", search: theme === "dark" ? "?lang=zh" : "" });
		const panel = page.locator("#open-model");
		await panel.scrollIntoViewIfNeeded();
		await panel.locator("input[type=file]").setInputFiles(put("net.safetensors", weightsOfOneNorm()));
		await panel.getByRole("heading", { name: "bn1 BatchNorm2d" }).waitFor();
		expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
		const { violations } = await new AxeBuilder({ page }).setLegacyMode().include("#open-model").analyze();
		expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`)).toEqual([]);
		await lab.close(page);
	});
});
