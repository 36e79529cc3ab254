import { expect, test } from "vitest";
import { zeros } from "../../ops/creation.ts";
import { withBackend } from "../backend.ts";
import { referenceBackend } from "./reference-backend.ts";

test("the reference computes in float64 and counts its bytes", () => {
	withBackend(referenceBackend, () => {
		const before = referenceBackend.memory().used;
		const a = zeros([10]);
		const b = zeros([10], { dtype: "uint8" });
		expect(a.view()).toEqual(new Float64Array(10));
		expect(b.view()).toEqual(new Uint8Array(10));
		expect(referenceBackend.memory().used - before).toBe(90);
		expect(referenceBackend.memory().peak).toBeGreaterThanOrEqual(90);
		a.dispose();
		b.dispose();
		expect(referenceBackend.memory().used).toBe(before);
		expect(referenceBackend.alloc("float32", 3).dtype).toBe("float64");
	});
});
