import { defineStrings } from "../../i18n/i18n.ts";

export const strings = defineStrings({
	title: { en: "Scale and shift as they learn", zh: "缩放与平移的学习过程" },
	lead: {
		en: "A norm takes each channel's scale and mean away, and learns them anew: γ begins at 1, β at 0. One line a channel, 32 channels at most.",
		zh: "归一化抹去每个通道的尺度与均值，再重新学习：γ 从 1 开始，β 从 0 开始。每个通道一条线，最多 32 条。",
	},
	weight: { en: "Scale γ", zh: "缩放 γ" },
	bias: { en: "Shift β", zh: "平移 β" },
	picture: (what: string, layer: string, twin: string) => ({
		en: `${what} of each channel of ${layer} of ${twin} over the steps`,
		zh: `${twin} 的 ${layer} 各通道的${what}随步数的变化`,
	}),
	channel: (channel: string) => ({ en: `channel ${channel}`, zh: `通道 ${channel}` }),
	absent: { en: "Nothing of the kind in this network.", zh: "这个网络没有这项参数。" },
});
