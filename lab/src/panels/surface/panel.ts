import { isPlane } from "../../settings/settings.ts";
import { settings } from "../../state/lab.ts";
import type { Panel } from "../panel.ts";
import { strings } from "./strings.ts";

export const surface: Panel = {
	id: "surface",
	title: strings.title,
	lead: strings.lead,
	order: 20,
	applies: () => isPlane(settings.value),
	load: () => import("./view.tsx"),
};
