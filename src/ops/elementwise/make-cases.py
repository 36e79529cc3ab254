"""PyTorch's answers for elementwise arithmetic, functions and comparisons. Run: python3 make-cases.py"""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../test/conformance"))
from cases import Cases, away_from_zero, integers, tensor

c = Cases(__file__)
nan, inf = float("nan"), float("inf")


def values(*numbers):
    return torch.tensor(numbers, dtype=torch.float64).float().double()


BINARY = {
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "div": torch.div,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
}
SHAPES = [
    ([3, 5], [3, 5]),
    ([17], [17]),
    ([4, 7], [7]),
    ([7], [4, 7]),
    ([5, 9], [5, 1]),
    ([2, 3, 5], [3, 1]),
    ([2, 3, 4, 3], [1, 3, 1, 1]),
    ([3, 1], [1, 5]),
    ([2, 1, 3, 1], [5, 1, 7]),
    ([2, 3], []),
    ([1], [3, 3]),
    ([1, 1], [1]),
    ([0, 3], [3]),
]
for op, fn in BINARY.items():
    for number, (a, b) in enumerate(SHAPES):
        inputs = {"a": tensor(a, 2 * number), "b": away_from_zero(tensor(b, 2 * number + 1), 0.5)}
        c.add(op, f"{a} and {b}", lambda i, fn=fn: fn(i["a"], i["b"]), inputs)
    c.add(op, "a and 0.75", lambda i, fn=fn, **_: fn(i["a"], torch.tensor(0.75)), {"a": tensor([3, 3], 40)}, {"number": 0.75})
    c.add(
        op, "0.75 and a", lambda i, fn=fn, **_: fn(torch.tensor(0.75), i["a"]),
        {"a": away_from_zero(tensor([5], 41), 0.5)}, {"number": 0.75, "left": True},
    )
    specials = {"a": values(nan, 1, nan, inf, -inf, 0, 2), "b": values(1, nan, nan, -inf, 3, inf, inf)}
    c.add(op, "NaN and infinity", lambda i, fn=fn: fn(i["a"], i["b"]), specials, grads=[])
for op in ("maximum", "minimum"):
    ties = {"a": values(1, 2, 3, -1, 0), "b": values(1, 3, 2, -1, 0)}
    c.add(op, "ties", lambda i, op=op: BINARY[op](i["a"], i["b"]), ties, skip_gradcheck=True)

POSITIVE = ("log", "sqrt")
UNARY = {
    "neg": torch.neg,
    "exp": torch.exp,
    "log": torch.log,
    "sqrt": torch.sqrt,
    "abs": torch.abs,
    "square": torch.square,
}
for op, fn in UNARY.items():
    for number, shape in enumerate([[1], [3], [2, 7], [9], [3, 4, 5], [], [0]]):
        low, high = (0.1, 4) if op in POSITIVE else (-3, 3)
        x = tensor(shape, 60 + number, low, high)
        c.add(op, f"{shape}", lambda i, fn=fn: fn(i["x"]), {"x": x if op in POSITIVE else away_from_zero(x)})
    c.add(op, "NaN and infinity", lambda i, fn=fn: fn(i["x"]), {"x": values(nan, inf, -inf, 1, nan)}, grads=[])
c.add("abs", "at zero", lambda i: i["x"].abs(), {"x": values(0, -2, 3)}, skip_gradcheck=True)
c.add("log", "zero and below", lambda i: i["x"].log(), {"x": values(0, -1, 1, 1e-30, 1e30)}, grads=[])
c.add("exp", "wide", lambda i: i["x"].exp(), {"x": values(-80, -20, 0, 20, 80)}, grads=[])
c.add("exp", "beyond float32", lambda i: i["x"].exp(), {"x": values(-1000, 1000)}, grads=[])

for p in (2.0, 0.5, -1.0, 0.0, 1.0, 3.0, -2.0, -0.5, 2.5, -1.7, 5.0, -3.0, 0.1):
    positive = p != int(p)
    x = tensor([9], 80, 0.2, 3) if positive else away_from_zero(tensor([9], 81, -2, 2), 0.3)
    c.add("pow", f"{p}", lambda i, exponent: i["x"] ** exponent, {"x": x}, {"exponent": p})
for p in (0.0, 2.0, 3.0, -1.0, -3.0, 0.5, 0.7, -0.7):
    c.add(
        "pow", f"{p}, special values", lambda i, exponent: i["x"] ** exponent,
        {"x": values(*([] if p in (0.5, -0.5) else [-inf]), inf, nan, 1, 4, -8)}, {"exponent": p}, grads=[],
    )
    if p >= 0:
        c.add("pow", f"{p}, at zero", lambda i, exponent: i["x"] ** exponent, {"x": values(0, 0, 1)}, {"exponent": p}, grads=[])

x = tensor([3, 7], 90, -2, 2)
c.add("clamp", "both", lambda i, min, max: i["x"].clamp(min, max), {"x": x}, {"min": -0.5, "max": 0.75})
c.add("clamp", "min", lambda i, min: i["x"].clamp(min=min), {"x": x}, {"min": 0.25})
c.add("clamp", "max", lambda i, max: i["x"].clamp(max=max), {"x": x}, {"max": 0.25})
c.add(
    "clamp", "at the bounds, NaN", lambda i, min, max: i["x"].clamp(min, max),
    {"x": values(-1, 1, nan, inf, -inf, 0)}, {"min": -1, "max": 1}, skip_gradcheck=True,
)

COMPARE = {
    "equal": torch.eq,
    "notEqual": torch.ne,
    "greater": torch.gt,
    "greaterEqual": torch.ge,
    "less": torch.lt,
    "lessEqual": torch.le,
}
for op, fn in COMPARE.items():
    call = lambda i, fn=fn: fn(i["a"], i["b"])
    floats = {"a": values(1, 2, nan, nan, inf, 0, 3), "b": values(1, 3, 1, nan, inf, -0.0, 2)}
    c.add(op, "floats, NaN", call, floats, grads=[])
    c.add(op, "int32", call, {"a": integers([17], 1, -3, 3), "b": integers([17], 2, -3, 3)})
    c.add(op, "uint8", call, {"a": integers([3, 5], 3, 0, 4, torch.uint8), "b": integers([5], 4, 0, 4, torch.uint8)})
    c.add(op, "uint8 and int32", call, {"a": integers([9], 3, 0, 4, torch.uint8), "b": integers([9], 4, -3, 4)})
    c.add(op, "[4, 7] and [7]", call, {"a": integers([4, 7], 5, -2, 2).double(), "b": integers([7], 6, -2, 2).double()}, grads=[])
    c.add(op, "[5] and [3, 1]", call, {"a": integers([5], 7, -2, 2), "b": integers([3, 1], 8, -2, 2)})
    c.add(op, "int32 and 1", lambda i, fn=fn, **_: fn(i["a"], 1), {"a": integers([6], 9, -1, 3)}, {"number": 1})

c.add("toFloat", "int32", lambda i: i["x"].double(), {"x": integers([3, 7], 1, -1000, 1000)})
c.add("toFloat", "uint8", lambda i: i["x"].double(), {"x": integers([29], 1, 0, 256, torch.uint8)})
c.add("toFloat", "floating", lambda i: i["x"] * 1, {"x": tensor([5], 1)})
c.add("clone", "floating", lambda i: i["x"].clone(), {"x": tensor([5, 3], 1)})
c.add("clone", "int32", lambda i: i["x"].clone(), {"x": integers([3, 7], 1, -1000, 1000)})
c.write()
