import { activeSides, settings } from "../../state/lab.ts";
import type { Panel } from "../panel.ts";
import { strings } from "./strings.ts";

export const scaleShift: Panel = {
	id: "scale-shift",
	title: strings.title,
	lead: strings.lead,
	order: 50,
	applies: () => activeSides.value.some((side) => settings.value[side].norm !== "none"),
	records: true,
	load: () => import("./view.tsx"),
};
