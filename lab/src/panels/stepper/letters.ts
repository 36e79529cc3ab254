// The letters that quantities go by in formulas.

import type { Name } from "./quantities.ts";

/** Letters of quantities; after | what stands below. ∂ before one stands for the gradient of the loss by it. */
export const letters: Readonly<Record<Name, string>> = {
	...{ x: "x", gamma: "γ", beta: "β", eps: "ε", momentum: "α", m: "m", dy: "∂y" },
	...{ runningMean: "μ|run", runningVar: "σ²|run", newRunningMean: "μ|new", newRunningVar: "σ²|new" },
	...{ mu: "μ", xmu: "u", sq: "q", var: "σ²", sqrtvar: "s", ivar: "r", xhat: "x̂", gammax: "g", out: "y" },
	...{ dbeta: "∂β", dgammax: "∂g", dgamma: "∂γ", dxhat: "∂x̂", divar: "∂r", dxmu1: "∂u|1", dsqrtvar: "∂s" },
	...{ dvar: "∂σ²", dsq: "∂q", dxmu2: "∂u|2", dx1: "∂x|1", dmu: "∂μ", dx2: "∂x|2", dx: "∂x" },
};

/** The letter as plain text: `∂x₁`, `μ run`. */
export function letterOf(name: Name): string {
	const [letter, below] = letters[name].split("|");
	if (!below) return letter;
	return below.length === 1 ? letter + "₁₂"[Number(below) - 1] : `${letter} ${below}`;
}
