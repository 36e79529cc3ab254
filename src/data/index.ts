// Data: reading it, and cutting it into batches.

export {
	type Batch,
	DataLoader,
	type DataLoaderOptions,
	type DataLoaderState,
	type Shard,
} from "./data-loader.ts";
export { type Dataset, ImageDataset, type ImageDatasetParts, subset, TensorDataset } from "./dataset.ts";
export type { DownloadProgress } from "./download.ts";
export { fashionMnist } from "./fashion-mnist.ts";
export { encodeIdx, type Idx, type IdxData, type IdxType, parseIdx, readIdx } from "./idx.ts";
export type { Split } from "./image-files.ts";
export { type ImageFolderOptions, imageFolder } from "./image-folder.ts";
export type { ImageSetOptions } from "./image-set.ts";
export { mnist } from "./mnist.ts";
export type { ImageTransform } from "./transform.ts";
