import { beforeAll, describe, expect, test } from "vitest";
import { init } from "../../backend/init.ts";
import * as nn from "../../nn/index.ts";
import { zeros } from "../../ops/creation.ts";
import { buildNetwork, presetNamed } from "../../presets/index.ts";
import { type Inspection, inspectionHtml, inspectionPage, inspectNetwork } from "../index.ts";
import { factsOf, formatFlops, formatNumber } from "./format.ts";

beforeAll(async () => {
	await init({ threads: 1 });
});

const lenet = () => buildNetwork(presetNamed("lenet-bn"), { norm: "batch" });
const layer = (inspection: Inspection, name: string) => inspection.layers.find((one) => one.name === name);

describe("inspectNetwork", () => {
	test("layers with shapes, parameters and operations, and their sums", () => {
		const net = lenet();
		const inspection = inspectNetwork(net, { batchSize: 256, inputShape: [1, 1, 28, 28], trained: false });
		expect(inspection.layers).toHaveLength(16);
		expect(layer(inspection, "0")).toEqual({
			...{ name: "0", type: "Conv2d", outputShape: [1, 6, 24, 24], parameters: 156, flops: 6 * 576 * 51 },
		});
		const { parameters, flops } = inspection.totals;
		expect([parameters, flops]).toEqual([44_878, nn.countFlops(net, zeros([1, 1, 28, 28]))]);
		expect(inspection.findings.map(({ kind }) => kind)).toEqual(new Array(4).fill("bias-before-norm"));
		expect(inspection.notes).toEqual([]);
	});

	test("norms with what they learned and tracked", () => {
		const net = lenet();
		(net as nn.Sequential).at(1)?.parameters()[0].view().set([0.5, 1, 2], 0);
		const { norms } = inspectNetwork(net, { batchSize: 256 });
		expect(norms.map(({ layer: name, channels }) => [name, channels])).toEqual([
			...[["1", 6] as const, ["5", 16] as const, ["10", 120] as const, ["13", 84] as const],
		]);
		expect(norms[0]).toMatchObject({ type: "BatchNorm2d", eps: 1e-5, batches: 0 });
		expect(norms[0].scale).toMatchObject({ count: 6, min: 0.5, median: 1, max: 2 });
		expect(norms[0].runningVar).toMatchObject({ min: 1, max: 1, histogram: { counts: [6] } });
	});

	test.each<[() => nn.Module, number, string[]]>([
		[() => new nn.LayerNorm([4, 5]), 20, ["scale", "shift"]],
		[() => new nn.InstanceNorm2d(4), 4, []],
		[() => new nn.GroupNorm(2, 6), 6, ["scale", "shift"]],
		[() => new nn.RMSNorm(7), 7, ["scale"]],
		[() => new nn.FrozenAffine(3), 3, ["scale", "shift", "runningMean", "runningVar"]],
	])("%s has what it has", (make, channels, has) => {
		const net = make();
		const [norm] = inspectNetwork(net, { batchSize: 1 }).norms;
		expect([norm.type, norm.channels]).toEqual([net.constructor.name, channels]);
		const present = Object.entries(norm).filter(([, value]) => typeof value === "object" && value !== null);
		expect(present.map(([key]) => key)).toEqual(has);
	});

	test("statistics that have moved without a count have no number of batches", () => {
		const bn = new nn.BatchNorm1d(2);
		bn.runningMean?.view().fill(3);
		expect(inspectNetwork(bn, { batchSize: 32 }).norms[0].batches).toBeNull();
	});

	test("a network that does not run says why, and its layers have no shapes", () => {
		const inspection = inspectNetwork(lenet(), { batchSize: 256, inputShape: [1, 3, 28, 28] });
		expect(inspection.notes[0]).toMatch(/^The network could not be run, .*: conv2d: expected 1 channels at axis 1/);
		expect(layer(inspection, "0")).toMatchObject({ type: "Conv2d", outputShape: null, parameters: 156, flops: null });
		expect(inspection.totals).toEqual({ parameters: 44_878, flops: null });
	});

	test("is plain data: JSON keeps all of it", () => {
		const inspection = inspectNetwork(lenet(), { batchSize: 8, inputShape: [1, 1, 28, 28] });
		expect(JSON.parse(JSON.stringify(inspection))).toEqual(inspection);
		const broken = new nn.BatchNorm1d(2);
		broken.weight?.view().fill(Number.NaN);
		const { norms } = inspectNetwork(broken, { batchSize: 32 });
		expect(JSON.parse(JSON.stringify(norms))).toEqual(norms);
	});
});

