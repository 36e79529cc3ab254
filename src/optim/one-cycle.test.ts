import { expect, test } from "vitest";
import { type OneCycleOptions, oneCycleLR } from "./one-cycle.ts";

/** The rates and momenta of a whole cycle. */
function cycle(options: Partial<OneCycleOptions>): number[][] {
	const optimizer = { paramGroups: [{ lr: 0.1, momentum: 0.9 }] };
	const schedule = oneCycleLR(optimizer, { maxLr: 1, totalSteps: 10, ...options });
	return Array.from({ length: 10 }, () => {
		const [{ lr, momentum }] = optimizer.paramGroups;
		schedule.step();
		return [lr, momentum];
	});
}

test("an option that is undefined has its default", () => {
	const expected = cycle({});
	const keys = ["pctStart", "annealStrategy", "cycleMomentum", "baseMomentum", "maxMomentum", "divFactor"] as const;
	for (const key of [...keys, "finalDivFactor", "threePhase"] as const) {
		expect(cycle({ [key]: undefined }), key).toEqual(expected);
	}
});
