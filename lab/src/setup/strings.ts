// The texts of the experiment's settings.

import type { Text } from "../i18n/i18n.ts";
import { defineStrings } from "../i18n/i18n.ts";
import type { ActivationName, DataKind, NetworkName, NormName, OptimizerName, Place } from "../settings/settings.ts";

export const strings = defineStrings({
	experiments: { en: "Experiments", zh: "实验" },
	watch: { en: "What to watch", zh: "看什么" },
	ownExperiment: {
		en: "An experiment of your own. The address of this page holds all of it: send it to somebody, or keep it.",
		zh: "你自己的实验。它的全部设置都在本页地址里：可以发给别人，也可以留存。",
	},
	settings: { en: "Settings", zh: "设置" },
	data: { en: "Data", zh: "数据" },
	images: { en: "Images", zh: "图像" },
	points: { en: "Points in the plane", zh: "平面上的点" },
	own: { en: "Your own", zh: "自己的数据" },
	openTable: { en: "Open a CSV file", zh: "打开 CSV 文件" },
	openFolder: { en: "Open a folder of images", zh: "打开图像文件夹" },
	tableHint: {
		en: "Numbers with the class in the last column.",
		zh: "数值表格，最后一列为类别。",
	},
	folderHint: {
		en: "One subfolder a class. Pictures become 28 × 28 gray pixels.",
		zh: "每个类别一个子文件夹。图片会转成 28 × 28 的灰度像素。",
	},
	stays: { en: "Files stay in this browser.", zh: "文件不会离开浏览器。" },
	tableRead: (file: string, rows: string, columns: string, classes: string) => ({
		en: `${file}: ${rows} rows, ${columns} columns and the class, ${classes} classes`,
		zh: `${file}：${rows} 行，${columns} 列加类别，共 ${classes} 个类别`,
	}),
	picturesRead: (pictures: string, classes: string) => ({
		en: `${pictures} pictures in ${classes} folders`,
		zh: `${classes} 个文件夹中的 ${pictures} 张图片`,
	}),
	fullAbsent: { en: "not on this server", zh: "此服务器上没有" },
	network: { en: "Network", zh: "网络" },
	noise: { en: "Noise", zh: "噪声" },
	seed: { en: "Seed", zh: "随机种子" },
	pauseAfter: { en: "Pause after step", zh: "在此步后暂停" },
	never: { en: "0 is never", zh: "0 表示不暂停" },
	twin: (name: string) => ({ en: `Twin ${name}`, zh: `网络 ${name}` }),
	twinOn: (name: string) => ({ en: `Train twin ${name}`, zh: `训练网络 ${name}` }),
	off: { en: "off", zh: "关闭" },
	differs: { en: "the twins differ here", zh: "两个网络在此不同" },
	ofTwin: (setting: string, name: string) => ({ en: `${setting} of twin ${name}`, zh: `网络 ${name} 的${setting}` }),
	same: { en: "same as the other", zh: "与另一个相同" },
	norm: { en: "Normalization", zh: "归一化" },
	place: { en: "Norm, by the activation", zh: "归一化相对激活函数" },
	activation: { en: "Activation", zh: "激活函数" },
	groups: { en: "Groups", zh: "组数" },
	groupsOf: (norm: string, groups: string) => ({ en: `${norm}: ${groups}`, zh: `${norm}：${groups}` }),
	and: { en: ", ", zh: "，" },
	depth: { en: "Hidden layers", zh: "隐藏层数" },
	width: { en: "Units a layer", zh: "每层单元数" },
	optimizer: { en: "Optimizer", zh: "优化器" },
	lr: { en: "Learning rate", zh: "学习率" },
	batchSize: { en: "Batch size", zh: "批大小" },
	scale: { en: "Initial weights ×", zh: "初始权重倍数" },
	dropout: { en: "Dropout", zh: "Dropout 比例" },
});

export const normTexts: Record<NormName, Text> = {
	none: { en: "none", zh: "无" },
	batch: { en: "batch", zh: "批" },
	layer: { en: "layer", zh: "层" },
	group: { en: "group", zh: "组" },
	instance: { en: "instance", zh: "实例" },
	switchable: { en: "switchable", zh: "可切换" },
	rms: { en: "RMS", zh: "均方根" },
	renorm: { en: "batch renorm", zh: "批再归一化" },
	frn: { en: "filter response", zh: "滤波器响应" },
};

/** A norm as it is called beside a curve. */
export const normNames: Record<NormName, Text> = {
	none: { en: "no norm", zh: "无归一化" },
	batch: { en: "batch norm", zh: "批量归一化" },
	layer: { en: "layer norm", zh: "层归一化" },
	group: { en: "group norm", zh: "组归一化" },
	instance: { en: "instance norm", zh: "实例归一化" },
	switchable: { en: "switchable norm", zh: "可切换归一化" },
	rms: { en: "RMS norm", zh: "均方根归一化" },
	renorm: { en: "batch renorm", zh: "批再归一化" },
	frn: { en: "filter response norm", zh: "滤波器响应归一化" },
};

export const placeTexts: Record<Place, Text> = {
	before: { en: "before it", zh: "之前" },
	after: { en: "after it", zh: "之后" },
};

/** A place as it is told beside a curve. */
export const placeNames: Record<Place, Text> = {
	before: { en: "before the activation", zh: "激活之前" },
	after: { en: "after the activation", zh: "激活之后" },
};

export const activationTexts: Record<ActivationName, Text> = {
	sigmoid: { en: "sigmoid", zh: "sigmoid" },
	tanh: { en: "tanh", zh: "tanh" },
	relu: { en: "ReLU", zh: "ReLU" },
	"leaky-relu": { en: "leaky ReLU", zh: "leaky ReLU" },
	gelu: { en: "GELU", zh: "GELU" },
	silu: { en: "SiLU", zh: "SiLU" },
};

export const optimizerTexts: Record<OptimizerName, Text> = {
	sgd: { en: "SGD", zh: "SGD" },
	momentum: { en: "SGD, momentum 0.9", zh: "SGD，动量 0.9" },
	adam: { en: "Adam", zh: "Adam" },
};

export const networkTexts: Record<NetworkName, Text> = {
	lenet: { en: "LeNet", zh: "LeNet" },
	mlp: { en: "Fully connected", zh: "全连接" },
};

export const dataTexts: Record<DataKind, Text> = {
	fashion: { en: "Fashion-MNIST, 6,000 images", zh: "Fashion-MNIST，6,000 张图像" },
	"fashion-full": { en: "Fashion-MNIST, all 60,000", zh: "Fashion-MNIST，全部 60,000 张" },
	circles: { en: "Circles", zh: "同心圆" },
	moons: { en: "Moons", zh: "月牙" },
	spirals: { en: "Spirals", zh: "螺旋" },
	xor: { en: "XOR", zh: "异或" },
	csv: { en: "CSV file", zh: "CSV 文件" },
	images: { en: "Folder of images", zh: "图像文件夹" },
};
