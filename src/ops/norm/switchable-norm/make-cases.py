"""Vectors for switchable normalization: the paper's formula (biased variances) in PyTorch's float64."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../../../test/conformance"))

import torch
from cases import Cases, normal, tensor

c = Cases(__file__)


def switchable_norm(i, training=True, momentum=0.1, eps=1e-5):
    x = i["x"]
    flat = x.reshape(x.shape[0], x.shape[1], -1)
    rm, rv = i["runningMean"], i["runningVar"]
    means, variances = [], []
    if x.ndim > 2:
        means.append(flat.mean(2, keepdim=True))
        variances.append(flat.var(2, unbiased=False, keepdim=True))
    means.append(flat.mean((1, 2), keepdim=True))
    variances.append(flat.var((1, 2), unbiased=False, keepdim=True))
    state = {"runningMean": rm, "runningVar": rv}
    if training:
        mean, var = flat.mean((0, 2), keepdim=True), flat.var((0, 2), unbiased=False, keepdim=True)
        state["runningMean"] = (1 - momentum) * rm + momentum * mean.detach().reshape(-1)
        state["runningVar"] = (1 - momentum) * rv + momentum * var.detach().reshape(-1)
    else:
        mean, var = rm.reshape(1, -1, 1), rv.reshape(1, -1, 1)
    means.append(mean)
    variances.append(var)
    mw, vw = i["meanWeight"].softmax(0), i["varWeight"].softmax(0)
    mean = sum(w * m for w, m in zip(mw, means))
    var = sum(w * v for w, v in zip(vw, variances))
    y = (flat - mean) / (var + eps).sqrt()
    y = y * i["weight"].reshape(1, -1, 1) if "weight" in i else y
    y = y + i["bias"].reshape(1, -1, 1) if "bias" in i else y
    return y.reshape(x.shape), state


def add(name, shape, seed, weight=True, bias=True, mean=0.5, **attrs):
    n, k = shape[1], 2 if len(shape) == 2 else 3
    i = {"x": normal(shape, seed, mean, 2.0), "meanWeight": tensor([k], seed + 5), "varWeight": tensor([k], seed + 6)}
    if weight:
        i["weight"] = tensor([n], seed + 1, 0.5, 1.5)
    if bias:
        i["bias"] = tensor([n], seed + 2)
    grads = list(i)
    i["runningMean"] = tensor([n], seed + 3)
    i["runningVar"] = tensor([n], seed + 4, 0.5, 2.0)
    c.add("switchableNorm", name, switchable_norm, i, attrs, grads=grads)


for shape in ([5, 3], [4, 17], [3, 2, 9], [2, 3, 5, 5], [1, 4, 3, 2], [2, 2, 2, 3, 2]):
    add(f"training {shape}", shape, sum(shape))
    add(f"evaluation {shape}", shape, sum(shape) + 50, training=False)
add("no scale", [3, 4, 5], 1, weight=False)
add("no shift", [3, 4, 5], 2, bias=False)
add("eps 1e-3, momentum 0.3", [3, 4, 5], 3, eps=1e-3, momentum=0.3)
add("mean ten times the deviation", [3, 4, 5], 4, mean=20.0)

c.write()
