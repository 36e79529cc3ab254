import type { Panel } from "../panel.ts";
import { strings } from "./strings.ts";

export const statistics: Panel = {
	id: "statistics",
	title: strings.title,
	lead: strings.lead,
	order: 60,
	records: true,
	load: () => import("./view.tsx"),
};
