// The losses, and the count of right answers.

export { type CrossEntropyOptions, countCorrect, crossEntropy, type NllLossOptions, nllLoss } from "./classes.ts";
export { type BceWithLogitsOptions, bceWithLogits, type MseLossOptions, mseLoss } from "./pairs.ts";
export type { Reduction } from "./rows.ts";
