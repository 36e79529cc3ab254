// The four numbers of a layer, in the order in which the engine sends them, and which layers have them.

import type { LayerKind } from "../../engine/protocol.ts";

export const metrics = ["mean", "std", "flat", "gradient"] as const;
export type Metric = (typeof metrics)[number];

/** Layers that only rearrange or thin out what came before them have no row. */
export function hasRow(kind: LayerKind): boolean {
	return kind !== "flatten" && kind !== "dropout" && kind !== "pool";
}
