import { expect, test } from "vitest";
import { init } from "../backend/init.ts";
import { tensor } from "./creation.ts";
import { addInPlace } from "./elementwise/add-in-place.ts";

test.each([1, 2, 3])("accumulate on %i threads", async (threads) => {
	const backend = await init({ threads });
	expect(backend.threads).toBe(threads);
	const n = 300_001;
	const a = tensor(
		Float32Array.from({ length: n }, (_, i) => i),
		[n],
	);
	const b = tensor(new Float32Array(n).fill(0.5), [n]);
	for (let k = 0; k < 20; k++) addInPlace(a, b);
	const data = a.dataSync();
	expect(data[0]).toBe(10);
	expect(data[n - 1]).toBe(n - 1 + 10);
});
