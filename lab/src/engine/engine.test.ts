import { beforeEach, describe, expect, test } from "vitest";
import { smallSettings } from "../../test/support/settings.ts";
import type { Settings } from "../settings/settings.ts";
import { Engine } from "./engine.ts";
import type { Command, Report, RunInfo, Snapshot } from "./protocol.ts";

/** Node has no turns for timers while there are messages, as browsers have. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The engine, and what it has said. */
class Listener {
	readonly reports: Report[] = [];
	readonly transferred: Transferable[] = [];
	#heard: () => void = () => {};
	readonly engine = new Engine((report, transfer) => {
		// As a worker's message: what is handed over is gone from the engine.
		this.reports.push(structuredClone(report, { transfer }));
		this.transferred.push(...transfer);
		this.#heard();
	}, turn);

	tell(...commands: Command[]): void {
		for (const command of commands) this.engine.receive(command);
	}

	/** Waits until a report of this type has come, and takes it out. */
	async next<Type extends Report["type"]>(type: Type): Promise<Extract<Report, { type: Type }>> {
		for (;;) {
			const index = this.reports.findIndex((report) => report.type === type);
			if (index >= 0) return this.reports.splice(index, 1)[0] as Extract<Report, { type: Type }>;
			await new Promise<void>((resolve) => {
				this.#heard = resolve;
			});
		}
	}

	async snapshot(): Promise<Snapshot> {
		const { snapshot } = await this.next("snapshot");
		return snapshot;
	}

	/** Paints until `enough`; returns all snapshots on the way. */
	async until(enough: (snapshot: Snapshot) => boolean): Promise<Snapshot[]> {
		const all: Snapshot[] = [];
		for (;;) {
			this.tell({ type: "painted" });
			all.push(await this.snapshot());
			if (enough(all[all.length - 1])) return all;
		}
	}
}

let page: Listener;

async function configured(settings: Settings): Promise<RunInfo> {
	page.tell({ type: "configure", settings });
	const { run } = await page.next("configured");
	await page.snapshot();
	return run;
}

beforeEach(async () => {
	page = new Listener();
	page.tell({ type: "open", dataUrl: "http://lab.test/data/", threads: 1 });
	expect((await page.next("opened")).engine).toEqual({ threads: 1, build: expect.any(String), notice: "" });
});

