"""Vectors for filter response normalization: the paper's formula in PyTorch's float64."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../../../test/conformance"))

import torch
from cases import Cases, normal, tensor

c = Cases(__file__)


def frn(i, eps=1e-6):
    x, shape = i["x"], [1, -1] + [1] * (i["x"].ndim - 2)
    y = x / (x.pow(2).mean(tuple(range(2, x.ndim)), keepdim=True) + eps).sqrt()
    y = y * i["weight"].reshape(shape) if "weight" in i else y
    y = y + i["bias"].reshape(shape) if "bias" in i else y
    return torch.maximum(y, i["threshold"].reshape(shape)) if "threshold" in i else y


def add(name, shape, keys=("weight", "bias", "threshold"), **attrs):
    i = {"x": normal(shape, sum(shape), 0.5, 2.0)}
    for seed, key in enumerate(keys):
        i[key] = tensor([shape[1]], seed, 0.5, 1.5) if key == "weight" else tensor([shape[1]], seed)
    c.add("filterResponseNorm", name, frn, i, attrs)


for shape in ([3, 2, 9], [2, 3, 5, 5], [2, 5, 2, 3], [1, 2, 2, 3, 2]):
    add(f"{shape}", shape)
add("no threshold", [2, 3, 7], ("weight", "bias"))
add("no parameters", [2, 3, 7], ())
add("eps 1e-2", [2, 3, 7], eps=1e-2)

c.write()
