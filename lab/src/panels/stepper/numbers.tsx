// A quantity's numbers as a small table: those given in fields, those computed as buttons that tell where they came from.

import { useSignal } from "@preact/signals";
import { t } from "../../i18n/i18n.ts";
import type { Cell } from "./expression.ts";
import { indexAt, keyOf } from "./expression.ts";
import { editableValue, formatValue, nudge, parseValue } from "./format.ts";
import { Letter } from "./formula.tsx";
import { type GivenName, isGiven, kindOf, type Name } from "./quantities.ts";
import { stages } from "./stages.ts";
import {
	announcement,
	changed,
	describe,
	edit,
	given,
	isSuspect,
	lit,
	look,
	looked,
	numberOf,
	offset,
	result,
	walk,
} from "./state.ts";
import { nameStrings, strings } from "./strings.ts";

/** All numbers of one quantity, under its letter and name. */
export function Numbers({ name }: { name: Name }) {
	const { values } = result.value;
	const kind = kindOf(name);
	// What is given may be of another size than the last results.
	const { n, c: channels } = isGiven(name) ? given.value : values;
	const columns = kind === "scalar" ? 1 : channels;
	const rows = kind === "element" ? n : 1;
	const called = (nameStrings as Partial<Record<Name, { en: string; zh: string }>>)[name];
	return (
		<table class="stepper-numbers" data-name={name}>
			<caption>
				<math>
					<Letter name={name} />
				</math>{" "}
				<code>{name}</code>
				{called && <small>{t(called)}</small>}
			</caption>
			{kind !== "scalar" && (
				<thead>
					<tr>
						{kind === "element" && <td />}
						{Array.from({ length: columns }, (_, c) => (
							<th key={c} scope="col">
								<abbr title={t(strings.channel)}>c</abbr>
								{c + offset.value}
							</th>
						))}
					</tr>
				</thead>
			)}
			<tbody>
				{Array.from({ length: rows }, (_, example) => (
					<tr key={example}>
						{kind === "element" && (
							<th scope="row">
								<abbr title={t(strings.rows)}>n</abbr>
								{example}
							</th>
						)}
						{Array.from({ length: columns }, (_, channel) => (
							<td key={channel}>
								<One cell={{ name, index: indexAt(name, { channel, example }, channels) }} />
							</td>
						))}
					</tr>
				))}
			</tbody>
		</table>
	);
}

function One({ cell }: { cell: Cell }) {
	const { name } = cell;
	return isGiven(name) ? <Field cell={{ ...cell, name }} /> : <Computed cell={cell} />;
}

function classOf(base: string, cell: Cell): string {
	const key = keyOf(cell);
	const isLooked = looked.value !== null && keyOf(looked.value) === key;
	const marks = [isLooked && "is-looked", lit.value.has(key) && "is-lit", changed.value.has(key) && "is-changed"];
	return [base, ...marks].filter(Boolean).join(" ");
}

function Computed({ cell }: { cell: Cell }) {
	const value = result.value.values[cell.name][cell.index];
	const home = stages.findIndex(({ assignments }) => assignments.some(({ name }) => name === cell.name));
	return (
		<button
			type="button"
			class={classOf("stepper-number", cell)}
			data-value={value}
			aria-label={t(strings.cellValue(describe(cell), formatValue(value)))}
			onPointerEnter={() => look(cell)}
			onFocus={() => look(cell, true)}
			onClick={() => home >= 0 && walk(home)}
		>
			{formatValue(value)}
		</button>
	);
}

function Field({ cell }: { cell: Cell & { name: GivenName } }) {
	const value = numberOf(cell);
	// What is being typed; null: the number as it is.
	const typed = useSignal<string | null>(null);
	const isWrong = isSuspect(cell) || (typed.value !== null && parseValue(typed.value) === null);
	const take = (): void => {
		if (typed.value === null) return;
		const read = parseValue(typed.value);
		if (read === null) {
			announcement.value = t(strings.notNumber(typed.value));
		} else if (read !== value) {
			edit(cell, read);
		}
		typed.value = null;
	};
	return (
		<input
			type="text"
			inputMode="decimal"
			autocomplete="off"
			spellcheck={false}
			class={classOf("stepper-field", cell)}
			data-value={value}
			aria-label={describe(cell)}
			aria-invalid={isWrong}
			value={typed.value ?? editableValue(value)}
			onPointerEnter={() => look(cell)}
			onFocus={(event) => {
				look(cell);
				event.currentTarget.select();
			}}
			onInput={(event) => {
				typed.value = event.currentTarget.value;
				const read = parseValue(typed.value);
				if (read !== null) edit(cell, read);
			}}
			onBlur={take}
			onKeyDown={(event) => {
				if (event.key === "Enter") take();
				if (event.key === "Escape") typed.value = null;
				if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
				event.preventDefault();
				typed.value = null;
				edit(cell, nudge(value, event.key === "ArrowUp" ? 1 : -1));
			}}
		/>
	);
}