describe("the engine", () => {
	test("takes the steps it is told, and pauses", async () => {
		const run = await configured(smallSettings());
		expect(run).toMatchObject({ generation: 1, data: { train: 1000, test: 1000, shape: [2], classes: ["0", "1"] } });
		page.tell({ type: "step", count: 3 });
		const all = await page.until(({ step, running }) => step === 3 && !running);
		expect(all.reduce((sum, { steps }) => sum + steps.count, 0)).toBe(3);
		expect(all.flatMap(({ steps }) => [...(steps.loss.a ?? [])])).toHaveLength(3);
		expect(page.reports).toEqual([]);
	});

	test("runs until it is paused, and every step is told once", async () => {
		await configured(smallSettings());
		page.tell({ type: "start" });
		const all = await page.until(({ step }) => step > 60);
		page.tell({ type: "pause" });
		all.push(...(await page.until(({ running }) => !running)));
		let next = 1;
		for (const { steps } of all) {
			if (steps.count > 0) expect(steps.first).toBe(next);
			next += steps.count;
			for (const side of ["a", "b"] as const) expect(steps.loss[side]?.length ?? 0).toBe(steps.count);
		}
		expect(next - 1).toBe(all.at(-1)?.step);
	});

	test("pauses by itself after the steps of the settings, and goes on beyond if told", async () => {
		await configured(smallSettings({ steps: 25 }));
		page.tell({ type: "start" });
		await page.until(({ step, running }) => step === 25 && !running);
		page.tell({ type: "step", count: 2 });
		await page.until(({ step, running }) => step === 27 && !running);
	});

	test("says nothing more until the page has painted, and loses nothing meanwhile", async () => {
		await configured(smallSettings());
		page.tell({ type: "painted" }, { type: "step", count: 200 });
		await page.snapshot();
		await new Promise((resolve) => setTimeout(resolve, 400));
		expect(page.reports.filter(({ type }) => type === "snapshot")).toEqual([]);
		const [rest] = await page.until(() => true);
		expect(rest.steps.first + rest.steps.count - 1).toBe(rest.step);
	});

	test("resets to the same run", async () => {
		await configured(smallSettings());
		page.tell({ type: "step", count: 5 });
		const first = await page.until(({ step, running }) => step === 5 && !running);
		page.tell({ type: "reset" });
		expect((await page.next("configured")).run.generation).toBe(2);
		page.tell({ type: "step", count: 5 });
		const second = await page.until(({ step, running, generation }) => generation === 2 && step === 5 && !running);
		const lossesOf = (all: Snapshot[], generation: number): number[] =>
			all.filter((one) => one.generation === generation).flatMap(({ steps }) => [...(steps.loss.a ?? [])]);
		expect(lossesOf(second, 2)).toEqual(lossesOf(first, 1));
	});

	test("hands the points of the plane over to every run", async () => {
		await configured(smallSettings());
		page.tell({ type: "reset" });
		expect((await page.next("configured")).run.data.plane?.points).toHaveLength(2000);
		page.tell({ type: "configure", settings: smallSettings({ a: { lr: 0.2 } }) });
		expect((await page.next("configured")).run.data.plane?.points).toHaveLength(2000);
	});

	test("tests at the end of an epoch", async () => {
		await configured(smallSettings());
		page.tell({ type: "step", count: 20 });
		const all = await page.until(({ step, running }) => step === 20 && !running);
		const [test] = all.flatMap(({ tests }) => tests);
		expect(test.step).toBe(20);
		for (const side of ["a", "b"] as const) expect(test.accuracy[side]).toBeGreaterThan(0.3);
	});

	test("tests at the last step, in the middle of an epoch", async () => {
		await configured(smallSettings({ steps: 7 }));
		page.tell({ type: "start" });
		const all = await page.until(({ step, running }) => step === 7 && !running);
		expect(all.flatMap(({ tests }) => tests).map(({ step }) => step)).toEqual([7]);
	});

	test("collects a topic of the state at the start, and hands its memory over", async () => {
		page.tell({ type: "subscribe", id: 7, topic: "decisionSurface", params: { size: 8 }, perSecond: 10 });
		page.tell({ type: "configure", settings: smallSettings() });
		const { topics, generation } = await page.snapshot();
		expect(topics).toMatchObject([{ id: 7, data: { generation, step: 0 } }]);
		const surface = topics[0].data.sides.a as { probabilities: Float32Array };
		expect(surface.probabilities).toHaveLength(8 * 8 * 2);
		expect(page.transferred.length).toBeGreaterThan(0);
		page.tell({ type: "unsubscribe", id: 7 }, { type: "step", count: 1 });
		const after = await page.until(({ step, running }) => step === 1 && !running);
		expect(after.flatMap((one) => one.topics)).toEqual([]);
	});

	test("topics come throughout a run, however long the page takes to paint", async () => {
		page.tell({ type: "subscribe", id: 7, topic: "layerStatistics", params: {}, perSecond: 50 });
		await configured(smallSettings());
		page.tell({ type: "painted" }, { type: "start" });
		const steps: number[] = [];
		while (steps.length < 10) {
			const { topics, step } = await page.snapshot();
			steps.push(...topics.map(({ data }) => data.step));
			expect(step).toBeLessThan(20_000);
			await new Promise((resolve) => setTimeout(resolve, 16));
			page.tell({ type: "painted" });
		}
		page.tell({ type: "pause" });
		await page.until(({ running }) => !running);
		expect(new Set(steps).size).toBe(steps.length);
	});

	test("new settings make another run; what was said of the old one is known by its generation", async () => {
		await configured(smallSettings());
		page.tell({ type: "start" });
		await page.until(({ step }) => step > 3);
		page.tell({ type: "painted" }, { type: "configure", settings: smallSettings({ seed: 9 }) });
		const { run } = await page.next("configured");
		expect(run).toMatchObject({ generation: 2, settings: { seed: 9 } });
		const all = await page.until(({ generation }) => generation === 2);
		expect(all.at(-1)).toMatchObject({ step: 0, running: false });
	});

	test("settings that come before the first run has begun end it, and the last ones are trained", async () => {
		await configured(smallSettings());
		const settings = (seed: number): Settings => smallSettings({ seed, steps: 5 });
		page.tell({ type: "configure", settings: settings(8) }, { type: "start" });
		page.tell({ type: "configure", settings: settings(9) }, { type: "start" });
		const all = await page.until(({ step, running, generation }) => generation === 3 && step === 5 && !running);
		expect(all.filter(({ generation, step }) => generation === 2 && step > 0)).toEqual([]);
	});

	test("a pause goes for a run that has not begun", async () => {
		page.tell({ type: "configure", settings: smallSettings() }, { type: "start" }, { type: "pause" });
		await page.next("configured");
		await new Promise((resolve) => setTimeout(resolve, 100));
		page.tell({ type: "painted" }, { type: "step", count: 1 });
		const all = await page.until(({ step, running }) => step > 0 && !running);
		expect(all.at(-1)?.step).toBe(1);
	});

	test("says what it cannot do, and can be told something else", async () => {
		page.tell({ type: "configure", settings: smallSettings({ data: { kind: "csv", noise: 0 } }) });
		expect((await page.next("failed")).message).toMatch(/no CSV file is open/);
		page.tell({ type: "ask", id: 3, query: "nothing", args: null });
		expect(await page.next("refused")).toMatchObject({ id: 3, message: expect.stringContaining('no query "nothing"') });
		await configured(smallSettings());
	});

	test("trains on a table that is brought along, and knows it when only settings change", async () => {
		const text = Array.from({ length: 40 }, (_, i) => `${i % 7},${i % 3},${i % 2 ? "odd" : "even"}`).join("\n");
		const settings = smallSettings({ data: { kind: "csv", noise: 0 }, both: { batchSize: 8 } });
		page.tell({ type: "configure", settings, own: { kind: "csv", name: "t.csv", text } });
		const { run } = await page.next("configured");
		expect(run.data).toMatchObject({ train: 32, test: 8, shape: [2], classes: ["even", "odd"] });
		await page.snapshot();
		page.tell({ type: "painted" });
		const again = await configured({ ...settings, seed: 4 });
		expect(again.data.train).toBe(32);
	});
});
