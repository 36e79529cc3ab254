// File formats, as pure functions of bytes and text, and writing files all or nothing.

export { writeFileAtomic, writeFileAtomicSync } from "./atomic-write.ts";
export { type CsvOptions, type CsvTable, parseCsv } from "./csv.ts";
export { type KerasLayer, type KerasVariable, type KerasWeights, readKerasWeights } from "./keras/weights.ts";
export { decodeNpy, encodeNpy, type NpyArray, type NpyData } from "./npy.ts";
export {
	decodeSafetensors,
	encodeSafetensors,
	type SafetensorsData,
	type SafetensorsDType,
	type SafetensorsEntry,
	SafetensorsFile,
	type SafetensorsTensor,
	type StoredTensor,
	type TensorOnDisk,
} from "./safetensors.ts";
