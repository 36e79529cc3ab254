"""PyTorch vectors for group normalization."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../../../test/conformance"))

import torch
import torch.nn.functional as F
from cases import Cases, normal, tensor

c = Cases(__file__)


def group_norm(i, numGroups, eps=1e-5):
    # A shift without a scale is more than this PyTorch's backward can do.
    weight = i.get("weight", torch.ones(i["x"].shape[1], dtype=torch.float64))
    return F.group_norm(i["x"], numGroups, weight, i.get("bias"), eps)


def add(name, shape, groups, weight=True, bias=True, mean=0.5, **attrs):
    i = {"x": normal(shape, sum(shape) + groups, mean, 2.0)}
    if weight:
        i["weight"] = tensor([shape[1]], 1, 0.5, 1.5)
    if bias:
        i["bias"] = tensor([shape[1]], 2)
    c.add("groupNorm", name, group_norm, i, {"numGroups": groups, **attrs})


for shape, groups in (([4, 6], 2), ([3, 8, 5], 4), ([2, 6, 3, 3], 3), ([2, 6, 3, 3], 1), ([2, 4, 7, 5], 4), ([1, 4, 2, 3, 2], 2), ([20, 12], 3), ([2, 2, 33, 35], 2)):
    add(f"{groups} groups of {shape}", shape, groups)
add("no shift", [3, 4, 5], 2, bias=False)
add("no scale", [3, 4, 5], 2, weight=False)
add("neither", [3, 4, 5], 2, weight=False, bias=False)
add("neither, without positions", [3, 8], 2, weight=False, bias=False)
add("eps 1e-3", [3, 4, 5], 2, eps=1e-3)
add("mean ten times the deviation", [3, 4, 5], 2, mean=20.0)

c.write()
