import type { Panel } from "../panel.ts";
import { strings } from "./strings.ts";

export const family: Panel = {
	id: "family",
	title: strings.title,
	lead: strings.lead,
	order: 70,
	load: () => import("./view.tsx"),
};
