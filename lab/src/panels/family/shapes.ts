// Which cells of the block N x C x (H, W) are averaged together with one of them.

/** The norms that are drawn. */
export const kinds = ["batch", "layer", "instance", "group", "switchable"] as const;
export type Kind = (typeof kinds)[number];

/** Examples, channels, positions. */
export interface Block {
	readonly n: number;
	readonly c: number;
	readonly positions: number;
}

/** A cell of the block. */
export interface Spot {
	readonly n: number;
	readonly c: number;
	readonly p: number;
}

/** The groups that are really used: the largest number up to `groups` that divides the channels. */
export function groupsOf(channels: number, groups: number): number {
	let number = Math.max(1, Math.min(groups, channels));
	while (channels % number !== 0) number--;
	return number;
}

/** Whether `cell` is averaged with `spot`. Switchable: with any of its three. */
export function isAveraged(kind: Kind, spot: Spot, cell: Spot, { c }: Block, groups: number): boolean {
	const sameExample = cell.n === spot.n;
	const sameChannel = cell.c === spot.c;
	switch (kind) {
		case "batch":
			return sameChannel;
		case "layer":
			return sameExample;
		case "instance":
			return sameExample && sameChannel;
		case "group": {
			const size = c / groupsOf(c, groups);
			return sameExample && Math.floor(cell.c / size) === Math.floor(spot.c / size);
		}
		case "switchable":
			return sameExample || sameChannel;
	}
}

/** How many values one mean is over, and how many means there are. */
export function counts(kind: Kind, { n, c, positions }: Block, groups: number): { values: number; means: number } {
	const g = groupsOf(c, groups);
	switch (kind) {
		case "batch":
			return { values: n * positions, means: c };
		case "layer":
			return { values: c * positions, means: n };
		case "instance":
			return { values: positions, means: n * c };
		case "group":
			return { values: (c / g) * positions, means: n * g };
		case "switchable":
			return { values: (n + c - 1) * positions, means: n * c };
	}
}

/** The block that is drawn: few enough cells to see each, and groups that divide the channels as in the real one. */
export function scaled({ n, c, positions }: Block, groups: number): { block: Block; groups: number } {
	const g = Math.min(groupsOf(c, groups), 4);
	const channels = c <= 8 ? c : g * Math.max(1, Math.floor(8 / g));
	return {
		block: { n: Math.min(n, 5), c: channels, positions: Math.min(positions, 6) },
		groups: c <= 8 ? groupsOf(c, groups) : g,
	};
}
