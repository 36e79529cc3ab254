// Makes src/model-files/onnx/generated/onnx-ml_pb.ts from src/model-files/onnx/onnx-ml.proto, which is the ONNX
// project's own (onnx 1.23.1, onnx/onnx-ml.proto, Apache-2.0), unchanged. Needed only when that file is replaced by a
// newer one. protoc is taken from PATH or $PROTOC; the plugin is installed into a temporary folder.
//
// One thing is changed on the way: packed lists of numbers in TensorProto become lists of bytes, which look the same in
// a file. So a tensor's numbers are views of the file's bytes, as raw data are, and not objects many times their size.

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const folder = join(root, "src/model-files/onnx");
const { version } = JSON.parse(readFileSync(join(root, "node_modules/@bufbuild/protobuf/package.json"), "utf8"));

const temporary = mkdtempSync(join(tmpdir(), "evenkeel-proto-"));
try {
	const shell = process.platform === "win32";
	execFileSync(
		"npm",
		["install", "--prefix", temporary, "--no-audit", "--no-fund", `@bufbuild/protoc-gen-es@${version}`],
		{
			stdio: "inherit",
			shell,
		},
	);
	const proto = readFileSync(join(folder, "onnx-ml.proto"), "utf8");
	const packed = /repeated \w+ (float_data|int32_data|int64_data|double_data|uint64_data) = (\d+) \[packed = true\];/g;
	writeFileSync(join(temporary, "onnx-ml.proto"), proto.replace(packed, "repeated bytes $1 = $2;"));
	const plugin = join(temporary, "node_modules/.bin", shell ? "protoc-gen-es.cmd" : "protoc-gen-es");
	execFileSync(
		process.env.PROTOC ?? "protoc",
		[
			`--plugin=protoc-gen-es=${plugin}`,
			`--es_out=${temporary}`,
			"--es_opt=target=ts,erasable_syntax=true",
			`--proto_path=${temporary}`,
			join(temporary, "onnx-ml.proto"),
		],
		{ stdio: "inherit" },
	);
	copyFileSync(join(temporary, "onnx-ml_pb.ts"), join(folder, "generated/onnx-ml_pb.ts"));
} finally {
	rmSync(temporary, { recursive: true, force: true });
}
