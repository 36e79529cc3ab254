// Tools for networks that are, or will be, trained: what to normalize with, and what is wrong with what there is.

export { type Advice, type AdviceQuestion, adviseNorm } from "./advise.ts";
export { type Finding, type FindingKind, type HasDecay, type InspectOptions, inspectNorms } from "./inspect.ts";
