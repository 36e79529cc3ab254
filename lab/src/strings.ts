// The texts of the page around settings, controls and panels.

import { defineStrings } from "./i18n/i18n.ts";

export const strings = defineStrings({
	title: { en: "What batch normalization does", zh: "批量归一化做了什么" },
	lead: {
		en: "Two networks start from the same weights and see the same batches. Change one thing between them, press start, and watch what it does. They really train, here in this page.",
		zh: "两个网络从同样的权重出发，看到同样的批次。让它们只差一处，按下开始，看看会怎样。训练真实地在本页面中进行。",
	},
	side: { en: "Settings of the experiment", zh: "实验设置" },
	loading: { en: "Loading…", zh: "正在加载…" },
	panelFailed: {
		en: "The code of this part could not be loaded. Look at the connection.",
		zh: "无法加载此部分的代码。请检查网络连接。",
	},
	retry: { en: "Retry", zh: "重试" },
	language: { en: "Language", zh: "语言" },
	theme: { en: "Theme", zh: "主题" },
	light: { en: "Light", zh: "浅色" },
	dark: { en: "Dark", zh: "深色" },
	contents: { en: "Contents", zh: "目录" },
	skip: { en: "Skip to the experiment", zh: "跳到实验" },
	foot: {
		en: "Trained by evenkeel in WebAssembly, in workers of this page. Nothing is sent anywhere.",
		zh: "由 evenkeel 用 WebAssembly 在本页面的 worker 中训练。不会向任何地方发送数据。",
	},
});
