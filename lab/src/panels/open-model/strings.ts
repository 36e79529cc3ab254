import { defineStrings } from "../../i18n/i18n.ts";

export const strings = defineStrings({
	title: { en: "Open your own model", zh: "打开你自己的模型" },
	lead: {
		en: "See the norms of a .safetensors file, an .onnx model or an evenkeel checkpoint: what they learned, what they remember, and what is wrong with them. Nothing leaves this browser.",
		zh: "查看 .safetensors 文件、.onnx 模型或 evenkeel 检查点中的归一化层：学到了什么，记住了什么，有什么问题。任何内容都不会离开浏览器。",
	},
	choose: { en: "Choose a file…", zh: "选择文件…" },
	hint: {
		en: "or drop it here. Only its header and its norms are read from a .safetensors file, so large ones open fast.",
		zh: "或拖放到此处。对 .safetensors 文件只读取文件头和归一化层，因此大文件也能很快打开。",
	},
	reading: (name: string) => ({ en: `Reading ${name}…`, zh: `正在读取 ${name}…` }),
	done: (name: string) => ({ en: `${name} is shown below.`, zh: `${name} 已显示在下方。` }),
	page: { en: "Save this as a page", zh: "保存为网页" },
	result: { en: "What is in the file", zh: "文件内容" },
	notLoaded: {
		en: "The code that reads models could not be loaded. Look at the connection, then reload the page.",
		zh: "无法加载读取模型的代码。请检查网络连接，然后重新加载页面。",
	},
	otherFile: (name: string, message: string) => ({
		en: message,
		zh: `${name}：这里只能读取 .safetensors 和 .onnx 文件；请用 safetensors 保存权重，或用 torch.onnx.export 导出模型。`,
	}),
	/** Behind what stands in English on the Chinese page. */
	inEnglish: { en: "", zh: "（英文原文）" },
	english: { en: "", zh: "以下内容为英文，与 evenkeel inspect 的输出一致。" },
});
