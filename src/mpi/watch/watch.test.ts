import { expect, test } from "vitest";
import { withRank } from "./watch.ts";

test("a message names its rank once, whoever put it there", () => {
	expect(withRank(1, "the loss is NaN")).toBe("rank 1: the loss is NaN");
	expect(withRank(1, 'rank 1: SyncBatchNorm "2": NaN')).toBe('rank 1: SyncBatchNorm "2": NaN');
	expect(withRank(1, "rank 12: the loss is NaN")).toBe("rank 1: rank 12: the loss is NaN");
});
