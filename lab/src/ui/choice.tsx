// One of many, as the platform's own list in our clothes: it works with keyboard, screen reader and thumb.

import "./controls.css";

/** A choice, or choices under a heading. */
export interface ChoiceOption<Value extends string> {
	readonly value: Value;
	readonly text: string;
	readonly disabled?: boolean;
	/** The heading it stands under; neighbors with the same one share it. */
	readonly group?: string;
}

export interface ChoiceProps<Value extends string> {
	/** What is chosen: read aloud, not shown. */
	readonly label: string;
	readonly value: Value;
	readonly options: readonly ChoiceOption<Value>[];
	readonly disabled?: boolean;
	readonly onChoose: (value: Value) => void;
}

export function Choice<Value extends string>({ label, value, options, disabled, onChoose }: ChoiceProps<Value>) {
	const groups = [...new Set(options.map(({ group }) => group))];
	const choose = (text: string): void => {
		const option = options.find((candidate) => candidate.value === text);
		if (option) onChoose(option.value);
	};
	return (
		<span class="choice">
			<select
				aria-label={label}
				value={value}
				disabled={disabled}
				onChange={({ currentTarget }) => choose(currentTarget.value)}
			>
				{groups.map((group) => {
					const items = options
						.filter((option) => option.group === group)
						.map((option) => (
							<option key={option.value} value={option.value} disabled={option.disabled}>
								{option.text}
							</option>
						));
					return group === undefined ? (
						items
					) : (
						<optgroup key={group} label={group}>
							{items}
						</optgroup>
					);
				})}
			</select>
		</span>
	);
}
