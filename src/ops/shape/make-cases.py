"""PyTorch's answers for moving elements. Run: python3 make-cases.py"""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../test/conformance"))
from cases import Cases, integers, normal

c = Cases(__file__)

for shape, to in (([6], [2, 3]), ([2, 3, 4], [4, -1]), ([2, 3], [-1]), ([1], []), ([], [1, 1]), ([0, 3], [3, 0]), ([0, 3], [-1, 3])):
    c.add("reshape", f"{shape} to {to}", lambda i, shape: i["x"].reshape(shape), {"x": normal(shape, 1)}, {"shape": to})
c.add("reshape", "int32", lambda i, shape: i["x"].reshape(shape), {"x": integers([2, 3], 1, 0, 9)}, {"shape": [3, 2]})

for shape, a in (([2, 3, 4], {}), ([2, 3, 4], {"startAxis": 1}), ([2, 3, 4, 5], {"startAxis": 1, "endAxis": 2}), ([5], {}), ([], {})):
    c.add(
        "flatten", f"{shape} {a}", lambda i, **a: i["x"].flatten(a.get("startAxis", 0), a.get("endAxis", -1)),
        {"x": normal(shape, 2)}, a,
    )

for shape, a, b in (([3, 5], 0, 1), ([17, 9], 0, 1), ([4, 8], -1, -2), ([2, 3, 5], 0, 2), ([2, 7, 6], 1, 2), ([2, 3, 5], 0, 1), ([1, 5], 0, 1), ([0, 3], 0, 1), ([7], 0, 0)):
    c.add("transpose", f"{shape}, {a} and {b}", lambda i, a, b: i["x"].transpose(a, b), {"x": normal(shape, 3)}, {"a": a, "b": b})

for shape, axes in (
    ([2, 3, 4], [2, 0, 1]),
    ([2, 3, 4], [1, 2, 0]),
    ([2, 3, 4], [0, 1, 2]),
    ([2, 3, 4, 5], [0, 2, 3, 1]),
    ([2, 3, 4, 5], [0, 3, 1, 2]),
    ([2, 3, 4, 5], [3, 2, 1, 0]),
    ([2, 3, 4, 5], [2, 1, 0, 3]),
    ([3, 2, 5, 2, 3], [3, 0, 4, 2, 1]),
    ([19, 5, 2], [1, 0, -1]),
    ([1, 6, 1], [2, 1, 0]),
    ([], []),
):
    c.add("permute", f"{shape} by {axes}", lambda i, axes: i["x"].permute(axes), {"x": normal(shape, 4)}, {"axes": axes})
c.add("permute", "uint8 images to NCHW", lambda i, axes: i["x"].permute(axes), {"x": integers([2, 5, 7, 3], 1, 0, 256, torch.uint8)}, {"axes": [0, 3, 1, 2]})
c.add("permute", "uint8 rows", lambda i, axes: i["x"].permute(axes), {"x": integers([3, 2, 7], 1, 0, 256, torch.uint8)}, {"axes": [1, 0, 2]})
c.add("permute", "int32", lambda i, axes: i["x"].permute(axes), {"x": integers([6, 5], 1, -9, 9)}, {"axes": [1, 0]})

for shapes, axis in (([[2, 3], [4, 3]], 0), ([[2, 3], [2, 1], [2, 5]], 1), ([[2, 3, 5], [2, 4, 5]], -2), ([[3]], 0), ([[0, 2], [3, 2]], 0)):
    inputs = {f"x{k}": normal(shape, k) for k, shape in enumerate(shapes)}
    c.add("concat", f"{shapes} along {axis}", lambda i, axis: torch.cat(list(i.values()), axis), inputs, {"axis": axis})
c.add(
    "concat", "uint8", lambda i, axis: torch.cat(list(i.values()), axis),
    {"a": integers([2, 3], 1, 0, 256, torch.uint8), "b": integers([2, 7], 2, 0, 256, torch.uint8)}, {"axis": 1},
)

for shape, axis, begin, end in (([7], 0, 2, 5), ([4, 5], 0, 1, 3), ([4, 5], 1, 1, 4), ([3, 5, 7], 1, 0, 2), ([3, 5, 7], -1, -3, -1), ([4, 3], 0, 2, 2), ([4, 3], 0, 0, 4)):
    c.add(
        "slice", f"{shape}[{begin}:{end}] along {axis}",
        lambda i, axis, begin, end: i["x"].transpose(0, axis)[begin:end].transpose(0, axis),
        {"x": normal(shape, 5)}, {"axis": axis, "begin": begin, "end": end},
    )
c.add("slice", "uint8", lambda i, axis, begin, end: i["x"][:, begin:end], {"x": integers([3, 9], 1, 0, 256, torch.uint8)}, {"axis": 1, "begin": 3, "end": 8})
c.write()
