// The mask element by element.

import { philox } from "../../random/philox.ts";
import { GROUP, type Kernels } from "./mask.ts";

export const reference: Kernels = {
	apply(x, y, { key, stream, block, threshold, scale }) {
		const [from, to] = [x.view(), y.view()];
		const words = new Uint32Array(4);
		for (let i = 0; i < x.size; i++) {
			// Element 16 g + 4 w + j takes word w of block 4 g + j.
			const at = block + 4 * Math.floor(i / GROUP) + (i % 4);
			philox(at >>> 0, Math.floor(at / 2 ** 32), stream[0], stream[1], key[0], key[1], words);
			to[i] = words[(i % GROUP) >> 2] >= threshold ? from[i] * scale : 0;
		}
	},
};
