import { expect, test } from "vitest";
import { mergedMultiplyAdds } from "../../scripts/merged.mjs";

const able = Number.parseInt(process.versions.node, 10) >= 24 && process.arch === "x64";

test.skipIf(!able)("V8 of Node 24 or later merges every multiply-add of the loops that were written for it", () => {
	const rows = mergedMultiplyAdds().filter(({ kernel }) => kernel.includes("wide"));
	expect(rows.length).toBeGreaterThanOrEqual(6);
	expect(rows.filter(({ narrow }) => narrow > 0)).toEqual([]);
});
