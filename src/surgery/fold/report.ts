// What folding says it did, for networks and for ONNX models alike.

/** A norm that is gone. */
export interface FoldedNorm {
	/** `BatchNorm2d "1"`, `BatchNormalization "bn1"` */
	readonly norm: string;
	/** What took it: one layer or node, or all that read it. */
	readonly into: readonly string[];
	/**
	 * `"before"`: into the layer that it reads. `"behind"`: into those that read it. `"norm"`: into the batch normalization
	 * that it reads. `"mul-add"`: it became a multiplication and an addition (ONNX, where asked for).
	 */
	readonly how: "before" | "behind" | "norm" | "mul-add";
}

/** A norm that stays. */
export interface LeftNorm {
	readonly norm: string;
	/** Why neither what it reads nor what reads it can take it. */
	readonly reason: string;
}

export interface FoldReport {
	/** In the order in which they were folded. */
	readonly folded: readonly FoldedNorm[];
	/** In the order in which they run. */
	readonly left: readonly LeftNorm[];
}

/** Why a norm stays, of the reasons of both sides. */
export function bothReasons(before: string, behind: string): string {
	return before === behind ? before : `before it: ${before}; behind it: ${behind}`;
}
