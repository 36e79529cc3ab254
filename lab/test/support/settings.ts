// Settings for tests: small and quick unless they say otherwise.

import { defaults, type Settings, type TwinSettings } from "../../src/settings/settings.ts";

/** What a test changes of the defaults. */
export interface Changes extends Partial<Omit<Settings, "a" | "b">> {
	readonly both?: Partial<TwinSettings>;
	readonly a?: Partial<TwinSettings>;
	readonly b?: Partial<TwinSettings>;
}

/** A small perceptron on XOR, batches of 50, with batch norm and without; never paused. */
export function smallSettings({ both, a, b, ...run }: Changes = {}): Settings {
	const quick = { depth: 2, width: 16, batchSize: 50, lr: 0.1, activation: "relu", ...both } as const;
	return {
		...defaults,
		data: { kind: "xor", noise: 0.1 },
		network: "mlp",
		steps: 0,
		...run,
		a: { ...defaults.a, ...quick, ...a },
		b: { ...defaults.b, ...quick, ...b },
	};
}
