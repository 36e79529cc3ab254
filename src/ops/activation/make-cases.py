"""PyTorch's answers for activations. Run: python3 make-cases.py"""

import os
import sys

import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../test/conformance"))
from cases import Cases, away_from_zero, normal, tensor

c = Cases(__file__)
nan, inf = float("nan"), float("inf")


def values(*numbers):
    return torch.tensor(numbers, dtype=torch.float64).float().double()


POINTWISE = {
    "relu": (F.relu, {}),
    "leakyRelu": (lambda x, negativeSlope=0.01: F.leaky_relu(x, negativeSlope), {}),
    "sigmoid": (torch.sigmoid, {}),
    "tanh": (torch.tanh, {}),
    "gelu": (lambda x, approximate="none": F.gelu(x, approximate=approximate), {}),
    "silu": (F.silu, {}),
}
for op, (fn, _) in POINTWISE.items():
    call = lambda i, fn=fn, **attrs: fn(i["x"], **attrs)
    for number, shape in enumerate([[1], [3], [2, 9], [17], [2, 3, 5, 7], [], [0, 3]]):
        c.add(op, f"{shape}", call, {"x": away_from_zero(normal(shape, number, 0, 2))})
    c.add(op, "around zero", call, {"x": away_from_zero(tensor([33], 20, -0.02, 0.02), 1e-3)}, gradcheck_eps=3e-6)
    c.add(op, "wide", call, {"x": torch.linspace(-30, 30, 41).double() + 0.125}, skip_gradcheck=True)
    c.add(op, "at 1e-6", call, {"x": values(1e-6)}, skip_gradcheck=True)
    for x in (-5, -3, -0.7, 0.6, 0.63, 5):
        # Far out, tanh is so close to 1 that float32 has no digits left for its derivative.
        c.add(op, f"at {x}", call, {"x": values(x)}, grads=[] if op == "tanh" and abs(x) > 3 else None)
    c.add(op, "NaN", call, {"x": values(nan, 1, -1)}, grads=[])
c.add("relu", "at zero", lambda i: F.relu(i["x"]), {"x": values(0, -1, 1)}, skip_gradcheck=True)
c.add("leakyRelu", "slope 0.2", lambda i, negativeSlope: F.leaky_relu(i["x"], negativeSlope), {"x": away_from_zero(normal([9], 30))}, {"negativeSlope": 0.2})
c.add("leakyRelu", "slope 0", lambda i, negativeSlope: F.leaky_relu(i["x"], negativeSlope), {"x": away_from_zero(normal([9], 30))}, {"negativeSlope": 0})
for op in ("sigmoid", "tanh", "relu"):
    c.add(op, "infinite and far out", lambda i, op=op: POINTWISE[op][0](i["x"]), {"x": values(inf, -inf, 1000, -1000, 88, 100)}, skip_gradcheck=True)
for x in (-60, -80):
    c.add("sigmoid", f"at {x}", lambda i: torch.sigmoid(i["x"]), {"x": values(x)}, skip_gradcheck=True)
for shape, low, high in (([17], -3, 3), ([41], -8, 8), ([5], 0.001, 0.01)):
    c.add("gelu", f"tanh, {shape} in [{low}, {high})", lambda i, approximate: F.gelu(i["x"], approximate=approximate), {"x": tensor(shape, 31, low, high)}, {"approximate": "tanh"})

SOFTMAX = {"softmax": torch.softmax, "logSoftmax": torch.log_softmax}
for op, fn in SOFTMAX.items():
    call = lambda i, fn=fn, axis=-1: fn(i["x"], axis)
    for number, (shape, axis) in enumerate([([5], 0), ([1], 0), ([3, 10], 1), ([3, 10], 0), ([2, 3, 17], -1), ([2, 5, 3], 1), ([4, 7, 9], 0), ([2, 9, 2, 2], 1), ([3, 1], 1), ([0, 4], 1), ([4, 0], 1)]):
        c.add(op, f"{shape} along {axis}", call, {"x": normal(shape, number, 0, 3)}, {"axis": axis})
    c.add(op, "large", call, {"x": normal([3, 7], 40, 1000, 30)}, {"axis": 1}, gradcheck_eps=3e-4)
    c.add(op, "large, columns", call, {"x": normal([7, 3], 41, -1000, 30)}, {"axis": 0}, gradcheck_eps=3e-4)
    c.add(op, "some impossible", call, {"x": values(1, -inf, 2, -inf, 0, 1).reshape(2, 3)}, {"axis": 1}, skip_gradcheck=True, grads=["x"] if op == "softmax" else [])
    c.add(op, "NaN", call, {"x": values(1, nan, 2, 0, 1, 3).reshape(2, 3)}, {"axis": 1}, grads=[])
c.write()
