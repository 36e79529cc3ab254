// What the command and the processes that run its cells say to each other.

import type { CellOptions } from "../../compare/options.ts";
import type { CellResult, DataFacts } from "../../compare/result.ts";
import type { MeasurementName } from "../../compare/spec.ts";

/** What a process is started for. */
export interface StartMessage {
	readonly type: "start";
	/** `"fashion-mnist"`, `"mnist"` or a folder. */
	readonly data: string;
	readonly download: boolean;
	readonly threads: number;
	readonly measure: readonly MeasurementName[];
}

/** One run to do. */
export interface CellMessage {
	readonly type: "cell";
	/** Comes back with the answer. */
	readonly key: string;
	readonly options: CellOptions;
}

export type ToProcess = StartMessage | CellMessage;

export type FromProcess =
	| { readonly type: "ready"; readonly data: DataFacts }
	| { readonly type: "done"; readonly key: string; readonly result: CellResult; readonly seconds: number }
	| { readonly type: "failed"; readonly key: string | null; readonly message: string; readonly known: boolean };
