import { defineStrings, type Text } from "../../i18n/i18n.ts";

export const strings = defineStrings({
	title: { en: "Batch norm, step by step", zh: "逐步看批归一化" },
	lead: {
		en: "The algorithm on numbers from the batch in training, forward and backward. Point at a number to see where it came from; change one and see what follows.",
		zh: "用训练中这一批的真实数字走一遍算法：先前向，再反向。指向一个数，看它从何而来；改动一个数，看后面哪些随之改变。",
	},
	source: { en: "Numbers from", zh: "数字来自" },
	table: { en: "a small table", zh: "一张小表格" },
	layer: (twin: string, layer: string) => ({ en: `twin ${twin}, ${layer}`, zh: `网络 ${twin}，${layer}` }),
	examples: { en: "Examples", zh: "样本数" },
	channels: { en: "Channels", zh: "通道数" },
	first: { en: "First channel", zh: "起始通道" },
	train: { en: "Train one step", zh: "训练一步" },
	hold: { en: "Hold these numbers", zh: "保留这些数字" },
	release: { en: "Back to the batch in training", zh: "回到训练中的批" },
	undo: { en: "Undo all edits", zh: "撤销所有改动" },
	waiting: {
		en: "Start training, or take a step, and the numbers of its batch norms can be chosen here. Until then: a small table.",
		zh: "开始训练或走一步之后，这里可以选择其中批归一化层的数字。在此之前是一张小表格。",
	},
	oneMore: (twin: string, layer: string) => ({
		en: `Take one more step to see the numbers of twin ${twin}, ${layer}. Until then: a small table.`,
		zh: `再走一步，就能看到网络 ${twin}，${layer} 的数字。在此之前是一张小表格。`,
	}),
	noNorm: {
		en: "Neither twin has a batch norm; choose one above to see its numbers here. Until then: a small table.",
		zh: "两个网络都没有批归一化层；在上方选用它，这里就能看到它的数字。在此之前是一张小表格。",
	},
	tableNote: {
		en: "Numbers that are easy to follow by hand. Each row is an example, each column a channel. Change any of them.",
		zh: "便于手算的数字。每行一个样本，每列一个通道，都可以改。",
	},
	slice: (layer: string, step: string, examples: string, shape: string, position: string) => ({
		en: `${layer} at training step ${step}: the first ${examples} examples of its input [${shape}]${position && `, at row and column ${position}`}, normalized here as a batch of their own.`,
		zh: `${layer} 在训练第 ${step} 步：其输入 [${shape}] 的前 ${examples} 个样本${position && `，取第 ${position} 行、列处的值`}，在这里单独作为一批来归一化。`,
	}),
	whole: (count: string, numbers: string) => ({
		en: `The layer itself averages ${count} values a channel: ${numbers}.`,
		zh: `该层自己每个通道对 ${count} 个值求平均：${numbers}。`,
	}),
	held: { en: "Held: training goes on without these numbers.", zh: "已保留：训练继续，这些数字不再更新。" },
	given: { en: "Given", zh: "给定的数" },
	steps: { en: "Steps", zh: "步骤" },
	forward: { en: "Forward", zh: "前向" },
	backward: { en: "Backward", zh: "反向" },
	previous: { en: "Previous step", zh: "上一步" },
	next: { en: "Next step", zh: "下一步" },
	keys: { en: "← and → walk the steps", zh: "用 ← 和 → 逐步走" },
	count: (now: string, all: string) => ({ en: `${now} / ${all}`, zh: `${now} / ${all}` }),
	walked: (now: string, all: string, title: string) => ({
		en: `Step ${now} of ${all}: ${title}`,
		zh: `第 ${now} 步，共 ${all} 步：${title}`,
	}),
	reads: { en: "Reads", zh: "用到" },
	gives: { en: "Gives", zh: "得到" },
	origin: { en: "Where a number comes from", zh: "数字的来历" },
	originHint: {
		en: "Point at a number, or move the focus to it: what it was made of lights up, and the arithmetic stands here. Press it to go to its step.",
		zh: "指向一个数或把焦点移到它上面：它由哪些数算出会亮起，算式写在这里。按下可跳到算出它的那一步。",
	},
	isGiven: (cell: string, value: string) => ({
		en: `${cell} = ${value} is given. Type another number, or press ↑ and ↓.`,
		zh: `${cell} = ${value} 是给定的。可输入别的数，或按 ↑、↓。`,
	}),
	cellElement: (letter: string, example: string, channel: string) => ({
		en: `${letter}, example ${example}, channel ${channel}`,
		zh: `${letter}，样本 ${example}，通道 ${channel}`,
	}),
	cellChannel: (letter: string, channel: string) => ({
		en: `${letter}, channel ${channel}`,
		zh: `${letter}，通道 ${channel}`,
	}),
	cellValue: (cell: string, value: string) => ({ en: `${cell}: ${value}`, zh: `${cell}：${value}` }),
	edited: (cell: string, value: string, numbers: string, steps: string) => ({
		en: `${cell} is now ${value}; ${numbers} numbers in ${steps} steps changed.`,
		zh: `${cell} 改为 ${value}；${steps} 个步骤中的 ${numbers} 个数随之改变。`,
	}),
	notNumber: (text: string) => ({ en: `“${text}” is not a number.`, zh: `“${text}”不是数字。` }),
	impossible: (message: string) => ({
		en: `These numbers cannot be normalized: ${message}`,
		zh: `这些数无法归一化：${message}`,
	}),
	badEps: { en: "ε must be at least 0.", zh: "ε 不能小于 0。" },
	constant: (channel: string) => ({
		en: `channel ${channel} is constant and ε is 0, so 1/s is infinite. Raise ε, or change a number of the channel.`,
		zh: `通道 ${channel} 为常数且 ε 为 0，1/s 为无穷大。请增大 ε，或改动该通道中的一个数。`,
	}),
	overflow: (channel: string) => ({
		en: `the squares in channel ${channel} overflow. Take smaller numbers.`,
		zh: `通道 ${channel} 的平方溢出。请用小一些的数。`,
	}),
	notFinite: { en: "one of them is not finite.", zh: "其中有的数不是有限值。" },
	inEnglish: { en: "", zh: "（英文原文）" },
	rows: { en: "Example", zh: "样本" },
	channel: { en: "Channel", zh: "通道" },
});

