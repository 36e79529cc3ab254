// Tools for networks that are, or will be, trained: what to normalize with, and what is wrong with what there is.

export { type Advice, type AdviceQuestion, adviseNorm } from "./advise.ts";
export {
	type ConversionReport,
	type ConvertedNorm,
	type ConvertNormsOptions,
	convertNorms,
	convertSyncBatchNorm,
} from "./convert/convert.ts";
export type { Need, NormTarget, TargetOptions } from "./convert/targets.ts";
export type { Difference } from "./fold/difference.ts";
export { type FoldOptions, fold, type NetworkFoldReport } from "./fold/fold.ts";
export type { FoldedNorm, FoldReport, LeftNorm } from "./fold/report.ts";
export { type Finding, type FindingKind, type HasDecay, type InspectOptions, inspectNorms } from "./inspect.ts";
export type { Distribution, Histogram } from "./inspection/distribution.ts";
export {
	type InspectedLayer,
	type InspectedNorm,
	type InspectedTensor,
	type Inspection,
	type InspectNetworkOptions,
	inspectNetwork,
} from "./inspection/inspection.ts";
export { inspectionHtml, inspectionPage } from "./inspection/page.ts";
export { inspectionStyle } from "./inspection/style.ts";
export { type KerasOptions, type KerasPairing, kerasToStateDict, loadKerasWeights } from "./keras/load.ts";
export { averageWeights } from "./recalibrate/average-weights.ts";
export type { Inputs, NetworkInputs } from "./recalibrate/batches.ts";
export {
	type RecalibratedLayer,
	type RecalibrateOptions,
	type RecalibrationMode,
	type RecalibrationProgress,
	type RecalibrationReport,
	recalibrate,
} from "./recalibrate/recalibrate.ts";
