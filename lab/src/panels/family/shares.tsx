// The shares of instance, layer and batch statistics in switchable norms, as bars with their numbers.

import { formatNumber, t } from "../../i18n/i18n.ts";
import { activeSides } from "../../state/lab.ts";
import { useTopic } from "../../state/use-topic.ts";
import { names, strings } from "./strings.ts";

export function Shares({ visible }: { visible: boolean }) {
	const { sides } = useTopic("switchableShares", {}, visible, 5).value ?? {};
	const found = activeSides.value.flatMap((side) => (sides?.[side] ?? []).map((layer) => ({ side, ...layer })));
	return (
		<section class="family-shares" aria-label={t(strings.shares)}>
			<h3>{t(strings.shares)}</h3>
			{found.length === 0 && <p>{t(strings.noShares)}</p>}
			<div class="family-bars">
				{found.flatMap(({ side, layer, mean, variance }) =>
					[
						{ what: t(strings.mean), shares: mean },
						{ what: t(strings.variance), shares: variance },
					].map(({ what, shares }) => (
						<div key={side + layer + what}>
							<p>{t(strings.sharesOf(side.toUpperCase(), layer, what))}</p>
							<Bars shares={shares} />
						</div>
					)),
				)}
			</div>
		</section>
	);
}

function Bars({ shares }: { shares: readonly number[] }) {
	const sources = shares.length === 3 ? (["instance", "layer", "batch"] as const) : (["layer", "batch"] as const);
	return (
		<ul>
			{sources.map((source, i) => (
				<li key={source}>
					<span class="family-bar" style={{ inlineSize: `${100 * shares[i]}%` }} />
					<span>
						{t(
							strings.share(t(names[source]), formatNumber(shares[i], { style: "percent", maximumFractionDigits: 1 })),
						)}
					</span>
				</li>
			))}
		</ul>
	);
}