/** Names of what is given. */
export const nameStrings = defineStrings({
	x: { en: "input", zh: "输入" },
	dy: { en: "gradient of the loss by y", zh: "损失对 y 的梯度" },
	gamma: { en: "scale", zh: "缩放" },
	beta: { en: "shift", zh: "平移" },
	eps: { en: "keeps the root from 0", zh: "防止除以 0" },
	momentum: { en: "weight of the new batch", zh: "新批的权重" },
	runningMean: { en: "running mean", zh: "滑动均值" },
	runningVar: { en: "running variance", zh: "滑动方差" },
	newRunningMean: { en: "next running mean", zh: "更新后的滑动均值" },
	newRunningVar: { en: "next running variance", zh: "更新后的滑动方差" },
});

/** Each step: what it is called, and why it is there. */
export const stageStrings: Readonly<Record<string, { readonly title: Text; readonly why: Text }>> = {
	given: {
		title: { en: "What is given", zh: "给定的数" },
		why: {
			en: "A batch x: one row an example, one column a channel. γ and β are learned, ε is fixed, and ∂y, the gradient that comes back from the loss, is used on the way back. Change any of them.",
			zh: "一批输入 x：每行一个样本，每列一个通道。γ 和 β 是学出来的，ε 是固定的；∂y 是损失传回的梯度，反向时才用到。都可以改。",
		},
	},
	mu: {
		title: { en: "Mean of each channel", zh: "每个通道的均值" },
		why: {
			en: "The sum of a column over its m values. Here examples meet: from now on, each result depends on the whole batch.",
			zh: "一列的和除以它的 m 个值。样本在这里相遇：从此每个结果都依赖于整批。",
		},
	},
	xmu: {
		title: { en: "Deviation from the mean", zh: "与均值之差" },
		why: { en: "Each channel is now centered on 0.", zh: "每个通道从此以 0 为中心。" },
	},
	sq: {
		title: { en: "Squared deviation", zh: "差的平方" },
		why: { en: "On the way to the variance: far values count most.", zh: "为求方差：离得远的值分量最重。" },
	},
	var: {
		title: { en: "Variance of each channel", zh: "每个通道的方差" },
		why: { en: "The mean square, divided by m, not m − 1.", zh: "平方的均值，除以 m 而不是 m − 1。" },
	},
	sqrtvar: {
		title: { en: "Standard deviation", zh: "标准差" },
		why: {
			en: "ε keeps it above 0 where a channel is constant.",
			zh: "通道为常数时，ε 使它大于 0。",
		},
	},
	ivar: {
		title: { en: "Its inverse", zh: "标准差的倒数" },
		why: { en: "One division a channel; all values are multiplied by it.", zh: "每个通道只除一次，所有值都乘以它。" },
	},
	xhat: {
		title: { en: "Normalized", zh: "归一化" },
		why: { en: "Mean 0 and variance 1 in every channel, but for ε.", zh: "每个通道均值为 0、方差为 1（仅差一个 ε）。" },
	},
	gammax: {
		title: { en: "Scaled", zh: "缩放" },
		why: { en: "γ gives the channel the spread that the network wants.", zh: "γ 让通道取得网络想要的幅度。" },
	},
	out: {
		title: { en: "Shifted: the output", zh: "平移：输出" },
		why: { en: "β gives it the mean that the network wants.", zh: "β 让它取得网络想要的均值。" },
	},
	running: {
		title: { en: "Running averages", zh: "滑动平均" },
		why: {
			en: "What evaluation will use in place of μ and σ². The variance is made unbiased, m / (m − 1). No gradient passes here.",
			zh: "评估模式用它们代替 μ 和 σ²。方差改为无偏的，乘以 m / (m − 1)。这里没有梯度经过。",
		},
	},
	dbeta: {
		title: { en: "Back through the shift", zh: "反向：平移" },
		why: {
			en: "∂ before a letter is the gradient of the loss by it. β went into every value of its channel: its gradient is their sum.",
			zh: "字母前的 ∂ 表示损失对它的梯度。β 参与了通道中的每个值：它的梯度是它们之和。",
		},
	},
	dgamma: {
		title: { en: "Back through the scale", zh: "反向：缩放" },
		why: {
			en: "A product: each factor gets the gradient times the other; γ, which is in every value of its channel, gets their sum.",
			zh: "乘积：每个因子得到梯度乘以另一个因子；γ 参与了通道中的每个值，得到它们之和。",
		},
	},
	divar: {
		title: { en: "Back through the product", zh: "反向：归一化的乘积" },
		why: {
			en: "The deviation u goes two ways from here: straight into x̂, and through the variance. ∂u₁ is what comes back the first way.",
			zh: "差 u 从两条路影响结果：直接进入 x̂，以及经过方差。∂u₁ 是第一条路传回的部分。",
		},
	},
	dsqrtvar: {
		title: { en: "Back through the inverse", zh: "反向：倒数" },
		why: { en: "The derivative of 1/s is −1/s².", zh: "1/s 的导数是 −1/s²。" },
	},
	dvar: {
		title: { en: "Back through the root", zh: "反向：开方" },
		why: { en: "The derivative of a root is one over twice the root.", zh: "开方的导数是两倍根的倒数。" },
	},
	dsq: {
		title: { en: "Back through the variance", zh: "反向：方差" },
		why: { en: "A mean hands its gradient to all m values alike.", zh: "均值把梯度平分给所有 m 个值。" },
	},
	dxmu2: {
		title: { en: "Back through the square", zh: "反向：平方" },
		why: { en: "What comes back to u the second way.", zh: "u 的第二条路传回的部分。" },
	},
	dx1: {
		title: { en: "Back through the deviation", zh: "反向：与均值之差" },
		why: {
			en: "Both ways add up. The mean was taken away from every value, so its gradient is minus their sum. What came through the variance adds 0 to it; what is left is −γ·r·Σ∂y, 0 only where ∂y sums to 0.",
			zh: "两条路相加。均值从每个值中减去，所以它的梯度是负的总和。经过方差的部分之和为 0；剩下的是 −γ·r·Σ∂y，只有 ∂y 之和为 0 时才为 0。",
		},
	},
	dx2: {
		title: { en: "Back through the mean", zh: "反向：均值" },
		why: { en: "Again the same share for all m values.", zh: "同样平分给所有 m 个值。" },
	},
	dx: {
		title: { en: "The gradient by x", zh: "对 x 的梯度" },
		why: {
			en: "Each column sums to 0, and is at a right angle to x̂ (but for ε): shifting or scaling a whole channel would change nothing.",
			zh: "每列之和为 0，并与 x̂ 正交（仅差一个 ε）：整个通道平移或缩放，结果都不变。",
		},
	},
};
