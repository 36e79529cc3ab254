// The texts of the bar that starts and stops training, and of the notices about it.

import { defineStrings } from "../i18n/i18n.ts";

export const strings = defineStrings({
	training: { en: "Training", zh: "训练" },
	start: { en: "Start", zh: "开始" },
	pause: { en: "Pause", zh: "暂停" },
	step: { en: "Step", zh: "单步" },
	ten: { en: "10 steps", zh: "10 步" },
	reset: { en: "Reset", zh: "重置" },
	stepLabel: { en: "step", zh: "步数" },
	epochLabel: { en: "epoch", zh: "轮次" },
	speedLabel: { en: "examples/s", zh: "样本/秒" },
	threadsLabel: { en: "threads", zh: "线程" },
	asleep: { en: "ready when you are", zh: "随时可以开始" },
	starting: { en: "starting the engine", zh: "正在启动引擎" },
	loadingData: (percent: string) => ({ en: `loading data ${percent}`, zh: `正在加载数据 ${percent}` }),
	running: { en: "training", zh: "训练中" },
	ready: { en: "paused", zh: "已暂停" },
	done: { en: "done", zh: "已完成" },
	failedState: { en: "stopped", zh: "已停止" },
	failed: (why: string) => ({ en: `This does not work: ${why}`, zh: `无法进行：${why}` }),
	diverged: (name: string, step: string) => ({
		en: `Twin ${name} overflowed at step ${step}: its loss is no longer a number, so it stopped there.`,
		zh: `网络 ${name} 在第 ${step} 步溢出：损失不再是数值，已就此停止。`,
	}),
	refused: (name: string, step: string, why: string) => ({
		en: `Twin ${name} stopped at step ${step}: ${why}`,
		zh: `网络 ${name} 在第 ${step} 步停止：${why}`,
	}),
	/** Behind what stands in English on the Chinese page. */
	inEnglish: { en: "", zh: "（英文原文）" },
	oneThread: {
		en: "This page is not cross-origin isolated, so the engine runs on one thread. Its server can change that with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp; evenkeel lab sends them on localhost.",
		zh: "本页面未处于跨源隔离状态，引擎只能使用一个线程。服务器可以发送响应头 Cross-Origin-Opener-Policy: same-origin 与 Cross-Origin-Embedder-Policy: require-corp 来改变这一点；evenkeel lab 在 localhost 上会这样做。",
	},
	address: { en: "Not everything in the address could be used:", zh: "地址中有些内容无法使用：" },
	problemValue: (given: string, expected: string, used: string) => ({
		en: `${given}: expected ${expected}; using ${used}`,
		zh: `${given}：应为 ${expected}；改用 ${used}`,
	}),
	problemPreset: (given: string, expected: string) => ({
		en: `${given}: there is no such experiment; there are ${expected}`,
		zh: `${given}：没有这个实验；可选 ${expected}`,
	}),
	problemUnknown: (given: string) => ({ en: `${given}: there is no such setting`, zh: `${given}：没有这项设置` }),
	problemVersion: (given: string) => ({
		en: `${given}: made by another version of this page; what is known was taken`,
		zh: `${given}：来自本页面的其他版本；已采用能识别的部分`,
	}),
	problemFiles: (given: string) => ({
		en: `${given}: files are not part of an address; open them again under Settings`,
		zh: `${given}：文件不在地址里；请在设置中重新打开`,
	}),
	problemFit: (given: string, used: string) => ({
		en: `${given}: does not go with the rest; using ${used}`,
		zh: `${given}：与其他设置不相容；改用 ${used}`,
	}),
	dismiss: { en: "Dismiss", zh: "知道了" },
});
