"""Vectors for linear: any number of leading axes, with and without bias, sizes around the 6 x 8 tile."""

import os
import sys

import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../../test/conformance"))
from cases import Cases, tensor

c = Cases(__file__)


def add(name, x, out, bias=True):
    inputs = {"x": tensor(x, 1), "weight": tensor([out, x[-1]], 2)}
    if bias:
        inputs["bias"] = tensor([out], 3)
    c.add("linear", name, lambda i: F.linear(i["x"], i["weight"], i.get("bias")), inputs)


add("one by one", [1, 1], 1)
add("edges of tiles", [7, 9], 5)
add("no bias", [17, 5], 10, bias=False)
add("no leading axis", [17], 9)
add("three axes", [2, 3, 5], 7)
add("one example", [1, 33], 17)
add("one output", [19, 12], 1)
add("many rows", [150, 3], 2)
add("empty batch", [0, 4], 3)

c.write()
