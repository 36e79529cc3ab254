"""Vectors for batch renormalization: the paper's formula in PyTorch's float64, gradients by autograd
with r and d detached."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../../../test/conformance"))

import torch
import torch.nn.functional as F
from cases import Cases, normal, tensor

c = Cases(__file__)


def batch_renorm(i, rMax=3.0, dMax=5.0, momentum=0.01, eps=1e-5, training=True):
    x, shape = i["x"], [1, -1] + [1] * (i["x"].ndim - 2)
    rm, rv = i["runningMean"], i["runningVar"]
    state = {"runningMean": rm, "runningVar": rv}
    if not training:
        return F.batch_norm(x, rm, rv, i.get("weight"), i.get("bias"), False, eps=eps), state
    axes = [a for a in range(x.ndim) if a != 1]
    mu, var = x.mean(axes), x.var(axes, unbiased=False)
    sigma, running_sigma = (var + eps).sqrt(), (rv + eps).sqrt()
    r = (sigma.detach() / running_sigma).clamp(1 / rMax, rMax)
    d = ((mu.detach() - rm) / running_sigma).clamp(-dMax, dMax)
    y = (x - mu.reshape(shape)) / sigma.reshape(shape) * r.reshape(shape) + d.reshape(shape)
    y = y * i["weight"].reshape(shape) if "weight" in i else y
    y = y + i["bias"].reshape(shape) if "bias" in i else y
    state["runningMean"] = (1 - momentum) * rm + momentum * mu.detach()
    state["runningVar"] = (1 - momentum) * rv + momentum * var.detach()
    return y, state


def add(name, shape, seed, weight=True, bias=True, std=2.0, **attrs):
    n = shape[1]
    i = {"x": normal(shape, seed, 0.5, std), "runningMean": tensor([n], seed + 3), "runningVar": tensor([n], seed + 4, 0.5, 2.0)}
    if weight:
        i["weight"] = tensor([n], seed + 1, 0.5, 1.5)
    if bias:
        i["bias"] = tensor([n], seed + 2)
    grads = [key for key in i if not key.startswith("running")]
    # r and d are constants to the gradient, but not to finite differences.
    c.add("batchRenorm", name, batch_renorm, i, attrs, grads=grads, skip_gradcheck=True)


add("[N, C]", [9, 5], 1)
add("[N, C, H, W]", [3, 4, 5, 3], 2)
add("clipped", [6, 7, 3], 3, std=20.0, rMax=1.5, dMax=0.1)
add("batch normalization", [6, 7], 4, rMax=1.0, dMax=0.0)
add("no scale", [6, 7], 5, weight=False)
add("no shift", [6, 7, 2], 6, bias=False)
add("momentum", [6, 3], 7, momentum=0.3)
add("evaluation", [6, 3], 8, training=False)

c.write()
