import type { Panel } from "../panel.ts";
import { strings } from "./strings.ts";

export const distribution: Panel = {
	id: "distribution",
	title: strings.title,
	lead: strings.lead,
	order: 40,
	records: true,
	load: () => import("./view.tsx"),
};
