// Every panel of the page: one line each, in any order.

import { curves } from "./curves/panel.ts";
import { distribution } from "./distribution/panel.ts";
import { family } from "./family/panel.ts";
import { heatMaps } from "./heat-maps/panel.ts";
import { openModel } from "./open-model/panel.ts";
import type { Panel } from "./panel.ts";
import { scaleShift } from "./scale-shift/panel.ts";
import { statistics } from "./statistics/panel.ts";
import { stepper } from "./stepper/panel.ts";
import { surface } from "./surface/panel.ts";
import { tryIt } from "./try-it/panel.ts";

const all: readonly Panel[] = [
	curves,
	surface,
	tryIt,
	heatMaps,
	stepper,
	openModel,
	distribution,
	scaleShift,
	family,
	statistics,
];

/** The panels in the order in which they stand on the page. */
export const panels: readonly Panel[] = [...all].sort((a, b) => a.order - b.order);
