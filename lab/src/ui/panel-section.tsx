// A panel's place on the page: heading, lead, and its view, which is loaded when it comes near the screen, or when training
// begins, or when something below it is jumped to, and told whether it can be seen.

import type { ComponentType } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n/i18n.ts";
import type { Panel, PanelProps } from "../panels/panel.ts";
import { panels } from "../panels/registry.ts";
import { phase } from "../state/lab.ts";
import { strings } from "../strings.ts";
import { jumpedTo } from "./jump.ts";

export function PanelSection({ panel }: { panel: Panel }) {
	const section = useRef<HTMLElement>(null);
	const [visible, setVisible] = useState(false);
	const [View, setView] = useState<ComponentType<PanelProps> | null>(null);
	const [hasFailed, setFailed] = useState(false);
	const [isNear, setNear] = useState(false);
	const isWanted = isNear || isOnTheWay(panel) || (panel.records === true && phase.value !== "asleep");
	useEffect(() => {
		const element = section.current;
		if (!element) return;
		// A page that was busy is told of several changes at once, the last of which holds.
		const seen = new IntersectionObserver((changes) => setVisible(changes[changes.length - 1].isIntersecting));
		seen.observe(element);
		const near = new IntersectionObserver(
			(changes) => {
				if (!changes.some((change) => change.isIntersecting)) return;
				near.disconnect();
				setNear(true);
			},
			{ rootMargin: "600px" },
		);
		near.observe(element);
		return () => {
			seen.disconnect();
			near.disconnect();
		};
	}, [panel]);
	useEffect(() => {
		if (!isWanted || hasFailed) return;
		panel.load().then(
			(loaded) => setView(() => loaded.View),
			() => setFailed(true),
		);
	}, [panel, isWanted, hasFailed]);
	return (
		<section ref={section} id={panel.id} class="panel" aria-labelledby={`${panel.id}-title`}>
			<header class="panel-head">
				<h2 id={`${panel.id}-title`}>{t(panel.title)}</h2>
				<p>{t(panel.lead)}</p>
			</header>
			{View ? (
				<View visible={visible} />
			) : (
				<div class="panel-wait">
					<p role="status">{t(hasFailed ? strings.panelFailed : strings.loading)}</p>
					{hasFailed && (
						<button type="button" onClick={() => setFailed(false)}>
							{t(strings.retry)}
						</button>
					)}
				</div>
			)}
		</section>
	);
}

/** Whether it is the panel that was jumped to, or stands above it. */
function isOnTheWay(panel: Panel): boolean {
	return panels.indexOf(panel) <= panels.findIndex(({ id }) => id === jumpedTo.value);
}
