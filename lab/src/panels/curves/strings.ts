// The texts of the curves.

import { defineStrings } from "../../i18n/i18n.ts";

export const strings = defineStrings({
	title: { en: "Loss and accuracy", zh: "损失与准确率" },
	lead: {
		en: "Lines are moving averages over the batches; behind them, pale, the single batches. Dots are accuracy on examples that neither network has seen, in evaluation mode.",
		zh: "曲线是各批次的移动平均，背后的浅色是单个批次。圆点是评估模式下的准确率，所用样本两个网络都没见过。",
	},
	loss: { en: "Training loss", zh: "训练损失" },
	accuracy: { en: "Accuracy", zh: "准确率" },
	trainAccuracy: { en: "Training accuracy", zh: "训练准确率" },
	testAccuracy: { en: "Test accuracy", zh: "测试准确率" },
	network: { en: "Network", zh: "网络" },
	speed: { en: "Examples/s", zh: "样本/秒" },
	guessing: { en: "guessing", zh: "随机猜测" },
	step: (step: string) => ({ en: `step ${step}`, zh: `第 ${step} 步` }),
	scores: { en: "Both networks now, over the last 20 steps", zh: "两个网络当前的成绩（最近 20 步）" },
	twin: (name: string) => ({ en: `Twin ${name}`, zh: `网络 ${name}` }),
	describeLoss: (step: string, values: string) => ({
		en: `Training loss up to step ${step}: ${values}`,
		zh: `截至第 ${step} 步的训练损失：${values}`,
	}),
	describeAccuracy: (step: string, values: string) => ({
		en: `Accuracy up to step ${step}: ${values}`,
		zh: `截至第 ${step} 步的准确率：${values}`,
	}),
});
