// The losses, and the count of right answers.

export { countCorrect, crossEntropy, type CrossEntropyOptions, nllLoss, type NllLossOptions } from "./classes.ts";
export { bceWithLogits, type BceWithLogitsOptions, mseLoss, type MseLossOptions } from "./pairs.ts";
export type { Reduction } from "./rows.ts";
