// Layers, containers, init schemes, and everything they compute as functions.

export * from "./containers.ts";
export * as functional from "./functional.ts";
export * as init from "./init.ts";
export * from "./layers/activation.ts";
export {
	BatchNorm1d,
	BatchNorm2d,
	BatchNorm3d,
	type BatchNormLayerOptions,
	freezeNorms,
	unfreezeNorms,
} from "./layers/batch-norm.ts";
export {
	BatchRenorm1d,
	BatchRenorm2d,
	BatchRenorm3d,
	type BatchRenormLayerOptions,
	paperRenormSchedule,
	type RenormSchedule,
} from "./layers/batch-renorm.ts";
export type { ChannelNormOptions } from "./layers/channel-norm.ts";
export * from "./layers/conv.ts";
export * from "./layers/dropout.ts";
export * from "./layers/filter-response-norm.ts";
export * from "./layers/frozen-affine.ts";
export * from "./layers/group-norm.ts";
export * from "./layers/instance-norm.ts";
export { LayerNorm, type LayerNormLayerOptions } from "./layers/layer-norm.ts";
export * from "./layers/lazy-batch-norm.ts";
export * from "./layers/linear.ts";
export * from "./layers/pool.ts";
export * from "./layers/rms-norm.ts";
export * from "./layers/shape.ts";
export {
	SwitchableNorm1d,
	SwitchableNorm2d,
	SwitchableNorm3d,
	type SwitchableNormLayerOptions,
} from "./layers/switchable-norm.ts";
export { SyncBatchNorm, type SyncBatchNormLayerOptions } from "./layers/sync-batch-norm.ts";
export type { LoadReport, LoadStateOptions, StateDict, StateEntry } from "./load-state.ts";
export { type ForwardHook, type ForwardPreHook, Module } from "./module.ts";
export { Parameter } from "./parameter.ts";
export { countFlops, countParameters, type LayerRow, summary } from "./summary.ts";
