"""Vectors for RMS normalization: the formula in PyTorch, which in this version has no such function."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../../../test/conformance"))

from cases import Cases, normal, tensor

c = Cases(__file__)


def rms_norm(i, normalizedShape, eps=2.0**-23):
    axes = tuple(range(-len(normalizedShape), 0))
    y = i["x"] / (i["x"].pow(2).mean(axes, keepdim=True) + eps).sqrt()
    return y * i["weight"] if "weight" in i else y


def add(name, shape, axes, weight=True, mean=0.5, **attrs):
    last = shape[len(shape) - axes :]
    i = {"x": normal(shape, sum(shape), mean, 2.0)}
    if weight:
        i["weight"] = tensor(last, 1, 0.5, 1.5)
    c.add("rmsNorm", name, rms_norm, i, {"normalizedShape": last, **attrs})


for shape in ([4, 7], [3, 16], [2, 3, 9], [70, 5], [1, 33], [2, 12], [3, 2100]):
    add(f"last axis of {shape}", shape, 1)
add("two axes", [3, 4, 5], 2)
add("no scale", [4, 9], 1, weight=False)
add("eps 1e-3", [4, 9], 1, eps=1e-3)
add("mean ten times the deviation", [6, 20], 1, mean=20.0)

c.write()
