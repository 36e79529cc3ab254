// An ONNX model to inspect, by its path.

import { existsSync } from "node:fs";
import { checkUsage } from "../errors.ts";
import type { LoadedNetwork, NetworkFlags } from "./load-network.ts";

/** Reads the model in `file`. */
export async function fromOnnx(file: string, flags: NetworkFlags): Promise<LoadedNetwork> {
	checkUsage(existsSync(file), () => `${file}: there is no such file; check the path`);
	checkUsage(flags.preset === undefined, () => `--preset: ${file} holds its network itself; leave it out`);
	// Loaded only now: other files need no protobuf.
	const { readOnnx } = await import("../../onnx/index.ts");
	const { networkOfModel } = await import("./onnx-network.ts");
	return networkOfModel(await readOnnx(file), flags.inputShape);
}
