import { expect, test } from "vitest";
import { lockstep } from "../../test/support/lockstep.ts";
import { checkAgreement, type Facts, fromFirst, rankList, ranksUnlikeFirst } from "./agreement.ts";
import { singleProcess } from "./single-process.ts";

const same: Facts = { version: "1.2", batchSize: 64, seed: null };

/** The messages of the ranks' errors; "" where there was none. */
const messages = (facts: readonly Facts[]) =>
	lockstep(facts.length, (communicator) => {
		try {
			checkAgreement(communicator, facts[communicator.rank]);
			return "";
		} catch (error) {
			// Lockstep ends a run with an error of its own.
			if (!(error instanceof Error) || error.name !== "EvenkeelError") throw error;
			return error.message;
		}
	});

test("the same facts are fine, on any number of ranks", () => {
	expect(messages([same, same, same])).toEqual(["", "", ""]);
	checkAgreement(singleProcess(), same);
});

test("what differs is named on every rank: each fact, its values, who has them", () => {
	const unlike = { ...same, batchSize: 32, seed: 7 };
	const said =
		"the ranks were not started alike: batchSize is 64 on ranks 0 and 2 and 32 on rank 1; " +
		"seed is null on ranks 0 and 2 and 7 on rank 1. Start all of them with the same program, options and data";
	expect(messages([same, unlike, same])).toEqual([said, said, said]);
});

test("a fact that some do not have, as with another version, is absent there", () => {
	const [said] = messages([same, { ...same, groups: 4 }]);
	expect(said).toContain("groups is absent on rank 0 and 4 on rank 1.");
});

test("lists of ranks", () => {
	expect(rankList([2])).toBe("rank 2");
	expect(rankList([0, 1])).toBe("ranks 0 and 1");
	expect(rankList([0, 1, 2, 3, 5])).toBe("ranks 0 to 3 and 5");
	expect(rankList([1, 3, 8, 9, 10])).toBe("ranks 1, 3 and 8 to 10");
});

test("the ranks whose bytes are not rank 0's", () => {
	const bytes = [[1, 2], [1, 2], [1, 3], [1, 2], [0, 2]].map((values) => Uint8Array.from(values));
	expect(lockstep(5, (communicator) => ranksUnlikeFirst(communicator, bytes[communicator.rank]))[3]).toEqual([2, 4]);
});

test("rank 0 reads for all", () => {
	const read = (rank: number) => () => Uint8Array.from([rank, 7, 8]);
	const all = lockstep(3, (communicator) => [...fromFirst(communicator, read(communicator.rank))]);
	expect(all).toEqual([
		[0, 7, 8],
		[0, 7, 8],
		[0, 7, 8],
	]);
});
