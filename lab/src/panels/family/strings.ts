import { defineStrings } from "../../i18n/i18n.ts";

export const strings = defineStrings({
	title: { en: "The family, as a picture", zh: "归一化家族图" },
	lead: {
		en: "Activations are a block: examples N, channels C, positions H, W. Each norm gives the outlined value the mean and variance of the colored cells. Drag a block to turn all of them.",
		zh: "激活值是一个方块：样本 N、通道 C、位置 H、W。每种归一化都用有颜色的格子的均值和方差来处理描边的那个值。拖动任一方块，所有方块一起转。",
	},
	layer: { en: "Layer", zh: "层" },
	option: (twin: string, layer: string, shape: string) => ({
		en: `twin ${twin}, ${layer} [${shape}]`,
		zh: `网络 ${twin}，${layer} [${shape}]`,
	}),
	example: { en: "an example [32, 16, 8, 8]", zh: "示例 [32, 16, 8, 8]" },
	turn: { en: "Turn", zh: "旋转" },
	tilt: { en: "Tilt", zh: "俯仰" },
	spin: { en: "Keep turning", zh: "自动旋转" },
	scaled: {
		en: "Drawn with fewer cells where there are many; the numbers are the layer's.",
		zh: "格子太多时只画一部分；数字是该层的真实值。",
	},
	positions: (h: string, w: string) => ({ en: `H, W = ${h} × ${w}`, zh: `H, W = ${h} × ${w}` }),
	onePosition: { en: "1 position", zh: "1 个位置" },
	picture: (name: string, sentence: string) => ({ en: `${name}: ${sentence}`, zh: `${name}：${sentence}` }),
	shares: { en: "Switchable's shares as they learn", zh: "可切换归一化学到的权重" },
	sharesOf: (twin: string, layer: string, what: string) => ({
		en: `Twin ${twin}, ${layer}, ${what}`,
		zh: `网络 ${twin}，${layer}，${what}`,
	}),
	mean: { en: "mean", zh: "均值" },
	variance: { en: "variance", zh: "方差" },
	share: (source: string, percent: string) => ({ en: `${source} ${percent}`, zh: `${source} ${percent}` }),
	noShares: {
		en: "Give a twin the switchable norm, and its shares of instance, layer and batch statistics appear here.",
		zh: "给某个网络选用可切换归一化，这里就显示它对实例、层、批三种统计量的权重。",
	},
});

/** What each norm is called. */
export const names = defineStrings({
	batch: { en: "Batch", zh: "批归一化" },
	layer: { en: "Layer", zh: "层归一化" },
	instance: { en: "Instance", zh: "实例归一化" },
	group: { en: "Group", zh: "组归一化" },
	switchable: { en: "Switchable", zh: "可切换归一化" },
});

/** What each averages over: `values` values for each of `means` means. */
export const sentences = defineStrings({
	batch: (values: string, means: string) => ({
		en: `One channel over all examples and positions: ${values} values for each of ${means} means.`,
		zh: `一个通道，跨所有样本和位置：${means} 个均值，每个对 ${values} 个值。`,
	}),
	layer: (values: string, means: string) => ({
		en: `One example over all channels and positions: ${values} values for each of ${means} means.`,
		zh: `一个样本，跨所有通道和位置：${means} 个均值，每个对 ${values} 个值。`,
	}),
	instance: (values: string, means: string) => ({
		en: `One channel of one example over its positions: ${values} values for each of ${means} means.`,
		zh: `一个样本的一个通道，只跨位置：${means} 个均值，每个对 ${values} 个值。`,
	}),
	group: (values: string, means: string) => ({
		en: `A group of channels of one example: ${values} values for each of ${means} means.`,
		zh: `一个样本的一组通道：${means} 个均值，每个对 ${values} 个值。`,
	}),
	switchable: (values: string, means: string) => ({
		en: `A learned mix of instance, layer and batch statistics: ${values} values have a part in each of ${means} mixed means.`,
		zh: `实例、层、批统计量按学到的权重混合：${means} 个混合均值，每个涉及 ${values} 个值。`,
	}),
});
