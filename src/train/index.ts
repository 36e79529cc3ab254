// Training: the trainer, what it reports, and checkpoints.

export type { AccumulateOptions } from "./accumulate.ts";
export {
	type CheckpointState,
	checkpointFile,
	type RunSettings,
	readCheckpoint,
	type SavedCheckpoint,
	saveWeights,
} from "./checkpoint.ts";
export type { EvaluateOptions, Examples } from "./evaluate.ts";
export type { CheckpointOptions, FitOptions } from "./fit.ts";
export type { Averages, EarlyStopping, EpochRecord, History } from "./history.ts";
export type { LossFunction, LossName, MetricFunction, MetricName } from "./objective.ts";
export { type Callbacks, type StepReport, Trainer, type TrainerOptimizer, type TrainerOptions } from "./trainer.ts";
export { weightsHash } from "./weights-hash.ts";
