// The presets' titles, and what to watch in each.

import type { Text } from "../i18n/i18n.ts";

interface PresetTexts {
	readonly title: Text;
	readonly watch: Text;
}

function texts<const T extends Readonly<Record<string, PresetTexts>>>(all: T): T {
	return all;
}

export const strings = texts({
	rate: {
		title: { en: "Learning rate 1.0", zh: "学习率 1.0" },
		watch: {
			en: "At learning rate 1.0 LeNet without batch normalization is stuck at a loss of 2.30, which is guessing; with it, the same weights and batches lead to 80% within a minute.",
			zh: "学习率为 1.0 时，没有批量归一化的 LeNet 损失停在 2.30，等于随机猜测；加上它，同样的权重、同样的批次，一分钟内就能达到 80%。",
		},
	},
	deep: {
		title: { en: "Sixteen layers", zh: "十六层" },
		watch: {
			en: "Through sixteen ReLU layers the signal fades to nothing, and so does its gradient: B never starts. Normalized layer by layer, A learns as if it were shallow.",
			zh: "信号穿过十六个 ReLU 层后几乎消失，梯度也一样：B 始终无法起步。逐层归一化之后，A 学起来就像一个浅层网络。",
		},
	},
	large: {
		title: { en: "Weights six times too large", zh: "权重放大六倍" },
		watch: {
			en: "Every initial weight is multiplied by six. Without normalization the loss overflows within five steps; a norm divides the factor out again, and A does not notice.",
			zh: "所有初始权重乘以 6。没有归一化时，损失在五步之内溢出；归一化又把这个倍数除掉了，A 毫无察觉。",
		},
	},
	small: {
		title: { en: "Weights five times too small", zh: "权重缩小五倍" },
		watch: {
			en: "Every initial weight is divided by five. B's layers pass on almost nothing, so it stays at guessing; A normalizes what little arrives back to unit variance.",
			zh: "所有初始权重除以 5。B 的各层几乎传不出任何信号，只能停在随机猜测；A 把到达的微弱信号重新归一化为单位方差。",
		},
	},
	fair: {
		title: { en: "A rate both can bear", zh: "双方都能承受的学习率" },
		watch: {
			en: "ReLU and a learning rate of 0.1: now B learns as well. It stays behind all the same: normalization makes training faster, not only possible.",
			zh: "改用 ReLU 和 0.1 的学习率，B 也能学习了，但仍然落后：归一化不只让训练成为可能，也让训练更快。",
		},
	},
	spirals: {
		title: { en: "Three spirals", zh: "三条螺旋" },
		watch: {
			en: "Points in the plane, so that you can see what each network believes everywhere: A's surface follows the arms within 200 steps, B's is still a few straight cuts.",
			zh: "数据是平面上的点，因此可以看到每个网络在各处的判断：A 的决策面在 200 步内就沿着旋臂展开，而 B 仍只是几刀直线切割。",
		},
	},
	two: {
		title: { en: "Batches of two", zh: "每批两个样本" },
		watch: {
			en: "The mean of two examples is mostly noise, so batch normalization (A) hardly learns. Group normalization (B) looks at each example alone and does not mind.",
			zh: "两个样本的均值几乎全是噪声，批量归一化（A）很难学到东西。组归一化（B）只看单个样本，不受影响。",
		},
	},
	layer: {
		title: { en: "Batch or layer", zh: "批还是层" },
		watch: {
			en: "Layer normalization averages over the channels of one example instead of over the batch. In this small convolutional network it starts late and learns more slowly.",
			zh: "层归一化在单个样本的各通道上求平均，而不是在批次上。在这个小卷积网络里，它起步较晚，学得更慢。",
		},
	},
	place: {
		title: { en: "Before or after", zh: "放前还是放后" },
		watch: {
			en: "The paper puts the norm before the activation (A). After the ReLU (B) it does as well here, or a little better: the order matters less than having it.",
			zh: "原论文把归一化放在激活之前（A）。在这里，放在 ReLU 之后（B）效果相当，甚至略好：次序不如有没有它重要。",
		},
	},
	dropout: {
		title: { en: "With dropout", zh: "加上 Dropout" },
		watch: {
			en: "Dropout on top of batch normalization: B's training accuracy falls well behind A's, while the dots, accuracy on unseen images, stay level and jump about less.",
			zh: "在批量归一化之上再加 Dropout：B 的训练准确率明显低于 A，而圆点（未见过图像上的准确率）与 A 持平，波动也更小。",
		},
	},
});
