import type { Panel } from "../panel.ts";
import { strings } from "./strings.ts";

export const curves: Panel = {
	id: "curves",
	title: strings.title,
	lead: strings.lead,
	order: 10,
	load: () => import("./view.tsx"),
};
