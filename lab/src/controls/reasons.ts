// Why something failed, in the page's words and language. What is not among the common cases stands as evenkeel says it.

import { defineStrings, type Text } from "../i18n/i18n.ts";

const reasons = defineStrings({
	engine: {
		en: "The engine's code could not be loaded. Look at the connection, then press Start again.",
		zh: "无法加载引擎代码。请检查网络连接，然后再按“开始”。",
	},
	fetch: {
		en: "The data could not be loaded. Look at the connection, then press Start again.",
		zh: "无法加载数据。请检查网络连接，然后再按“开始”。",
	},
	answered: (url: string, answer: string) => ({
		en: `${url}: the server answered ${answer}.`,
		zh: `${url}：服务器的回答是 ${answer}。`,
	}),
	groupOfOne: {
		en: "A group of the group norm would hold a single value, of which the variance is 0. Choose fewer groups.",
		zh: "组归一化的一个组只有一个值，方差为 0。请减少组数。",
	},
	batchOfOne: (layer: string) => ({
		en: `${layer} has one value a channel, of which the variance is 0. Choose a larger batch, or a norm that does not average over the batch.`,
		zh: `${layer} 的每个通道只有一个值，方差为 0。请用更大的批，或选用不在批上求平均的归一化。`,
	}),
});

/** The layer of a twin that evenkeel calls by its path, `"1"`: `norm1`. */
export type LayerName = (path: string) => string;

type Say = (found: readonly string[], layer: LayerName) => Text;

/** English is as evenkeel says it. */
const translated =
	(zh: (...found: string[]) => string): Say =>
	([message, ...found]) => ({ en: message, zh: zh(...found) });

/** Messages, and what the page says instead. */
const known: readonly (readonly [RegExp, Say])[] = [
	[/^the engine did not load/, () => reasons.engine],
	[/^TypeError: (Failed to fetch|NetworkError|Load failed|network error)/, () => reasons.fetch],
	[/^(\S+): the server answered (.*)$/, ([, url, answer]) => reasons.answered(url, answer)],
	[/^\w+ "([^"]+)": training needs more than one value/, ([, path], layer) => reasons.batchOfOne(layer(path))],
	[/^GroupNorm "[^"]+": a group holds a single value/, () => reasons.groupOfOne],
	[/^no CSV file is open; .*$/, translated(() => "没有打开 CSV 文件；请在设置中选择。")],
	[/^no folder of images is open; .*$/, translated(() => "没有打开图像文件夹；请在设置中选择。")],
	[/^(.+): not every row has a class in its last column$/, translated((file) => `${file}：有的行在最后一列没有类别。`)],
	[
		/^(.+): (\d+) rows are too few to learn from; bring (\d+) or more$/,
		translated((file, rows, least) => `${file}：${rows} 行太少，无法学习；至少需要 ${least} 行。`),
	],
	[
		/^(.+): row (\d+), column (\d+) is (.+); remove or repair it$/,
		translated((file, row, column, value) => `${file}：第 ${row} 行第 ${column} 列为 ${value}；请删除或改正。`),
	],
	[
		/^(.+): line (\d+) has one value; .*$/,
		translated((file, line) => `${file}：第 ${line} 行只有一个值；应为数值和类别，以逗号分隔。`),
	],
	[
		/^(.+): line (\d+) has (\d+) values, expected (\d+) as in line (\d+)$/,
		translated(
			(file, line, values, width, first) =>
				`${file}：第 ${line} 行有 ${values} 个值，应与第 ${first} 行一样为 ${width} 个。`,
		),
	],
	[
		/^(.+): line (\d+), column (\d+): expected a number, got (.+)$/,
		translated((file, line, column, got) => `${file}：第 ${line} 行第 ${column} 列应为数字，却是 ${got}。`),
	],
	[/^(.+): this file is empty; .*$/, translated((file) => `${file}：文件为空；应为数值表格，最后一列为类别。`)],
	[
		/^(.+): the last column holds (\d+) different values?; it should name (.+) classes$/,
		translated(
			(file, count, allowed) => `${file}：最后一列有 ${count} 个不同的值；类别数应为 ${allowed.replace("to", "到")}。`,
		),
	],
	[
		/^this folder has pictures in (\d+) folders?; expected (.+) subfolders, .*$/,
		translated(
			(count, allowed) =>
				`这个文件夹中有 ${count} 个含图片的子文件夹；应为 ${allowed.replace("to", "到")} 个，每类一个，内有 PNG、JPEG、WebP、GIF、AVIF 或 BMP 文件。`,
		),
	],
	[/^(\d+) pictures are too few to learn from$/, translated((count) => `${count} 张图片太少，无法学习。`)],
	[
		/^(.+): this picture cannot be read; .*$/,
		translated((path) => `${path}：无法读取这张图片；请删除它，或另存为 PNG 或 JPEG。`),
	],
];

/** The page's own words for evenkeel's `message`; null if it has none. */
export function reasonOf(message: string, layer: LayerName = (path) => path): Text | null {
	for (const [pattern, say] of known) {
		const found = pattern.exec(message);
		if (found) return say(found, layer);
	}
	return null;
}
