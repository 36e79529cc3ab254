// `npm run bench -- <name>`: benchmarks on this machine, against the peers that can be had.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const usage = `usage: npm run bench -- <name>... [options]

  lenet, mlp, resnet   training lenet-bn, mlp-bn, resnet-mini
  batchnorm            batch normalization alone, forward and backward, five shapes
  scaling              lenet-bn at batches of 2 to 1024, on 1 and 2 threads
  inference            lenet-bn in evaluation, norms folded and not, batches of 1 to 1024
  memory               the most held at once
  roofline             what this machine can do, and how near each workload and op comes
  browser              the same code in Chromium and in Node
  lab                  lenet-bn in the web lab's page and in Node
  frames               the lab's frames in a run of 10,000 steps
  all                  all of these, with all peers
  norms                ms of each norm's forward and backward, beside PyTorch
  ranks                messages and training on 1, 2 and 4 processes, over shared memory and, as root, over TCP

  --seconds <x>     length of a window (default 2; all: 1)
  --windows <n>     windows of each side, in turn, after one to warm up; the median counts (default 7; all: 5)
  --threads <n>     threads of every side that has them (default 2)
  --peers <names>   pytorch, jax-js, tfjs-cpu, tfjs-wasm, onnxruntime with commas between, or all or none
                    (default pytorch; inference: onnxruntime as well; all: all)
  --quick           short windows, fewer sizes, PyTorch alone: a first look
  --wait <minutes>  wait at most so long before each for a machine on which others take less than 10% (default 0)
  --out <folder>    where the tables go, as Markdown and JSON (default runs/bench)
  --docs            put the tables into docs/benchmarks.md too
  --json            one JSON object on stdout instead of text

EVENKEEL_BENCH_PYTHON names a Python that has PyTorch. The other peers are packages, installed on first use.
`;

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		seconds: { type: "string" },
		windows: { type: "string" },
		threads: { type: "string", default: "2" },
		peers: { type: "string" },
		quick: { type: "boolean", default: false },
		wait: { type: "string", default: "0" },
		out: { type: "string" },
		docs: { type: "boolean", default: false },
		json: { type: "boolean", default: false },
		help: { type: "boolean", default: false },
	},
});

const names = [
	"lenet",
	"mlp",
	"resnet",
	"batchnorm",
	"scaling",
	"inference",
	"memory",
	"roofline",
	"browser",
	"lab",
	"frames",
];
const known = positionals.every((name) => names.includes(name) || ["all", "norms", "ranks"].includes(name));
if (values.help || positionals.length === 0 || !known) {
	process.stderr.write(usage);
	process.exit(values.help ? 0 : 2);
}

const root = fileURLToPath(new URL("..", import.meta.url));
const built = spawnSync(process.execPath, ["scripts/build.mjs", "--if-needed"], { cwd: root, stdio: "inherit" });
if (built.status !== 0) process.exit(built.status ?? 1);

const all = positionals.includes("all");
const seconds = positive("seconds", values.seconds ?? (values.quick ? "0.3" : all ? "1" : "2"));
const windows = Math.ceil(positive("windows", values.windows ?? (values.quick ? "3" : all ? "5" : "7")));
const threads = Math.ceil(positive("threads", values.threads));

const suites = all ? names : positionals.filter((name) => names.includes(name));
if (suites.length > 0) {
	const { runSuites } = await import("./run.mjs");
	await runSuites(suites, {
		...{ seconds, windows, threads },
		...{ quick: values.quick, docs: values.docs, json: values.json, out: values.out },
		patience: Number(values.wait) || 0,
		peers: values.peers ?? (all && !values.quick ? "all" : undefined),
	});
}
if (positionals.includes("norms")) {
	await (await import("./norms.mjs")).benchNorms({ seconds, windows, threads, json: values.json });
}
if (positionals.includes("ranks")) {
	await (await import("./ranks/ranks.mjs")).benchRanks({ seconds, out: values.out, json: values.json });
}

/** @param {string} name @param {string} text */
function positive(name, text) {
	const value = Number(text);
	if (value > 0 && value < 3600) return value;
	process.stderr.write(`bench: --${name} must be a number above 0, got ${text}\n`);
	process.exit(2);
}
