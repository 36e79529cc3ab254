// The texts of the curves.

import { defineStrings } from "../../i18n/i18n.ts";

export const strings = defineStrings({
	title: { en: "Loss and accuracy", zh: "损失与准确率" },
	lead: {
		en: "Thin lines are single batches, thick ones their moving average. Dots are accuracy on examples that neither network has seen, in evaluation mode.",
		zh: "细线是单个批次，粗线是它们的移动平均。圆点是在评估模式下对两个网络都没见过的样本的准确率。",
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
