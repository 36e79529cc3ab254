import type { Panel } from "../panel.ts";
import { strings } from "./strings.ts";

export const heatMaps: Panel = {
	id: "heat-maps",
	title: strings.title,
	lead: strings.lead,
	order: 30,
	records: true,
	load: () => import("./view.tsx"),
};
