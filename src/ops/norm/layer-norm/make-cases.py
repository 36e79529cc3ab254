"""PyTorch vectors for layer normalization."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../../../test/conformance"))

import torch.nn.functional as F
from cases import Cases, normal, tensor

c = Cases(__file__)


def layer_norm(i, normalizedShape, eps=1e-5):
    return F.layer_norm(i["x"], normalizedShape, i.get("weight"), i.get("bias"), eps)


def add(name, shape, axes, weight=True, bias=True, mean=0.5, std=2.0, **attrs):
    last = shape[len(shape) - axes :]
    i = {"x": normal(shape, sum(shape), mean, std)}
    if weight:
        i["weight"] = tensor(last, 1, 0.5, 1.5)
    if bias:
        i["bias"] = tensor(last, 2)
    c.add("layerNorm", name, layer_norm, i, {"normalizedShape": last, **attrs})


for shape in ([4, 7], [3, 16], [2, 3, 9], [70, 5], [1, 33], [5, 3], [2, 1100]):
    add(f"last axis of {shape}", shape, 1)
add("two axes", [3, 4, 5], 2)
add("every axis", [3, 5], 2)
add("images", [2, 3, 5, 5], 3)
add("no shift", [4, 9], 1, bias=False)
add("no scale", [4, 9], 1, weight=False)
add("neither", [4, 9], 1, weight=False, bias=False)
add("eps 1e-3", [4, 9], 1, eps=1e-3)
add("mean ten times the deviation", [6, 20], 1, mean=20.0)

c.write()
