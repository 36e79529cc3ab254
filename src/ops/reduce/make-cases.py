"""PyTorch's answers for reductions. Run: python3 make-cases.py"""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../test/conformance"))
from cases import Cases, distinct, normal

c = Cases(__file__)
nan, inf = float("nan"), float("inf")


def values(*numbers):
    return torch.tensor(numbers, dtype=torch.float64).float().double()


def everywhere(shape, axes):
    return list(range(len(shape))) if axes is None else axes


REDUCE = {
    "sum": lambda x, axes, keep: x.sum(axes, keepdim=keep),
    "mean": lambda x, axes, keep: x.mean(axes, keepdim=keep),
    "max": lambda x, axes, keep: x.amax(axes, keepdim=keep),
    "min": lambda x, axes, keep: x.amin(axes, keepdim=keep),
}
SHAPES = [
    ([7], None, False),
    ([1], None, False),
    ([], None, False),
    ([3, 5], None, True),
    ([3, 5], [0], False),
    ([3, 5], [1], False),
    ([3, 5], [-1], True),
    ([17, 9], [0], True),
    ([9, 17], [1], False),
    ([2, 3, 5], [1], False),
    ([2, 3, 5], [0, 2], False),
    ([2, 3, 5], [0, 2], True),
    ([2, 3, 4, 5], [0, 2, 3], False),
    ([2, 3, 4, 5], [1, 3], True),
    ([4, 1, 3], [1], False),
    ([1, 6, 1], [0, 2], False),
    ([130, 6], [0], False),
    ([2, 70, 3], [1], False),
    ([600], [0], False),
]
for op, fn in REDUCE.items():
    for number, (shape, axes, keep) in enumerate(SHAPES):
        make = normal if op in ("sum", "mean") else distinct
        c.add(
            op, f"{shape} over {axes}{', kept' if keep else ''}",
            lambda i, fn=fn, shape=shape, **a: fn(i["x"], everywhere(shape, a["axes"]), a["keepDims"]) if shape else i["x"] * 1,
            {"x": make(shape, number)}, {"axes": axes, "keepDims": keep},
        )
    specials = values(nan, 1, 2, inf, 1, 2, -inf, nan, 0, 1, 2, inf).reshape(4, 3)
    for axis in (0, 1):
        attrs = {"axes": axis, "keepDims": False}
        c.add(op, f"NaN and infinity over {axis}", lambda i, fn=fn, axes=0, keepDims=0: fn(i["x"], axes, keepDims), {"x": specials}, attrs, grads=[])
for op in ("sum", "mean"):
    for shape, axes in (([0, 3], [0]), ([3, 0], [0]), ([3, 0, 2], [1, 2])):
        attrs = {"axes": axes, "keepDims": False}
        c.add(op, f"{shape} over {axes}", lambda i, op=op, axes=0, keepDims=0: REDUCE[op](i["x"], axes, keepDims), {"x": normal(shape, 1)}, attrs)
for op in ("max", "min"):
    ties = values(1, 3, 3, 0, 2, 2, 2, 2, -1, 5, -1, 5, 5, -1, -1).reshape(3, 5)
    for axes in ([0], [1], [0, 1]):
        attrs = {"axes": axes, "keepDims": True}
        c.add(op, f"ties over {axes}", lambda i, op=op, axes=0, keepDims=0: REDUCE[op](i["x"], axes, keepDims), {"x": ties}, attrs, skip_gradcheck=True)
    for shape in ([0, 3], [3, 0]):
        attrs = {"axes": [1 - shape.index(0)], "keepDims": False}
        c.add(op, f"{shape} over the other axis", lambda i, op=op, axes=0, keepDims=0: REDUCE[op](i["x"], axes, keepDims), {"x": normal(shape, 1)}, attrs)

INDEX = {"argmax": torch.argmax, "argmin": torch.argmin}
for op, fn in INDEX.items():
    for number, (shape, axis) in enumerate([([7], 0), ([3, 5], 0), ([3, 5], 1), ([2, 3, 5], 1), ([17, 9], -1), ([4, 1], 1), ([0, 3], 1)]):
        c.add(op, f"{shape} over {axis}", lambda i, fn=fn, axis=0: fn(i["x"], axis).int(), {"x": distinct(shape, number)}, {"axis": axis}, grads=[])
    ties = values(1, 3, 3, 0, 0, 2, nan, 1, nan, 0, inf, -inf, inf, -inf, 1).reshape(3, 5)
    c.add(op, "ties and NaN", lambda i, fn=fn, axis=0: fn(i["x"], axis).int(), {"x": ties}, {"axis": 1}, grads=[])
c.write()
