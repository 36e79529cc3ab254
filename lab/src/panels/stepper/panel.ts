import type { Panel } from "../panel.ts";
import { strings } from "./strings.ts";

export const stepper: Panel = {
	id: "stepper",
	title: strings.title,
	lead: strings.lead,
	order: 60,
	load: () => import("./view.tsx"),
};
