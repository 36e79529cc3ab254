// The package as users get it: what is in it, and that it works from Node, from bundlers and under their compilers.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { installedProject, manifest, node, npm, type Project, root, runProgram } from "../support/package.ts";
import { typedExports } from "../support/typed-exports.ts";

let project: Project;
beforeAll(() => {
	project = installedProject();
});
afterAll(() => project?.remove());

describe("what is in it", () => {
	test("modules and types, and no sources or tests", () => {
		const files = readdirSync(project.installed, { recursive: true }).map(String);
		expect(files).toEqual(expect.arrayContaining(["package.json", "README.md", "LICENSE", "CHANGELOG.md"]));
		expect(files).toContain(join("dist", "backend", "wasm", "worker.mjs"));
		const wrong = files.filter((file) =>
			/\.test\.|\.bench\.|conformance\.(?!md)|cases\.json|\.as\.|(?<!\.d)\.m?ts$|^(src|test)\b.*\.(?!md)\w+$/.test(
				file,
			),
		);
		expect(wrong).toEqual([]);
	});

	test("what its pages link to is there", () => {
		const pages = readdirSync(project.installed, { recursive: true }).map(String);
		const links = pages
			.filter((file) => file.endsWith(".md") && !file.includes("node_modules"))
			.flatMap((file) => {
				const text = readFileSync(join(project.installed, file), "utf8");
				return [...text.matchAll(/\]\((?!\w+:|#)([^)#]+)[^)]*\)/g)].map(([, target]) => ({ file, target }));
			});
		expect(links.length).toBeGreaterThan(30);
		expect(links.filter(({ file, target }) => !existsSync(join(project.installed, dirname(file), target)))).toEqual([]);
	});

	test("every entry, bin and module with side effects is there", () => {
		const targets = Object.values(manifest.exports).flatMap((target) =>
			typeof target === "string" ? [target] : Object.values(target),
		);
		const shipped = manifest.sideEffects.filter((file) => file.startsWith("./dist/"));
		for (const file of [...targets, ...Object.values(manifest.bin), ...shipped]) {
			expect(existsSync(join(project.installed, file)), file).toBe(true);
		}
		// The same modules, under the names they have in this repository.
		const sources = manifest.sideEffects.filter((file) => file.startsWith("./src/"));
		expect(
			sources.map((file) => file.replace(/^\.\/src\/(.*)\.m?ts$/, "./dist/$1.mjs").replace("/src/", "/dist/")),
		).toEqual(shipped);
		for (const file of sources) expect(existsSync(join(root, file)), file).toBe(true);
	});

	test("publint has nothing to say", async () => {
		const { messages, pkg } = await publint({ pkgDir: project.installed, strict: true, level: "suggestion" });
		expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
	});
});

describe("from Node", () => {
	test("trains, with the same bits for one thread and two", () => {
		const two = runProgram(project.folder, 2);
		expect(two).toMatchObject({ backend: "wasm", build: "relaxed", threads: 2, notice: "" });
		expect(two.losses[0]).toBeGreaterThan(0.8);
		expect(two.losses.at(-1)).toBeLessThan(0.3);
		expect(two.accuracy).toBeGreaterThan(0.9);
		const one = runProgram(project.folder, 1);
		expect(one).toEqual({ ...two, threads: 1 });
	});

	test.each(Object.keys(manifest.exports).filter((entry) => entry !== "./package.json"))(
		"%s can be imported",
		(entry) => {
			const name = entry.replace(".", "evenkeel");
			const code = `import * as it from "${name}"; console.log(Object.keys(it).length)`;
			expect(Number(node(project.folder, "--input-type=module", "--eval", code))).toBeGreaterThan(0);
		},
	);

	test("what an entry exports is what its types say, and evenkeel's nn is evenkeel/nn", () => {
		const entries = Object.keys(manifest.exports).filter((entry) => entry !== "./package.json");
		const names = entries.map((entry) => entry.replace(".", "evenkeel"));
		const imports = names.map((name, i) => `import * as e${i} from "${name}";`).join("\n");
		writeFileSync(
			join(project.folder, "names.mjs"),
			`${imports}
			const isModule = (value) => value?.[Symbol.toStringTag] === "Module";
			const namesOf = (module) => Object.fromEntries(Object.entries(module).map(
				([name, value]) => [name, isModule(value) ? namesOf(value) : null]));
			const entries = [${names.map((_, i) => `e${i}`)}];
			const [{ nn, optim, data }] = entries;
			console.log(JSON.stringify({
				names: entries.map(namesOf),
				same: [nn, optim, data].map((module) => entries.includes(module)),
			}));`,
		);
		const atRunTime = JSON.parse(node(project.folder, "names.mjs"));
		expect(atRunTime).toEqual({ names: typedExports(project.folder, names), same: [true, true, true] });
	});

	test("the command line starts", () => {
		const help = npm(["exec", "--offline", "--", "evenkeel", "--help"], project.folder);
		expect(help).toContain("Usage: evenkeel");
		expect(help).toContain("train");
	});
});

describe("the lab", () => {
	test("is served from the package, with its data, until Ctrl-C", async () => {
		const main = join(project.installed, manifest.bin.evenkeel);
		const lab = spawn(process.execPath, [main, "lab", "--port", "0"], { cwd: project.folder });
		const ended = once(lab, "exit");
		const [line] = await once(lab.stdout, "data");
		const url = /http:\S+/.exec(String(line))?.[0] ?? "";
		const page = await fetch(url);
		expect(page.headers.get("Cross-Origin-Embedder-Policy")).toBe("require-corp");
		expect(await page.text()).toContain('<div id="lab">');
		const labels = await fetch(`${url}data/fashion-mnist/sample/train-labels-idx1-ubyte.gz`);
		expect((await labels.arrayBuffer()).byteLength).toBeGreaterThan(1000);
		lab.kill("SIGINT");
		if (process.platform !== "win32") expect(await ended).toEqual([0, null]);
	});

	test("is small", () => {
		const folder = join(project.installed, "dist/lab");
		const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
		const bytes = files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
		expect(bytes).toBeLessThan(1.5e6);
	});
});

describe("from bundlers", () => {
	test("a page, and the worker with it", async () => {
		await build({ root: project.folder, configFile: false, logLevel: "warn", build: { outDir: "page" } });
		const files = readdirSync(join(project.folder, "page"), { recursive: true }).map(String);
		expect(files).toContain("index.html");
		expect(files.filter((file) => /worker-[\w-]+\.js$/.test(file)).length).toBeGreaterThan(0);
		for (const file of files.filter((name) => name.endsWith(".js"))) {
			const text = readFileSync(join(project.folder, "page", file), "utf8");
			expect(text, file).not.toMatch(/(from|import|require)\s*\(?\s*["']node:/);
		}
	});

	test("one file for Node, which computes the same without its worker", async () => {
		await build({
			root: project.folder,
			configFile: false,
			logLevel: "error",
			ssr: { noExternal: true },
			build: { ssr: "main.mjs", outDir: "server", rolldownOptions: { output: { entryFileNames: "main.mjs" } } },
		});
		const bundled = runProgram(join(project.folder, "server"), 2);
		expect(bundled.notice).toMatch(/workers could not be started .* running on one thread/);
		expect(bundled).toEqual({ ...runProgram(project.folder, 1), notice: bundled.notice });
	});

	// esbuild's CommonJS has no import.meta; Vite's would put something in its place.
	test("one file of CommonJS, whose modules have no URL, still says where data can come from", async () => {
		const code =
			'import { data, init } from "evenkeel";\n' +
			'const load = () => data.fashionMnist({ split: "test", download: false });\n' +
			"init({ threads: 1 }).then(load).catch(({ name, message }) => console.log(name, message));\n";
		writeFileSync(join(project.folder, "data.mjs"), code);
		await build({
			root: project.folder,
			configFile: false,
			logLevel: "error",
			define: { "import.meta.url": "undefined" },
			ssr: { noExternal: true },
			build: {
				ssr: "data.mjs",
				outDir: "commonjs",
				rolldownOptions: { output: { format: "cjs", entryFileNames: "main.cjs" } },
			},
		});
		const env = { ...process.env, EVENKEEL_CACHE: project.folder, EVENKEEL_DATASETS: project.folder };
		const said = execFileSync(process.execPath, [join(project.folder, "commonjs/main.cjs")], { env, encoding: "utf8" });
		expect(said).toMatch(
			/^EvenkeelError Fashion-MNIST is not on this machine and downloading it is switched off; put /,
		);
	});

	test.each([
		['import { Generator } from "evenkeel/random";\nconsole.log(new Generator(1).uniform());\n', 20_000],
		// Of all layers one: with all of them it is 140 kB.
		['import { nn } from "evenkeel";\nconsole.log(new nn.Linear(2, 2));\n', 70_000],
	])("what is not used is left out: %j", async (code, most) => {
		writeFileSync(join(project.folder, "small.mjs"), code);
		await build({
			root: project.folder,
			configFile: false,
			logLevel: "warn",
			build: { outDir: "small", rolldownOptions: { input: "small.mjs" } },
		});
		const files = readdirSync(join(project.folder, "small"), { recursive: true, withFileTypes: true });
		const bytes = files.filter((file) => file.isFile()).map((file) => statSync(join(file.parentPath, file.name)).size);
		expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(most);
	});
});

describe("types", () => {
	const compile = (options: Record<string, unknown>): string => {
		const compilerOptions = {
			strict: true,
			noEmit: true,
			declaration: true,
			target: "ES2022",
			lib: ["ES2022", "DOM", "ESNext.Disposable"],
			types: [],
			skipLibCheck: false,
			...options,
		};
		writeFileSync(join(project.folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["types.mts"] }));
		try {
			return node(project.folder, join(root, "node_modules/typescript/bin/tsc"), "-p", ".");
		} catch (error) {
			return error instanceof Error && "stdout" in error ? String(error.stdout) : String(error);
		}
	};

	test.each(["node16", "nodenext"])("resolve and check under %s", (module) => {
		expect(compile({ module, moduleResolution: module })).toBe("");
	});

	test("resolve and check for Node alone, without the DOM", () => {
		const typeRoots = [join(root, "node_modules/@types")];
		expect(compile({ module: "nodenext", lib: ["ES2022"], types: ["node"], typeRoots })).toBe("");
	});

	test("resolve and check under bundler", () => {
		expect(compile({ module: "ESNext", moduleResolution: "bundler" })).toBe("");
	});
});