describe("the page", () => {
	const evil = `</title><script>alert("x")</script><img src=x onerror='y'>\u001b[31m`;
	const made = (): Inspection => {
		const inspection = inspectNetwork(lenet(), { batchSize: 8, inputShape: [1, 1, 28, 28], source: evil });
		const [norm, ...norms] = inspection.norms;
		const broken = { ...norm, layer: evil, scale: norm.scale && { ...norm.scale, notFinite: 2 } };
		const [finding, ...findings] = inspection.findings;
		return {
			...inspection,
			data: evil,
			layers: [{ ...inspection.layers[0], name: evil, type: evil }, ...inspection.layers],
			norms: [broken, ...norms],
			findings: [{ ...finding, layer: evil, evidence: evil, remedy: evil }, ...findings],
			tensors: [{ name: evil, dtype: evil, shape: [2, 3] }],
			notes: [evil],
		};
	};

	test("takes no text for markup, wherever it comes from", () => {
		const page = inspectionPage(made());
		for (const markup of ["<script", "<img", "</title><", "onerror='"]) expect(page).not.toContain(markup);
		expect(page).not.toContain("\u001b");
		expect(page.split("&lt;/title&gt;&lt;script&gt;").length).toBeGreaterThan(10);
	});

	test("asks for nothing: no scripts, no addresses, and a policy that forbids them", () => {
		const page = inspectionPage(made());
		expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
		expect(page).not.toMatch(/https?:|<link|<script|@import|url\(|\bsrc=(?!x)/);
	});

	test("every element is closed, every id is one's own", () => {
		const page = inspectionPage(made());
		const open: string[] = [];
		for (const [, slash, name, self] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)\b(?:"[^"]*"|[^">])*?(\/?)>/g)) {
			if (slash) expect(open.pop()).toBe(name);
			else if (!self && name !== "meta") open.push(name);
		}
		expect(open).toEqual([]);
		const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
		expect(ids).toEqual(["findings", "norms", "layers", "tensors"]);
		for (const [, id] of page.matchAll(/aria-labelledby="([^"]*)"/g)) expect(ids).toContain(id);
	});

	test("says in words what it draws, and heads its tables", () => {
		const net = new nn.BatchNorm1d(4);
		net.weight?.view().set([0.5, 1, 1, 3]);
		const html = inspectionHtml(inspectNetwork(new nn.Sequential(net), { batchSize: 32 }));
		expect(html).toContain(
			'aria-label="scale of 0: 4 values from 0.500 to 3.00, median 1.00, most between 0.813 and 1.13"',
		);
		expect(html).toContain('aria-label="shift of 0: 4 values, all 0"');
		expect(html).toContain('<th scope="col">median</th>');
		expect(html).toContain('<th scope="row">running variance</th>');
		expect(html).toContain("1 norm ·");
		expect(inspectionPage(made())).toContain('<span class="bad">2 not finite</span>');
	});

	test("a network without norms, and one without findings", () => {
		const html = inspectionHtml(inspectNetwork(new nn.Linear(2, 2), { batchSize: 32 }));
		expect(html).toContain("There is no norm to show.");
		expect(html).toContain("Nothing was found.");
	});
});

test("numbers as they are shown", () => {
	expect([0, 1, -0.0123, 12345.6, 1e-5, 2.5e-7, 3e9].map(formatNumber)).toEqual([
		...["0", "1.00", "-0.0123", "12346", "1e-5", "2.5e-7", "3e9"],
	]);
	expect(formatNumber(null)).toBe("-");
	expect([0, 812, 4_200, 999_600, 19_400_000, 3.6e12, null].map(formatFlops)).toEqual([
		...["0", "812", "4.2 k", "1.0 M", "19 M", "3.6 T", "-"],
	]);
	expect(factsOf({ channels: 1, eps: 1e-3, batches: 1 })).toBe("1 channel, eps 0.00100, 1 batch");
});
