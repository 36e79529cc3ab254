import { defineStrings } from "../../i18n/i18n.ts";

export const strings = defineStrings({
	step: { en: "step", zh: "步" },
	at: (step: string) => ({ en: `step ${step}`, zh: `第 ${step} 步` }),
	twin: (name: string) => ({ en: `Twin ${name}`, zh: `网络 ${name}` }),
	keys: (label: string) => ({
		en: `${label}. Arrow keys move the cursor, Home and End jump, Escape takes it away.`,
		zh: `${label}。方向键移动光标，Home 和 End 跳到两端，Esc 取消。`,
	}),
	chart: { en: "chart", zh: "图表" },
	layer: { en: "Layer", zh: "层" },
	empty: { en: "Nothing yet: start training.", zh: "尚无数据：请开始训练。" },
	hint: { en: "Point at the picture, or focus it and use the arrow keys.", zh: "将指针移到图上，或选中后使用方向键。" },
});
