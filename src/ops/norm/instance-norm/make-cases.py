"""PyTorch vectors for instance normalization, with and without running statistics."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../../../test/conformance"))

import torch.nn.functional as F
from cases import Cases, normal, tensor

c = Cases(__file__)


def instance_norm(i, useInputStats=True, momentum=0.1, eps=1e-5):
    mean, var = i.get("runningMean"), i.get("runningVar")
    y = F.instance_norm(i["x"], mean, var, i.get("weight"), i.get("bias"), useInputStats, momentum, eps)
    return y if mean is None else (y, {"runningMean": mean, "runningVar": var})


def add(name, shape, affine=True, running=False, mean=0.5, **attrs):
    i = {"x": normal(shape, sum(shape), mean, 2.0)}
    if affine:
        i["weight"] = tensor([shape[1]], 1, 0.5, 1.5)
        i["bias"] = tensor([shape[1]], 2)
    grads = list(i)
    if running:
        i["runningMean"] = tensor([shape[1]], 3)
        i["runningVar"] = tensor([shape[1]], 4, 0.5, 2.0)
    c.add("instanceNorm", name, instance_norm, i, attrs, grads=grads)


for shape in ([3, 2, 9], [2, 3, 5, 5], [2, 5, 2, 3], [1, 2, 3, 2, 3], [5, 3, 7]):
    add(f"{shape}", shape)
add("no parameters", [2, 3, 7], affine=False)
add("tracking", [3, 4, 5], running=True)
add("tracking, momentum 0.3", [2, 3, 3, 3], running=True, momentum=0.3)
add("running statistics", [2, 3, 3, 3], running=True, useInputStats=False)
add("eps 1e-3", [3, 4, 5], eps=1e-3)
add("mean ten times the deviation", [3, 4, 5], mean=20.0)

c.write()
