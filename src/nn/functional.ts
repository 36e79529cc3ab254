// Everything that layers compute, as functions.

export * from "../ops/activation/op.ts";
export * from "../ops/conv/op.ts";
export * from "../ops/dropout/op.ts";
export * from "../ops/linear/op.ts";
export * from "../ops/loss/op.ts";
export {
	type AllStages,
	type BackwardStages,
	type ExplainOptions,
	explainBatchNorm,
	type ForwardStages,
	type NestedLike,
	type SomeStages,
} from "../ops/norm/batch-norm/explain.ts";
export { type BatchNormOptions, batchNorm } from "../ops/norm/batch-norm/op.ts";
export { type BatchRenormOptions, batchRenorm } from "../ops/norm/batch-renorm/op.ts";
export { type FilterResponseNormOptions, filterResponseNorm } from "../ops/norm/filter-response-norm/op.ts";
export { type GroupNormOptions, groupNorm } from "../ops/norm/group-norm/op.ts";
export { type InstanceNormOptions, instanceNorm } from "../ops/norm/instance-norm/op.ts";
export { type LayerNormOptions, layerNorm } from "../ops/norm/layer-norm/op.ts";
export { type RmsNormOptions, rmsNorm } from "../ops/norm/rms-norm/op.ts";
export { type SwitchableNormOptions, switchableNorm } from "../ops/norm/switchable-norm/op.ts";
export { type SyncBatchNormOptions, syncBatchNorm } from "../ops/norm/sync-batch-norm/op.ts";
export { standardizeWeight } from "../ops/norm/weight-standardization/op.ts";
export * from "../ops/pool/op.ts";
