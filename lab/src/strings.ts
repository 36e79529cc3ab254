// The texts of the page around the panels.

import { defineStrings } from "./i18n/i18n.ts";

export const strings = defineStrings({
	title: { en: "The batch normalization lab", zh: "批量归一化实验室" },
	lead: {
		en: "Two networks, the same seed, the same batches. Change one thing, press start, and watch what it does. Everything runs in this page.",
		zh: "两个网络，相同的种子，相同的批次。改动一处，按下开始，看看会发生什么。一切都在本页面中运行。",
	},
	loading: { en: "Loading…", zh: "正在加载…" },
	start: { en: "Start", zh: "开始" },
	pause: { en: "Pause", zh: "暂停" },
	step: { en: "Step", zh: "单步" },
	reset: { en: "Reset", zh: "重置" },
	language: { en: "Language", zh: "语言" },
	theme: { en: "Theme", zh: "主题" },
	light: { en: "Light", zh: "浅色" },
	dark: { en: "Dark", zh: "深色" },
	contents: { en: "Contents", zh: "目录" },
	controls: { en: "Training", zh: "训练" },
	skip: { en: "Skip to the experiment", zh: "跳到实验" },
	stepCount: (count: string) => ({ en: `step ${count}`, zh: `第 ${count} 步` }),
	speed: (count: string) => ({ en: `${count} examples/s`, zh: `每秒 ${count} 个样本` }),
	failed: { en: "The engine stopped:", zh: "引擎停止了：" },
});
