// A number that is typed, or stepped through the values that one would try: 1, 2, 5, 10 or 1, 2, 4, 8.

import { useState } from "preact/hooks";
import { type Range, readTyped } from "../settings/read-number.ts";
import "./controls.css";
import { format, nextValue, type Steps } from "./number-steps.ts";

export interface NumberFieldProps {
	/** What it is: read aloud, not shown. */
	readonly label: string;
	readonly value: number;
	readonly range: Range;
	readonly steps: Steps;
	readonly disabled?: boolean;
	readonly onChange: (value: number) => void;
}

const ways: Readonly<Record<string, 1 | -1>> = { ArrowUp: 1, ArrowDown: -1 };

export function NumberField({ label, value, range, steps, disabled, onChange }: NumberFieldProps) {
	/** What is being typed; null while nobody types. */
	const [typed, setTyped] = useState<string | null>(null);
	const valid = typed === null ? value : readTyped(typed, range);
	const take = (next: number | null): void => {
		setTyped(null);
		if (next !== null && next !== value) onChange(next);
	};
	const go = (way: 1 | -1): void => take(nextValue(valid ?? value, way, steps, range));
	const button = (way: 1 | -1) => (
		// The arrow keys do the same in the field itself.
		<button
			type="button"
			tabIndex={-1}
			aria-hidden="true"
			disabled={disabled || nextValue(value, way, steps, range) === value}
			onClick={() => go(way)}
		>
			{way < 0 ? "−" : "+"}
		</button>
	);
	return (
		<span class="number-field">
			{button(-1)}
			<input
				type="text"
				inputMode={range.whole ? "numeric" : "decimal"}
				autocomplete="off"
				role="spinbutton"
				aria-label={label}
				aria-valuenow={value}
				aria-valuemin={range.least}
				aria-valuemax={range.most}
				aria-invalid={valid === null}
				disabled={disabled}
				value={typed ?? format(value)}
				onInput={({ currentTarget }) => setTyped(currentTarget.value)}
				onBlur={() => take(valid)}
				onKeyDown={(event) => {
					const way = ways[event.key];
					if (way) {
						event.preventDefault();
						go(way);
					} else if (event.key === "Enter") take(valid);
					else if (event.key === "Escape") setTyped(null);
				}}
			/>
			{button(1)}
		</span>
	);
}
