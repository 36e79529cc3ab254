// "Is batch norm right here?", as a function. Each reason comes with its source.

import { check } from "../errors.ts";
import { SMALL_BATCH } from "./placement-rules.ts";

const tasks = ["classification", "dense", "style-transfer", "sequence", "transfer", "online"] as const;
const layers = ["convolution", "linear", "recurrent", "attention"] as const;

export interface AdviceQuestion {
	/** Examples a training step, over all replicas. */
	batchSize: number;
	/** Among how many replicas a batch is split. Default 1. */
	replicas?: number;
	/**
	 * `"classification"` (default), `"dense"` (detection, segmentation), `"style-transfer"` (and image
	 * generation), `"sequence"` (text, audio, padded lengths), `"transfer"` (fine-tuning a network that has
	 * batch norm), `"online"` (examples come one by one, or their distribution drifts).
	 */
	task?: (typeof tasks)[number];
	/** What it normalizes the output of: `"convolution"` (default), `"linear"`, `"recurrent"`, `"attention"`. */
	layer?: (typeof layers)[number];
	/** Channels or features, if known: group norm's groups are chosen to divide them. */
	channels?: number;
	/** Whether dropout runs before the norm. Default false. */
	dropout?: boolean;
}

export interface Advice {
	/** The norm to use: a name that `--norm` knows, `"frozen"` for batch norm with `freeze()`. */
	readonly norm: "batch" | "group" | "layer" | "instance" | "frozen";
	/** Whether plain batch norm is right here. */
	readonly batchNormFits: boolean;
	/** The layer as code. */
	readonly code: string;
	/** Why, each with its source. */
	readonly reasons: readonly { readonly claim: string; readonly source: string }[];
	/** What to mind even so. */
	readonly cautions: readonly { readonly claim: string; readonly source: string }[];
}

const sources = {
	batchNorm: "Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167",
	layerNorm: "Ba, Kiros and Hinton 2016, https://arxiv.org/abs/1607.06450",
	attention: "Vaswani et al. 2017, https://arxiv.org/abs/1706.03762",
	groupNorm: "Wu and He 2018, https://arxiv.org/abs/1803.08494",
	instanceNorm: "Ulyanov et al. 2016, https://arxiv.org/abs/1607.08022",
	renorm: "Ioffe 2017, https://arxiv.org/abs/1702.03275",
	dropout: "Li et al. 2018, https://arxiv.org/abs/1801.05134",
	rethinking: "Wu and Johnson 2021, https://arxiv.org/abs/2105.07576",
} as const;

/**
 * Which norm to use, whether that is batch norm, and why.
 *
 * @throws EvenkeelError for a task or layer that is not known, or sizes that are no whole numbers of at least 1
 */
export function adviseNorm(question: AdviceQuestion): Advice {
	const { batchSize, replicas = 1, task = "classification", layer = "convolution", channels, dropout } = question;
	for (const [name, value] of Object.entries({ batchSize, replicas, channels: channels ?? 1 })) {
		check(
			Number.isInteger(value) && value >= 1,
			() => `adviseNorm: ${name} must be a whole number of at least 1, got ${value}`,
		);
	}
	check(tasks.includes(task), () => `adviseNorm: unknown task "${task}"; there are ${tasks.join(", ")}`);
	check(layers.includes(layer), () => `adviseNorm: unknown layer "${layer}"; there are ${layers.join(", ")}`);
	const size = Math.floor(batchSize / replicas);
	const [norm, claim, source] = choose(task, layer, size);
	const cautions = norm === "batch" ? cautionsFor(size, replicas, dropout === true) : [];
	return {
		norm,
		batchNormFits: norm === "batch",
		code: codeFor(norm, layer, channels),
		reasons: [{ claim, source }],
		cautions,
	};
}

type Choice = readonly [norm: Advice["norm"], claim: string, source: string];

function choose(task: AdviceQuestion["task"], layer: AdviceQuestion["layer"], size: number): Choice {
	if (layer === "recurrent") {
		const claim = "each time step would need statistics of its own; layer norm has one rule for all of them";
		return ["layer", claim, sources.layerNorm];
	}
	if (layer === "attention" || task === "sequence") {
		const claim =
			"lengths differ and padding would count in a batch's statistics; layer norm looks at one position alone";
		return ["layer", claim, layer === "attention" ? sources.attention : sources.layerNorm];
	}
	if (task === "style-transfer" && layer === "convolution") {
		const claim =
			"the contrast of one image should not depend on the others; instance norm takes it out image by image";
		return ["instance", claim, sources.instanceNorm];
	}
	if (task === "transfer" && size < SMALL_BATCH) {
		const claim = `${size} examples are too few to learn statistics from, and the network has some: keep them, frozen`;
		return ["frozen", claim, sources.rethinking];
	}
	const alone = layer === "convolution" ? "group" : "layer";
	if (task === "online") {
		const claim =
			"running statistics lag behind data that drift, and single examples have none; use one that needs no batch";
		return [alone, claim, sources.renorm];
	}
	if (size < SMALL_BATCH) {
		const claim = `${size} examples a replica: below ${SMALL_BATCH} the error of batch norm rises, that of group norm does not`;
		return [alone, claim, sources.groupNorm];
	}
	const claim = `${size} examples a replica are enough for their statistics, and at evaluation it folds away to nothing`;
	return ["batch", claim, sources.batchNorm];
}

function cautionsFor(size: number, replicas: number, dropout: boolean): Advice["cautions"] {
	return [
		...(dropout
			? [{ claim: "dropout before it shifts the variance between training and evaluation", source: sources.dropout }]
			: []),
		...(replicas > 1
			? [{ claim: `each replica normalizes its own ${size} examples`, source: sources.rethinking }]
			: []),
	];
}

function codeFor(norm: Advice["norm"], layer: AdviceQuestion["layer"], channels: number | undefined): string {
	const count = channels ?? "channels";
	const dimensions = layer === "convolution" ? "2d" : "1d";
	if (norm === "batch") return `new nn.BatchNorm${dimensions}(${count})`;
	if (norm === "frozen") return `new nn.BatchNorm${dimensions}(${count}).freeze()`;
	if (norm === "instance") return `new nn.InstanceNorm2d(${count}, { affine: true })`;
	if (norm === "layer") return `new nn.LayerNorm(${channels ?? "features"})`;
	return `new nn.GroupNorm(${groupsFor(channels)}, ${count})`;
}

/** The paper's 32 groups, or the largest number below that divides the channels and leaves at least two in a group. */
function groupsFor(channels: number | undefined): number {
	if (channels === undefined) return 32;
	for (let groups = Math.min(32, channels >> 1); groups > 1; groups--) if (channels % groups === 0) return groups;
	return 1;
}
