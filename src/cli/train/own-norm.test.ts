// What `train` says of the normalization of a network of one's own, and whether it lets one choose.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeImageFolder } from "../../../test/support/image-folder.ts";
import { runForTest } from "../../../test/support/terminal.ts";
import { readCheckpoint } from "../../train/index.ts";

let root: string;
let images: string;

beforeAll(() => {
	root = mkdtempSync(join(tmpdir(), "evenkeel-own-norm-"));
	images = writeImageFolder(join(root, "images"), { train: 32, test: 16 });
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A file with a network whose `build` is `text`. */
function own(name: string, text: string): string {
	const file = join(root, name);
	writeFileSync(
		file,
		`export default ({ nn, optim }) => ({
			inputShape: [1, 28, 28], batchSize: 16, epochs: 1, lr: 0.1,
			${text},
			optimizer: (net, lr) => new optim.SGD(net.namedParameters(), { lr }),
		});`,
	);
	return file;
}

const train = (file: string, ...options: string[]) =>
	runForTest("train", file, "--data", images, "--threads", "1", "--out", join(root, "out"), "--json", ...options);

describe("a build() without an argument", () => {
	const plain = () => own("plain.mjs", "build: () => new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 10))");

	test("has no normalization to report, to remember or to inspect; the run goes on all the same", async () => {
		const { code, out, err } = await train(plain());
		expect(code, err).toBe(0);
		expect(JSON.parse(out.split("\n")[0])).toMatchObject({ event: "start", preset: "plain", norm: null });
		expect(readCheckpoint(join(root, "out")).state.settings.norm).toBeNull();
		const resumed = await train(plain(), "--resume", join(root, "out"), "--epochs", "2");
		expect(resumed.code, resumed.err).toBe(0);
		const { out: inspected } = await runForTest("inspect", plain());
		expect(inspected).toContain("preset plain, not trained");
	});

	test("cannot be inspected with another norm either", async () => {
		const { code, err } = await runForTest("inspect", plain(), "--norm", "group");
		expect(code).toBe(2);
		expect(err).toContain("--norm group: the build() of plain takes no argument");
	});

	test.each(["--norm", "--groups"])("refuses %s", async (option) => {
		const { code, out, err } = await train(plain(), option, option === "--norm" ? "group" : "2");
		expect([code, out]).toEqual([2, ""]);
		expect(err).toMatch(
			/(--norm group|--groups 2): the build\(\) of .*plain\.mjs takes no argument, so it cannot heed it/,
		);
	});
});

test.each([
	[
		"chosen.mjs",
		"build: ({ norm }) => new nn.Sequential(new nn.Flatten(), new nn.Linear(784, norm.length * 2))",
		"batch",
	],
	[
		"named.mjs",
		'norm: "layer", build: ({ norm } = {}) => new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 10))',
		"layer",
	],
])("%s has a normalization of its own, and takes another", async (name, text, norm) => {
	const file = own(name, text);
	const start = async (...options: string[]) => {
		const { code, out, err } = await train(file, ...options);
		expect(code, err).toBe(0);
		return JSON.parse(out.split("\n")[0]).norm;
	};
	expect(await start()).toBe(norm);
	expect(await start("--norm", "group")).toBe("group");
});
