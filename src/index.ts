// The public surface of evenkeel: everything `import … from "evenkeel"` can name, and nothing else.

import "./ops/tensor-methods.ts";

export { type BackwardOptions, backward } from "./autograd/backward.ts";
export { type GradcheckOptions, gradcheck } from "./autograd/gradcheck.ts";
export { isGradEnabled, noGrad } from "./autograd/tape.ts";
export {
	type Backend,
	type BackendName,
	currentBackend,
	isInitialized,
	type KernelBuild,
	type MemoryUse,
	withBackend,
} from "./backend/backend.ts";
export { type InitOptions, init } from "./backend/init.ts";
export type {
	Communicator,
	NewArray,
	Pending,
	ReduceOp,
	Reducible,
	Sendable,
} from "./communicator/communicator.ts";
export { singleProcess } from "./communicator/single-process.ts";
export * as data from "./data/index.ts";
export { EvenkeelError, NotFiniteError } from "./errors.ts";
export * as nn from "./nn/index.ts";
export * from "./ops/activation/op.ts";
export { conv1d, conv2d, convTranspose1d, convTranspose2d } from "./ops/conv/op.ts";
export { full, type NestedNumbers, ones, type TensorOptions, tensor, zeros } from "./ops/creation.ts";
export { dropout } from "./ops/dropout/op.ts";
export * from "./ops/elementwise/op.ts";
export { gatherImages, gatherRows } from "./ops/gather/op.ts";
export { linear } from "./ops/linear/op.ts";
export { bceWithLogits, countCorrect, crossEntropy, mseLoss, nllLoss } from "./ops/loss/op.ts";
export { matmul } from "./ops/matmul/op.ts";
export {
	type AllStages,
	type BackwardStages,
	type ExplainOptions,
	explainBatchNorm,
	type ForwardStages,
	type NestedLike,
	type SomeStages,
} from "./ops/norm/batch-norm/explain.ts";
export { type BatchNormOptions, batchNorm } from "./ops/norm/batch-norm/op.ts";
export type { AdamSettings, SgdSettings } from "./ops/optimizer-step/op.ts";
export { adaptiveAvgPool1d, adaptiveAvgPool2d, avgPool1d, avgPool2d, maxPool1d, maxPool2d } from "./ops/pool/op.ts";
export { argmax, argmin, max, mean, min, sum } from "./ops/reduce/op.ts";
export { concat, flatten, permute, reshape, slice, transpose } from "./ops/shape/op.ts";
export * as optim from "./optim/index.ts";
export { type PlotOptions, type PlotPoint, trainingPlot } from "./plot/training-plot.ts";
export { normNames, type Preset, type PresetData, presetNamed, presets, type RunLength } from "./presets/index.ts";
export { defaultGenerator, Generator, type GeneratorState, manualSeed } from "./random/generator.ts";
export * from "./surgery/index.ts";
export type { DType, FloatDType, TypedArray } from "./tensor/dtype.ts";
export { keep, scope } from "./tensor/scope.ts";
export type { Shape } from "./tensor/shape.ts";
export { leakReport, liveTensors, Tensor, trackTensors } from "./tensor/tensor.ts";
export { chromeTrace, type Span, startTrace, stopTrace } from "./trace.ts";
export * from "./train/index.ts";
