// evenkeel as one side of a comparison.

import { readFileSync } from "node:fs";
import { init } from "evenkeel";
import * as resident from "./resident.mjs";
import { readData, serve, settings } from "./serve.mjs";
import { prepare, trace } from "./work.mjs";

const { threads, folder } = settings();
const backend = await init({ threads, wide: process.env.EVENKEEL_WIDE !== "0" });
const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
const build = "build" in backend ? `, ${backend.build}` : "";
const data = readData(folder);
await serve(`evenkeel ${version} (${backend.name}${build})`, (job) =>
	job.kind === "trace" ? { run: () => trace(job, data), free: () => {} } : prepare(job, data, resident),
);
