// A network of evenkeel's: its checkpoint or weights are loaded, folded, and exported.

import type { Module } from "../../nn/module.ts";
import { tensor } from "../../ops/creation.ts";
import { buildNetwork, type Preset } from "../../presets/index.ts";
import { fold, type NetworkFoldReport } from "../../surgery/index.ts";
import { scope } from "../../tensor/scope.ts";
import { sameShape } from "../../tensor/shape.ts";
import { encodeWeights } from "../../train/index.ts";
import { checkUsage } from "../errors.ts";
import { formatOf } from "../export/formats.ts";
import { withExportSource } from "../export/source.ts";
import type { NetworkFlags } from "../inspect/load-network.ts";
import { type ExampleFlags, examplesFor } from "./examples.ts";
import { comparisonOf, type Folded } from "./outcome.ts";

export interface FoldNetworkFlags extends NetworkFlags, ExampleFlags {
	keepNames?: boolean;
}

/** Folds what `name` stands for, to be written to `out`: as .onnx, which holds the network as well, or .safetensors. */
export async function foldNetwork(name: string, out: string, flags: FoldNetworkFlags): Promise<Folded> {
	const format = formatOf(out);
	return await withExportSource(name, flags, async (source) => {
		const { network } = source;
		const preset = network?.preset;
		checkUsage(preset, () => `${name}: the network is not known; name it with --preset`);
		const { net } = network;
		const examples = examplesFor([{ name: "input", shape: [null, ...preset.inputShape] }], flags);
		checkUsage(typeof examples !== "string", () => String(examples));
		const bytesBefore = encodeWeights(source.state()).length;
		const report = scope(() =>
			fold(
				net,
				[...examples.values()].map(({ values, shape }) => tensor(values, shape)),
				{ tolerance: Infinity, keepNames: flags.keepNames },
			),
		);
		const metadata = {
			"evenkeel.folded": JSON.stringify({ preset: preset.name, folded: report.folded, left: report.left }),
		};
		return {
			source: source.description,
			counted: "layers",
			count: report.layers,
			report,
			...comparisonOf(report.difference, flags),
			bytesBefore,
			async write() {
				const { bytes, hint } = await format.write(source, out, { metadata });
				return {
					bytes,
					hint:
						format.extension === ".onnx" ? hint : weightsHint(net, preset, flags.preset ?? preset.name, report, out),
				};
			},
		};
	});
}

/** How the weights are loaded: as those of the preset without norms, if that is what they are. */
function weightsHint(
	net: Module,
	preset: Preset,
	called: string,
	report: NetworkFoldReport,
	out: string,
): string | null {
	if (report.folded.length === 0) return null;
	if (isPlain(net, preset)) return `These are weights of the preset without norms: --preset ${called} --norm none`;
	const left = report.left.length > 0 ? `, ${report.left.length} of its norms left` : "";
	return `These are weights of no preset${left}: build the network, fold(net, x), then net.loadStateDict(…) of ${out}`;
}

/** Whether the preset, built without norms, has the same names and shapes. */
function isPlain(net: Module, preset: Preset): boolean {
	const shapes = (one: Module) => Object.entries(one.stateDict()).map(([name, { shape }]) => ({ name, shape }));
	return scope(() => {
		const found = shapes(net);
		try {
			const plain = shapes(buildNetwork(preset, { norm: "none" }));
			return (
				plain.length === found.length &&
				plain.every(({ name, shape }, i) => name === found[i].name && sameShape(shape, found[i].shape))
			);
		} catch {
			// A preset of the user's that takes no such choice.
			return false;
		}
	});
}
