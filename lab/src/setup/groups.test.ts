import { init, nn } from "evenkeel";
import { beforeAll, expect, test } from "vitest";
import { buildNetwork } from "../engine/networks.ts";
import { defaults, type TwinSettings } from "../settings/settings.ts";
import { otherGroups } from "./groups.ts";

beforeAll(() => init({ threads: 1 }));

const twinOf = (part: Partial<TwinSettings>): TwinSettings => ({ ...defaults.a, norm: "group", ...part });

test("LeNet's first norm has 3 groups where 4 are asked for", () => {
	expect(otherGroups(twinOf({ groups: 4 }), "lenet")).toEqual([{ name: "norm1", groups: 3 }]);
	expect(otherGroups(twinOf({ groups: 2 }), "lenet")).toEqual([]);
	expect(otherGroups(twinOf({ groups: 4, width: 6, depth: 3 }), "mlp")).toEqual([{ name: "norm1–norm3", groups: 3 }]);
});

test.each([1, 3, 4, 5, 7, 8, 16, 64])("what is said of %d groups is what the networks have", (groups) => {
	const built = (network: "lenet" | "mlp", twin: TwinSettings): number[] =>
		[...buildNetwork(network, twin, network === "lenet" ? [1, 28, 28] : [2], 10, 1).net.modules()].flatMap((module) =>
			module instanceof nn.GroupNorm ? [module.numGroups] : [],
		);
	const lenet = otherGroups(twinOf({ groups }), "lenet");
	expect(built("lenet", twinOf({ groups }))).toEqual(
		[1, 2, 3, 4].map((i) => lenet.find(({ name }) => name === `norm${i}`)?.groups ?? groups),
	);
	const small = twinOf({ groups, width: 100, depth: 1 });
	expect(built("mlp", small)).toEqual([otherGroups(small, "mlp")[0]?.groups ?? groups]);
});
