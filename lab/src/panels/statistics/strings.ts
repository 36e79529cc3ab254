import { defineStrings } from "../../i18n/i18n.ts";

export const strings = defineStrings({
	title: { en: "Running against batch statistics", zh: "滑动统计量与批次统计量" },
	lead: {
		en: "In training, batch norm uses the batch's own mean and deviation (solid); in evaluation the running averages (dashed). Where the two lie apart, so do the two modes.",
		zh: "训练时，批量归一化用批次自身的均值与标准差（实线）；评估时用滑动平均（虚线）。两者相距多远，两种模式就相差多少。",
	},
	channel: { en: "Channel", zh: "通道" },
	loss: { en: "Loss of the same batch: train mode and eval mode", zh: "同一批次的损失：训练模式与评估模式" },
	mean: { en: "Mean of the channel", zh: "该通道的均值" },
	std: { en: "Standard deviation of the channel", zh: "该通道的标准差" },
	gap: {
		en: "Distance of the means, in deviations of the batch (root mean square over all channels)",
		zh: "两种均值之差，以批次标准差为单位（对所有通道取均方根）",
	},
	train: { en: "train mode", zh: "训练模式" },
	eval: { en: "eval mode", zh: "评估模式" },
	batch: { en: "batch", zh: "批次" },
	running: { en: "running", zh: "滑动平均" },
	distance: { en: "distance", zh: "距离" },
	picture: (what: string, twin: string) => ({
		en: `${what}: ${twin} over the steps`,
		zh: `${what}：${twin}，随步数的变化`,
	}),
	absent: { en: "This layer keeps no running statistics here.", zh: "这里的该层没有滑动统计量。" },
});
