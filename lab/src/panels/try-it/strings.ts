import { defineStrings, type Text } from "../../i18n/i18n.ts";

export const strings = defineStrings({
	title: { en: "Try it", zh: "试一试" },
	lead: {
		en: "Show both networks a picture while they learn: what they take it for, what each layer makes of it, and why a single picture must not be judged in training mode.",
		zh: "在训练过程中给两个网络看一张图片：它们认为是什么，每一层把它变成什么，以及为什么不能用训练模式判断单张图片。",
	},
	test: { en: "Pictures of the test set", zh: "测试集图片" },
	testPicture: (number: string, name: string) => ({
		en: `Test picture ${number}: ${name}`,
		zh: `测试图片 ${number}：${name}`,
	}),
	draw: { en: "Draw one", zh: "自己画" },
	pad: {
		en: "Drawing pad, for a pointer. With a keyboard, choose a picture of the test set or open a file.",
		zh: "画板（需要鼠标或触控）。使用键盘时，请选择测试集图片或打开文件。",
	},
	brush: { en: "Brush", zh: "画笔粗细" },
	clear: { en: "Clear", zh: "清空" },
	upload: { en: "Open a picture…", zh: "打开图片…" },
	uploadHint: { en: "or drop one here. It stays in this page.", zh: "或拖放到此处。图片不会离开本页面。" },
	unreadable: (name: string) => ({
		en: `${name}: the browser cannot read this as a picture; PNG, JPEG and WebP it can`,
		zh: `${name}：浏览器无法把它读作图片；可用 PNG、JPEG 或 WebP`,
	}),
	input: { en: "What the networks get", zh: "网络得到的输入" },
	inputPicture: { en: "The picture as 28 by 28 gray values", zh: "28×28 灰度值的图片" },
	fromTest: { en: "As it is in the test set: 28 × 28 gray values.", zh: "与测试集中相同：28×28 灰度值。" },
	prepared: (width: string, height: string, inverted: boolean) => ({
		en: `Made like Fashion-MNIST: gray, ${inverted ? "inverted to light on black, " : ""}contrast stretched, cut to ${width} × ${height} pixels, its longer side made 28, centered.`,
		zh: `按 Fashion-MNIST 的方式处理：灰度化，${inverted ? "反相为黑底亮图，" : ""}拉伸对比度，裁剪为 ${width}×${height} 像素，长边缩放到 28，居中。`,
	}),
	empty: { en: "There is nothing on it yet.", zh: "上面还没有内容。" },
	untrained: {
		en: "Nothing is learned yet: these are guesses. Press Start.",
		zh: "尚未训练：这些只是猜测。请按“开始”。",
	},
	class: { en: "Class", zh: "类别" },
	twin: (name: string) => ({ en: `Twin ${name}`, zh: `网络 ${name}` }),
	truth: { en: "its label", zh: "真实标签" },
	chances: { en: "Probabilities", zh: "各类概率" },
	stopped: { en: "It trains no more, and has nothing to say.", zh: "它已停止训练，没有结果。" },
	layers: { en: "What every layer makes of it", zh: "每一层的输出" },
	layersLead: {
		en: "One square a channel, one bar a unit; dark is the layer's least value, light its most.",
		zh: "每个方块是一个通道，条带中每格是一个单元；深色为该层最小值，浅色为最大值。",
	},
	maps: (name: string, count: string, size: string, least: string, most: string) => ({
		en: `${name}: ${count} maps of ${size}, values from ${least} to ${most}`,
		zh: `${name}：${count} 个 ${size} 的特征图，取值 ${least} 到 ${most}`,
	}),
	units: (name: string, count: string, least: string, most: string) => ({
		en: `${name}: ${count} units, values from ${least} to ${most}`,
		zh: `${name}：${count} 个单元，取值 ${least} 到 ${most}`,
	}),
	range: (least: string, most: string) => ({ en: `${least} to ${most}`, zh: `${least} 到 ${most}` }),
	modes: { en: "Evaluation mode against training mode", zh: "评估模式与训练模式" },
	modesLead: {
		en: "In training a batch norm measures the batch it is given; in evaluation it uses what it remembers. Dropout is off in all rows, so that the norms alone make the difference.",
		zh: "训练时，批量归一化使用当前批次的统计量；评估时使用记住的统计量。各行均关闭 dropout，差别只来自归一化层。",
	},
	mode: { en: "Mode", zh: "模式" },
	answer: { en: "Answer", zh: "回答" },
	evaluation: { en: "Evaluation", zh: "评估模式" },
	alone: { en: "Training, alone", zh: "训练模式，单张" },
	company: (count: string) => ({
		en: `Training, with ${count} test pictures`,
		zh: `训练模式，与 ${count} 张测试图片一起`,
	}),
	otherCompany: (count: string) => ({
		en: `Training, with ${count} others`,
		zh: `训练模式，与另外 ${count} 张一起`,
	}),
	refused: { en: "refused", zh: "拒绝计算" },
	norm: { en: "Norm", zh: "归一化层" },
	values: { en: "Values a channel", zh: "每通道数值个数" },
	variance: { en: "Variance, this picture", zh: "本图方差" },
	remembered: { en: "Variance, remembered", zh: "记住的方差" },
	median: { en: "Variances are the channels' medians.", zh: "方差为各通道的中位数。" },
	oneValue: (layer: string) => ({
		en: `${layer} has one value a channel: its mean is the value itself and its variance 0, so x̂ = 0 and y = β whatever the picture. evenkeel refuses to train on that. If it did not, the answer would be`,
		zh: `${layer} 每个通道只有一个数值：均值就是它自己，方差为 0，因此无论什么图片 x̂ = 0、y = β。evenkeel 拒绝这样训练；若不拒绝，回答会是`,
	}),
	always: { en: "for every picture there is.", zh: "——对任何图片都一样。" },
	sameMode: {
		en: "It has no norm that looks at the batch: all rows are the same, alone or in company.",
		zh: "它没有依赖批次的归一化层：单张或成批，各行都相同。",
	},
	differs: {
		en: "In training mode the answer depends on the company: a norm of the batch mixes the pictures.",
		zh: "在训练模式下，回答取决于同批的图片：批量归一化把它们混在一起。",
	},
});

/** Fashion-MNIST's classes; any other name stays as it is. */
const classNames: Readonly<Record<string, string>> = {
	"t-shirt": "T恤/上衣",
	trouser: "裤子",
	pullover: "套头衫",
	dress: "连衣裙",
	coat: "外套",
	sandal: "凉鞋",
	shirt: "衬衫",
	sneaker: "运动鞋",
	bag: "包",
	"ankle boot": "短靴",
};

/** A class's name in both languages. */
export function className(name: string): Text {
	return { en: name, zh: classNames[name] ?? name };
}
