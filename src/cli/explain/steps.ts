// The words of the lesson: each stage's step, formula and purpose. What is computed stands in
// src/ops/norm/batch-norm/explain.ts.

import type { BackwardStages, ForwardStages } from "../../ops/norm/batch-norm/explain.ts";

export interface Step<Name extends string> {
	/** The number of the forward step that this belongs to. */
	step: number;
	name: Name;
	formula: string;
	/** One sentence. `{channel}` becomes "feature" or "channel". */
	purpose: string;
}

export const forwardSteps: readonly Step<keyof ForwardStages<0, 0>>[] = [
	{ step: 1, name: "mu", formula: "mu = mean(x)", purpose: "The center of each {channel} in this batch." },
	{ step: 2, name: "xmu", formula: "xmu = x - mu", purpose: "Shifted: every {channel} now has mean 0." },
	{ step: 3, name: "sq", formula: "sq = xmu²", purpose: "Squared deviations, so that signs cannot cancel." },
	{
		step: 4,
		name: "var",
		formula: "var = mean(sq)",
		purpose: "The spread of each {channel} (biased: divided by m, not m - 1).",
	},
	{
		step: 5,
		name: "sqrtvar",
		formula: "sqrtvar = sqrt(var + eps)",
		purpose: "The deviation; eps keeps it above 0 if a {channel} is constant.",
	},
	{
		step: 6,
		name: "ivar",
		formula: "ivar = 1 / sqrtvar",
		purpose: "Inverted once, so that each value costs only a product.",
	},
	{ step: 7, name: "xhat", formula: "xhat = xmu * ivar", purpose: "Normalized: mean 0, deviation 1." },
	{
		step: 8,
		name: "gammax",
		formula: "gammax = gamma * xhat",
		purpose: "A learned scale, should the network want another spread …",
	},
	{
		step: 9,
		name: "out",
		formula: "out = gammax + beta",
		purpose: "… and a learned shift. gamma = sqrtvar, beta = mu give x back.",
	},
];

export const backwardSteps: readonly Step<keyof BackwardStages<0, 0>>[] = [
	{
		step: 9,
		name: "dbeta",
		formula: "dbeta = sum(dy)",
		purpose: "beta was added to every value, so its gradients add up.",
	},
	{ step: 9, name: "dgammax", formula: "dgammax = dy", purpose: "A sum passes its gradient on as it is." },
	{
		step: 8,
		name: "dgamma",
		formula: "dgamma = sum(dgammax * xhat)",
		purpose: "One factor's gradient is weighed by the other factor …",
	},
	{ step: 8, name: "dxhat", formula: "dxhat = dgammax * gamma", purpose: "… and the other way around." },
	{
		step: 7,
		name: "divar",
		formula: "divar = sum(dxhat * xmu)",
		purpose: "One ivar scaled all values of a {channel}: they add up.",
	},
	{
		step: 7,
		name: "dxmu1",
		formula: "dxmu1 = dxhat * ivar",
		purpose: "The first way back to xmu: through the product.",
	},
	{
		step: 6,
		name: "dsqrtvar",
		formula: "dsqrtvar = -divar / sqrtvar²",
		purpose: "The derivative of 1 / s is -1 / s².",
	},
	{
		step: 5,
		name: "dvar",
		formula: "dvar = dsqrtvar / (2 sqrt(var + eps))",
		purpose: "The derivative of sqrt(v) is 1 / (2 sqrt(v)).",
	},
	{ step: 4, name: "dsq", formula: "dsq = dvar / m", purpose: "A mean gives each of its m values the same share." },
	{
		step: 3,
		name: "dxmu2",
		formula: "dxmu2 = 2 xmu * dsq",
		purpose: "The second way back to xmu: through the variance.",
	},
	{ step: 2, name: "dx1", formula: "dx1 = dxmu1 + dxmu2", purpose: "Where two ways meet, gradients add up." },
	{
		step: 2,
		name: "dmu",
		formula: "dmu = -sum(dxmu1 + dxmu2)",
		purpose: "mu was subtracted from every value of its {channel}.",
	},
	{ step: 1, name: "dx2", formula: "dx2 = dmu / m", purpose: "Through the mean: the same share for each value." },
	{ step: 0, name: "dx", formula: "dx = dx1 + dx2", purpose: "What goes on to the layer below." },
];

/** Stages in which all values of a channel are alike: one row says it all. */
export const alikeStages: ReadonlySet<string> = new Set(["dsq", "dx2"]);
