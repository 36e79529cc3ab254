import { defineStrings } from "../../i18n/i18n.ts";

export const strings = defineStrings({
	title: { en: "A layer's activations over time", zh: "某一层激活的分布随时间变化" },
	lead: {
		en: "The layer's outputs on each batch as nine quantiles: the line is the median, each band out from it holds what a normal distribution has within half, one and one and a half standard deviations; the palest reach to the least and the greatest.",
		zh: "每个批次上该层输出的九个分位数：中线是中位数，向外各带依次对应正态分布的半个、一个和一个半标准差；最浅的带延伸到最小值和最大值。",
	},
	picture: (layer: string, twin: string) => ({
		en: `Quantiles of ${layer} of ${twin} over the steps`,
		zh: `${twin} 的 ${layer} 的分位数随步数的变化`,
	}),
	read: (median: string, low: string, high: string, least: string, most: string) => ({
		en: `median ${median}, middle 68% ${low} to ${high}, all ${least} to ${most}`,
		zh: `中位数 ${median}，中间 68% 为 ${low} 至 ${high}，全部 ${least} 至 ${most}`,
	}),
	absent: { en: "This network has no such layer.", zh: "这个网络没有这一层。" },
});
