"""Vectors for gatherRows and gatherImages."""

import os
import sys

import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../test/conformance"))
from cases import Cases, integers, tensor

c = Cases(__file__)


def rows(i):
    return i["x"][i["rows"]]


for name, shape in [("rows of 5", [7, 5]), ("scalars", [9]), ("images", [4, 2, 3, 3]), ("rows of 17", [3, 17])]:
    index = integers([6], 1, 0, shape[0])
    c.add("gatherRows", name, rows, {"x": tensor(shape, 2), "rows": index}, grads=[])
c.add("gatherRows", "labels", rows, {"x": integers([9], 3, 0, 10), "rows": integers([5], 4, 0, 9)}, grads=[])
c.add("gatherRows", "bytes", rows, {"x": integers([9, 7], 3, 0, 256, torch.uint8), "rows": integers([5], 4, 0, 9)}, grads=[])
c.add("gatherRows", "no rows", rows, {"x": tensor([3, 2], 5), "rows": integers([0], 6, 0, 3)}, grads=[])


def images(i, mean=0.0, std=1.0, windows=None, windowSize=None):
    chosen = i["x"][i["rows"]].double()
    if windows is not None:
        far = 20
        padded = F.pad(chosen, (far, far, far, far))
        height, width = windowSize or chosen.shape[2:]
        cut = []
        for n, (top, left, flip) in enumerate(torch.tensor(windows).reshape(-1, 3).tolist()):
            window = padded[n, :, far + top : far + top + height, far + left : far + left + width]
            cut.append(window.flip(2) if flip else window)
        chosen = torch.stack(cut)
    channel = lambda value: torch.tensor(value, dtype=torch.float64).reshape(-1, 1, 1)
    return (chosen / 255 - channel(mean)) / channel(std)


def add(name, shape, **attrs):
    x = integers(shape, len(name), 0, 256, torch.uint8)
    c.add("gatherImages", name, images, {"x": x, "rows": integers([5], 7, 0, shape[0])}, attrs, grads=[])


add("to [0, 1]", [4, 1, 5, 7])
add("one pixel", [4, 3, 1, 1])
add("normalized", [4, 1, 6, 6], mean=0.286, std=0.353)
add("normalized by channel", [3, 3, 5, 3], mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
corners = [0, 0, 0, -2, 1, 1, 3, -1, 0, 1, 2, 1, -1, -2, 1]
add("windows of the image's size", [4, 2, 6, 9], mean=0.5, std=0.25, windows=corners)
add("smaller windows", [4, 1, 9, 8], windows=corners, windowSize=[5, 3])
add("larger windows", [4, 1, 3, 5], windows=corners, windowSize=[7, 17])
add("windows beside the image", [4, 1, 5, 5], windows=[9, 0, 0, -9, 0, 1, 0, 9, 1, 0, -9, 0, -9, 9, 0], mean=0.5)
c.write()
