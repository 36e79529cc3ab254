import type { Panel } from "../panel.ts";
import { strings } from "./strings.ts";

export const openModel: Panel = {
	id: "open-model",
	title: strings.title,
	lead: strings.lead,
	order: 80,
	load: () => import("./view.tsx"),
};
