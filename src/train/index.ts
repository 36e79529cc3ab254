// Training: the trainer, what it reports, and checkpoints.

export type { AccumulateOptions } from "./accumulate.ts";
export { checkpointFile, readCheckpoint, type SavedCheckpoint } from "./checkpoint.ts";
export type { CheckpointState, RunSettings } from "./checkpoint-state.ts";
export type { EvaluateOptions, Examples } from "./evaluate.ts";
export type { CheckpointOptions, FitOptions } from "./fit.ts";
export type { Averages, EarlyStopping, EpochRecord, History } from "./history.ts";
export type { LossFunction, LossName, MetricFunction, MetricName } from "./objective.ts";
export { type Callbacks, type StepReport, Trainer, type TrainerOptimizer, type TrainerOptions } from "./trainer.ts";
export { encodeWeights, saveWeights, type WeightsOptions } from "./weights-file.ts";
export { weightsHash } from "./weights-hash.ts";
