import { expect, test } from "vitest";
import { singleProcess } from "../communicator/single-process.ts";
import { parseCores, shareOfCores, threadsPerRank } from "./threads.ts";

const on = (host: string, ...cores: number[]) => ({ host, cores });

test.each([
	["all ranks may use all cores", [on("a", 0, 1, 2, 3), on("a", 0, 1, 2, 3)], [2, 2]],
	["each rank is bound to one core", [on("a", 0), on("a", 1)], [1, 1]],
	["each rank is bound to a socket", [on("a", 0, 1, 2), on("a", 3, 4, 5)], [3, 3]],
	["two ranks share a socket, one has its own", [on("a", 0, 1), on("a", 0, 1), on("a", 2, 3)], [1, 1, 2]],
	["three ranks share three cores", [on("a", 0, 1, 2), on("a", 0, 1, 2), on("a", 0, 1, 2)], [1, 1, 1]],
	["more ranks than cores", [on("a", 0), on("a", 0), on("a", 0)], [1, 1, 1]],
	["machines of different size", [on("a", 0, 1), on("b", 0, 1, 2, 3), on("b", 0, 1, 2, 3)], [2, 2, 2]],
])("%s", (_, ranks, threads) => {
	expect(ranks.map((_rank, i) => shareOfCores(ranks, i))).toEqual(threads);
});

test("the kernel's lists of cores", () => {
	expect(parseCores("0-2,5,7-8")).toEqual([0, 1, 2, 5, 7, 8]);
	expect(parseCores("3")).toEqual([3]);
});

test("one process has all the cores it may use", () => {
	expect(threadsPerRank(singleProcess())).toBeGreaterThanOrEqual(1);
});
