// `evenkeel/random`: seeded random numbers, without tensors.

export { defaultGenerator, Generator, type GeneratorState, manualSeed, type RandomBlocks } from "./generator.ts";
export { MersenneTwister } from "./mt19937.ts";
