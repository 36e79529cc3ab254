"""Vectors for synchronized batch normalization: PyTorch's batch_norm on the examples of all ranks together, of which a
rank sees its own. The cotangent of the other ranks is 0, so that y's gradient is this rank's alone."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../../../test/conformance"))

import torch
import torch.nn.functional as F
from cases import Cases, normal, tensor

c = Cases(__file__)


def sync_batch_norm(i, ranks, rank, momentum=0.1, eps=1e-5, runningVariance="unbiased"):
    """`ranks`: the examples of each; those of all but `rank` are in `others`, in order."""
    before = sum(ranks[:rank])
    whole = torch.cat([i["others"][:before], i["x"], i["others"][before:]])
    rm, rv = i["runningMean"].clone(), i["runningVar"].clone()
    y = F.batch_norm(whole, rm, rv, i.get("weight"), i.get("bias"), True, momentum, eps)
    if runningVariance == "biased":
        m = whole.numel() / whole.shape[1]
        rv = (1 - momentum) * i["runningVar"] + (rv - (1 - momentum) * i["runningVar"]) * (m - 1) / m
    return y[before:before + ranks[rank]], {"runningMean": rm, "runningVar": rv}


def add(name, rest, seed, ranks, rank, weight=True, bias=True, mean=0.5, std=2.0, tolerance=None, **attrs):
    n = rest[0]
    i = {
        "x": normal([ranks[rank], *rest], seed, mean, std),
        "others": normal([sum(ranks) - ranks[rank], *rest], seed + 5, mean - 1, std),
        "runningMean": tensor([n], seed + 3),
        "runningVar": tensor([n], seed + 4, 0.5, 2.0),
    }
    if weight:
        i["weight"] = tensor([n], seed + 1, 0.5, 1.5)
    if bias:
        i["bias"] = tensor([n], seed + 2)
    grads = [key for key in i if key in ("x", "weight", "bias")]
    c.add("syncBatchNorm", name, sync_batch_norm, i, {"ranks": ranks, "rank": rank, **attrs}, grads=grads, tolerance=tolerance)


add("[N, C]: first of two", [5], 1, [4, 4], 0)
add("[N, C]: uneven", [7], 11, [3, 6, 1], 1)
add("[N, C]: one example a rank", [3], 21, [1, 1, 1, 1], 2)
add("[N, C, H, W]: last of three", [4, 5, 3], 31, [2, 2, 3], 2)
add("[N, C, H, W]: another has none", [4, 3, 3], 41, [2, 0, 3], 0)
add("[N, C, L]: no scale", [6, 9], 51, [3, 2], 1, weight=False)
add("[N, C, L]: no shift", [6, 9], 61, [3, 2], 0, bias=False)
add("momentum, biased", [3], 71, [5, 4], 0, momentum=0.3, runningVariance="biased", eps=1e-3)
add("alone", [3, 4], 81, [5], 0)

c.write()
