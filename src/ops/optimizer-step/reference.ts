// The updates in float64, written as PyTorch writes them: the oracle.

import type { AdamUpdate, OptimizerKernels, SgdUpdate } from "./op.ts";

function sgd({ param, grad, buffer, first, settings }: SgdUpdate): void {
	const { lr, momentum, dampening, nesterov, weightDecay } = settings;
	const [p, g, b] = [param.view(), grad.view(), buffer?.view()];
	for (let i = 0; i < param.size; i++) {
		let d = g[i] + weightDecay * p[i];
		if (b) {
			b[i] = first ? d : momentum * b[i] + (1 - dampening) * d;
			d = nesterov ? d + momentum * b[i] : b[i];
		}
		p[i] -= lr * d;
	}
}

function adam({ param, grad, mean, square, largest, step, decoupled, settings }: AdamUpdate): void {
	const { lr, betas, eps, weightDecay } = settings;
	const [beta1, beta2] = betas;
	const [p, g, m, v, top] = [param.view(), grad.view(), mean.view(), square.view(), largest?.view()];
	const stepSize = lr / (1 - beta1 ** step);
	const correction = Math.sqrt(1 - beta2 ** step);
	for (let i = 0; i < param.size; i++) {
		let d = g[i];
		if (decoupled) p[i] *= 1 - lr * weightDecay;
		else d += weightDecay * p[i];
		m[i] = beta1 * m[i] + (1 - beta1) * d;
		v[i] = beta2 * v[i] + (1 - beta2) * d * d;
		if (top) top[i] = Math.max(top[i], v[i]);
		const second = top ? top[i] : v[i];
		p[i] -= (stepSize * m[i]) / (Math.sqrt(second) / correction + eps);
	}
}

export const reference: OptimizerKernels = {
	sgd: (updates) => updates.forEach(sgd),
	adam: (updates) => updates.forEach(adam),
	squareSum: (tensors) => {
		let sum = 0;
		for (const tensor of tensors) for (let i = 0; i < tensor.size; i++) sum += tensor.view()[i] ** 2;
		return sum;
	},
	scale: (tensors, factor) => {
		for (const tensor of tensors) for (let i = 0; i < tensor.size; i++) tensor.view()[i] *= factor;
	},
};
