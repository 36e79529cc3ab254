// The entry `evenkeel/onnx`: ONNX files, and networks made of them. Apart from the main entry, so that who does not use
// them does not load protobuf.

export * from "../model-files/onnx/index.ts";
export { type ExportOnnxOptions, exportOnnx } from "./export/export-onnx.ts";
export { type FoldOnnxOptions, foldOnnx, type OnnxFoldReport } from "./fold/fold-onnx.ts";
export { GraphModule, type Origin } from "./graph-module.ts";
export { importOnnx } from "./import-onnx.ts";
export { unshareStatistics } from "./unshare-statistics.ts";
export { updateOnnx } from "./update-onnx.ts";
