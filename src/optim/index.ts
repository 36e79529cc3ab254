// Optimizers and learning-rate schedules.

export type { AdamSettings, SgdSettings } from "../ops/optimizer-step/op.ts";
export { Adam, type AdamOptions, AdamW } from "./adam.ts";
export { clipGradNorm } from "./clip-grad-norm.ts";
export { type OneCycleOptions, oneCycleLR } from "./one-cycle.ts";
export type { Json, Optimizer, OptimizerState } from "./optimizer.ts";
export {
	type NamedParam,
	noWeightDecayOnNorms,
	type ParamGroup,
	type ParamGroupInput,
	type ParamsInput,
} from "./param-groups.ts";
export {
	cosineAnnealingLR,
	type LinearWarmupOptions,
	linearWarmup,
	multiStepLR,
	type Schedulable,
	Schedule,
	type ScheduledGroup,
	type ScheduleState,
	sequentialLR,
	stepLR,
} from "./schedule.ts";
export { SGD, type SgdOptions } from "./sgd.ts";
