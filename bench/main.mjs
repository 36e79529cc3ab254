// `npm run bench -- <name>`: one benchmark, on this machine, against its peer where that can be had.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const usage = `usage: npm run bench -- <lenet|norms> [options]

  lenet             examples/s of training lenet-bn at batch 256 on Fashion-MNIST
  norms             ms of each norm's forward and backward

  --seconds <x>     length of a window (default 2)
  --windows <n>     windows measured, after one to warm up; the median counts (default 7)
  --threads <n>     threads of evenkeel and of PyTorch (default 2)
  --json            one JSON object instead of text

With EVENKEEL_BENCH_PYTHON naming a Python that has PyTorch, the same is done there too, in turn with
evenkeel's windows, and the ratio is printed.
`;

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		seconds: { type: "string", default: "2" },
		windows: { type: "string", default: "7" },
		threads: { type: "string", default: "2" },
		json: { type: "boolean", default: false },
		help: { type: "boolean", default: false },
	},
});

if (values.help || positionals.length !== 1 || !["lenet", "norms"].includes(positionals[0])) {
	process.stderr.write(usage);
	process.exit(values.help ? 0 : 2);
}

const root = fileURLToPath(new URL("..", import.meta.url));
const built = spawnSync(process.execPath, ["scripts/build.mjs", "--if-needed"], { cwd: root, stdio: "inherit" });
if (built.status !== 0) process.exit(built.status ?? 1);

const bench =
	positionals[0] === "norms" ? (await import("./norms.mjs")).benchNorms : (await import("./lenet.mjs")).benchLenet;
await bench({
	seconds: positive("seconds", values.seconds),
	windows: Math.ceil(positive("windows", values.windows)),
	threads: Math.ceil(positive("threads", values.threads)),
	json: values.json,
});

/** @param {string} name @param {string} text */
function positive(name, text) {
	const value = Number(text);
	if (value > 0 && value < 3600) return value;
	process.stderr.write(`bench: --${name} must be a number above 0, got ${text}\n`);
	process.exit(2);
}
