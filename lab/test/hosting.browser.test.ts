// What `npm run lab:build` makes, on a web host that knows nothing of it: below any path, and without the headers for threads.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { node, root } from "../../test/support/package.ts";
import { isolation, serve } from "../../test/support/static-server.ts";
import { describeLab } from "./support/lab-page.ts";
import { reading } from "./support/readings.ts";

describeLab("on a plain web host", (lab) => {
	let site = "";
	beforeAll(() => {
		site = mkdtempSync(join(tmpdir(), "evenkeel-lab-site-"));
		node(root, "scripts/build-lab.mjs", "--static", join(site, "some/where"));
	});
	afterAll(() => rmSync(site, { recursive: true }));

	test.each([
		["with the headers for threads", isolation, false],
		["without them: one thread, and a notice", {}, true],
	])("below a path, %s", async (_, headers, hasNotice) => {
		const { origin, close } = await serve(site, headers);
		const page = await lab.open({ at: `${origin}/some/where/index.html`, search: "?steps=3" });
		await page.getByRole("button", { name: "Start" }).click();
		await page.getByText("done", { exact: true }).waitFor();
		const notice = page.getByText("This page is not cross-origin isolated");
		expect(await notice.count()).toBe(hasNotice ? 1 : 0);
		if (hasNotice) expect(await reading(page, "threads")).toBe(1);
		await lab.close(page);
		await close();
	});
});
