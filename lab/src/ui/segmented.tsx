// A few choices side by side, one of them taken.

import type { ComponentChildren } from "preact";
import "./controls.css";

export interface SegmentedProps<Value extends string> {
	/** What is chosen: read aloud, not shown. */
	readonly label: string;
	readonly value: Value;
	readonly options: readonly { readonly value: Value; readonly text: ComponentChildren; readonly lang?: string }[];
	readonly onChoose: (value: Value) => void;
}

export function Segmented<Value extends string>({ label, value, options, onChoose }: SegmentedProps<Value>) {
	return (
		<fieldset class="segmented">
			<legend class="unseen">{label}</legend>
			{options.map((option) => (
				<button
					key={option.value}
					type="button"
					aria-pressed={option.value === value}
					lang={option.lang}
					onClick={() => onChoose(option.value)}
				>
					{option.text}
				</button>
			))}
		</fieldset>
	);
}
