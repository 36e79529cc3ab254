import { defineStrings } from "../../i18n/i18n.ts";

export const strings = defineStrings({
	title: { en: "Loss and accuracy", zh: "损失与准确率" },
	lead: {
		en: "Both networks start from the same weights and see the same batches. The dashed line is what guessing would score.",
		zh: "两个网络从相同的权重出发，看到相同的批次。虚线是随机猜测的成绩。",
	},
	loss: { en: "Training loss", zh: "训练损失" },
	accuracy: { en: "Accuracy", zh: "准确率" },
	step: { en: "step", zh: "步" },
});
