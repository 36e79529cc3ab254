import { settings } from "../../state/lab.ts";
import type { Panel } from "../panel.ts";
import { strings } from "./strings.ts";

export const tryIt: Panel = {
	id: "try-it",
	title: strings.title,
	lead: strings.lead,
	order: 70,
	applies: () => settings.value.data.kind === "fashion" || settings.value.data.kind === "fashion-full",
	load: () => import("./view.tsx"),
};
