// Every kernel of the WebAssembly build.

export * from "./elementwise/kernel.as";
export * from "./norm/batch-norm/kernel.as";
export * from "./norm/batch-norm/rows.as";
export * from "./norm/batch-norm/apart.as";
export * from "./norm/batch-norm/activated.as";
export * from "./norm/batch-norm/pieces.as";
export * from "./gather/kernel.as";
export * from "./loss/kernel.as";
export * from "./pool/kernel.as";
export * from "./matmul/kernel.as";
export * from "./linear/kernel.as";
export * from "./conv/kernel.as";
export * from "./conv/phases.as";
export * from "./conv/scatter5.as";
export * from "./conv/outer.as";
export * from "./reduce/kernel.as";
export * from "./norm/shared/grouped.as";
export * from "./shape/kernel.as";
export * from "./optimizer-step/kernel.as";
export * from "./activation/kernel.as";
export * from "./dropout/kernel.as";
