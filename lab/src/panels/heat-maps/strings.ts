import { defineStrings } from "../../i18n/i18n.ts";

export const strings = defineStrings({
	title: { en: "Layer by layer, over time", zh: "逐层随时间变化" },
	lead: {
		en: "Each row is a layer, the first on top; each column is a step. Both networks share one color scale, so equal colors are equal numbers.",
		zh: "每行是一层，第一层在最上方；每列是一步。两个网络共用一个色标，颜色相同即数值相同。",
	},
	mean: { en: "Activation mean", zh: "激活均值" },
	meanNote: {
		en: "Of all outputs of the layer on the batch. Far from zero, it pushes the next layer to one side.",
		zh: "该层在这一批次上全部输出的均值。偏离零越远，越把下一层推向一侧。",
	},
	std: { en: "Activation standard deviation", zh: "激活标准差" },
	stdNote: {
		en: "Of all outputs of the layer on the batch. Shrinking from row to row, the signal dies out; growing, it explodes.",
		zh: "该层在这一批次上全部输出的标准差。逐行变小意味着信号消失，逐行变大意味着信号爆炸。",
	},
	flat: { en: "Dead or saturated", zh: "失活或饱和" },
	flatNote: {
		en: "Where an activation's slope is under a twentieth of its steepest, it hardly learns. Sigmoid and tanh: the share of outputs that are there. ReLU and its kin: the share of units that are there for every example of the batch.",
		zh: "激活函数斜率不足其最大值二十分之一之处几乎学不动。Sigmoid 与 tanh：处于该处的输出所占比例；ReLU 一类：对批次中每个样本都处于该处的单元所占比例。",
	},
	gradient: { en: "Gradient norm", zh: "梯度范数" },
	gradientNote: {
		en: "The length of the loss's gradient by the layer's output. Fading towards the top, early layers learn little.",
		zh: "损失对该层输出的梯度的长度。越往上越小，说明靠前的层学得很少。",
	},
	picture: (what: string, twin: string) => ({
		en: `Heat map: ${what} of each layer of ${twin} over the steps`,
		zh: `热力图：${twin} 各层的${what}随步数的变化`,
	}),
	absent: { en: "no such layer", zh: "没有这一层" },
	legend: (what: string) => ({ en: `Color scale: ${what}`, zh: `色标：${what}` }),
});
