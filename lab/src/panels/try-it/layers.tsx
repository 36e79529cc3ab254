// What every layer makes of the picture: a canvas a channel, or a strip of units.

import { formatNumber, t } from "../../i18n/i18n.ts";
import type { LayerOutput } from "./engine.ts";
import { GrayCanvas } from "./gray-canvas.tsx";
import { strings } from "./strings.ts";

export function Layers({ layers }: { layers: readonly LayerOutput[] }) {
	return (
		<>
			<h4>{t(strings.layers)}</h4>
			<p class="try-note">{t(strings.layersLead)}</p>
			<ol class="try-layers">
				{layers
					.filter(({ kind }) => kind !== "flatten" && kind !== "dropout")
					.map((layer) => (
						<Layer key={layer.name} layer={layer} />
					))}
			</ol>
		</>
	);
}

function Layer({ layer: { name, shape, values } }: { layer: LayerOutput }) {
	const [least, most] = rangeOf(values);
	const [from, to] = [least, most].map((value) => formatNumber(value, { maximumSignificantDigits: 3 }));
	const [channels, height = 1, width = 1] = shape;
	const isMap = shape.length === 3;
	const label = isMap
		? strings.maps(name, formatNumber(channels), `${height} × ${width}`, from, to)
		: strings.units(name, formatNumber(channels), from, to);
	return (
		<li>
			<p class="try-layer-name">
				<strong>{name}</strong> <span>{shape.join(" × ")}</span> <span>{t(strings.range(from, to))}</span>
			</p>
			<div class={isMap ? "try-maps" : "try-strip"} role="img" aria-label={t(label)}>
				{isMap ? (
					Array.from({ length: channels }, (_, c) => (
						<GrayCanvas
							key={c}
							values={values.subarray(c * height * width, (c + 1) * height * width)}
							{...{ width, height, least, most }}
						/>
					))
				) : (
					<GrayCanvas values={values} width={channels} height={1} least={least} most={most} />
				)}
			</div>
		</li>
	);
}

function rangeOf(values: Float32Array): [least: number, most: number] {
	let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
	for (const value of values) {
		least = Math.min(least, value);
		most = Math.max(most, value);
	}
	return [least, most];
}
