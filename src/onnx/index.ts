// The entry `evenkeel/onnx`: ONNX files, apart from the main entry so that who does not use them does not load
// protobuf.

export * from "../model-files/onnx/index.ts";
