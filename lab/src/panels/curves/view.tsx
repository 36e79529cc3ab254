// Loss and accuracy of both twins, step by step.

import { t } from "../../i18n/i18n.ts";
import { curves, run } from "../../state/lab.ts";
import type { Series } from "../../state/series.ts";
import { Chart, type Curve } from "../../ui/chart.tsx";
import type { PanelProps } from "../panel.ts";
import { strings } from "./strings.ts";
import "./style.css";

export function View({ visible }: PanelProps) {
	const classes = run.value?.data.classes.length ?? 10;
	return (
		<div class="curves">
			<Chart
				title={t(strings.loss)}
				xLabel={t(strings.step)}
				curves={() => smooth("loss")}
				guide={Math.log(classes)}
				visible={visible}
			/>
			<Chart
				title={t(strings.accuracy)}
				xLabel={t(strings.step)}
				curves={() => smooth("accuracy")}
				guide={1 / classes}
				range={[0, 1]}
				visible={visible}
			/>
		</div>
	);
}

function smooth(key: "loss" | "accuracy"): Curve[] {
	return (["a", "b"] as const).map((side) => ({ side, series: curves[side][key] satisfies Series }));
}
