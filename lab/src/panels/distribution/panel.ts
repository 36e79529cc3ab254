import type { Panel } from "../panel.ts";
import { strings } from "./strings.ts";

export const distribution: Panel = {
	id: "distribution",
	title: strings.title,
	lead: strings.lead,
	order: 40,
	load: () => import("./view.tsx"),
};
