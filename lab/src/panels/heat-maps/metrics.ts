// The four numbers of a layer, in the order in which the engine sends them.

export const metrics = ["mean", "std", "flat", "gradient"] as const;
export type Metric = (typeof metrics)[number];
