"""Vectors for weight standardization: the paper's formula in PyTorch's float64."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../../../test/conformance"))

from cases import Cases, tensor

c = Cases(__file__)


def standardize(i, eps=1e-5):
    w = i["weight"]
    axes = tuple(range(1, w.ndim))
    return (w - w.mean(axes, keepdim=True)) / (w.var(axes, unbiased=False, keepdim=True) + eps).sqrt()


for shape in ([4, 3, 3, 3], [2, 5], [3, 2, 5], [1, 1, 5, 5]):
    c.add("standardizeWeight", f"{shape}", standardize, {"weight": tensor(shape, sum(shape))})
c.add("standardizeWeight", "eps 1e-3", standardize, {"weight": tensor([3, 4], 1)}, {"eps": 1e-3})

c.write()
