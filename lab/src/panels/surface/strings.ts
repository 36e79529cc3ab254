import { defineStrings } from "../../i18n/i18n.ts";

export const strings = defineStrings({
	title: { en: "Decision surface", zh: "决策面" },
	lead: {
		en: "Each network's most likely class at every point of the plane, stronger where it is sure.",
		zh: "每个网络在平面各点上认为最可能的类别；颜色越浓，把握越大。",
	},
	twin: (name: string) => ({ en: `Twin ${name}`, zh: `网络 ${name}` }),
	picture: (name: string) => ({
		en: `Decision surface of twin ${name}, with the training examples`,
		zh: `网络 ${name} 的决策面与训练样本`,
	}),
});
