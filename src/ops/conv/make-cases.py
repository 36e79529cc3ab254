"""Vectors for conv1d, conv2d, convTranspose1d and convTranspose2d: every option, widths that are no multiple of four, outputs
narrower than four pixels, panels of six, four and two rows and odd ones."""

import os
import sys

import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../../test/conformance"))
from cases import Cases, tensor

c = Cases(__file__)


def snake(options):
    return {"output_padding" if key == "outputPadding" else key: value for key, value in options.items()}


def forward(op, i, padding=0, **options):
    """PyTorch pads both sides alike: where they differ, the image is padded first, or the output cut."""
    if op in ("conv1d", "conv2d"):
        function = F.conv1d if op == "conv1d" else F.conv2d
        if not uneven(padding):
            return function(i["x"], i["weight"], i.get("bias"), padding=padding, **options)
        x = F.pad(i["x"], [n for side in reversed(padding) for n in side])
        return function(x, i["weight"], i.get("bias"), **options)
    function = F.conv_transpose1d if op == "convTranspose1d" else F.conv_transpose2d
    if not uneven(padding):
        return function(i["x"], i["weight"], i.get("bias"), padding=padding, **options)
    y = function(i["x"], i["weight"], i.get("bias"), **options)
    for axis, (before, after) in enumerate(padding, start=2):
        y = y.narrow(axis, before, y.shape[axis] - before - after)
    return y


def uneven(padding):
    return isinstance(padding, list) and isinstance(padding[0], list)


def add(op, name, x, weight, bias=True, **options):
    inputs = {"x": tensor(x, 1), "weight": tensor(weight, 2)}
    if bias:
        channels = weight[1] * options.get("groups", 1) if op.startswith("convTranspose") else weight[0]
        inputs["bias"] = tensor([channels], 3)
    c.add(op, name, lambda i, **o: forward(op, i, **snake(o)), inputs, options)


add("conv2d", "one pixel", [1, 1, 1, 1], [1, 1, 1, 1])
add("conv2d", "width 8, six outputs", [2, 1, 6, 12], [6, 1, 5, 5])
add("conv2d", "sixteen outputs", [1, 3, 5, 9], [16, 3, 2, 2])
add("conv2d", "width 5, no bias", [2, 2, 4, 7], [5, 2, 3, 3], bias=False)
add("conv2d", "width 7, seven outputs", [1, 3, 4, 9], [7, 3, 2, 3])
add("conv2d", "width 17, one output", [1, 2, 4, 19], [1, 2, 3, 3])
add("conv2d", "width 3, nine images", [9, 2, 4, 5], [3, 2, 3, 3])
add("conv2d", "width 1, all of the image", [3, 2, 3, 4], [8, 2, 3, 4])
add("conv2d", "width 2, padding and stride", [2, 3, 5, 4], [4, 3, 3, 3], padding=1, stride=2)
add("conv2d", "padding 1", [2, 2, 5, 6], [4, 2, 3, 3], padding=1)
add("conv2d", "padding by axis", [1, 2, 4, 5], [3, 2, 3, 2], padding=[2, 1])
add("conv2d", "padding wider than the kernel", [1, 1, 3, 3], [2, 1, 2, 2], padding=3)
add("conv2d", "stride 2", [1, 3, 7, 11], [4, 3, 3, 3], stride=2)
add("conv2d", "stride 2, padding 1", [2, 2, 8, 9], [6, 2, 3, 3], stride=2, padding=1)
add("conv2d", "stride by axis", [1, 2, 6, 14], [2, 2, 2, 3], stride=[1, 3])
add("conv2d", "stride longer than the kernel", [1, 2, 7, 13], [3, 2, 2, 2], stride=3)
add("conv2d", "pixels after the last stride", [1, 1, 6, 10], [2, 1, 3, 3], stride=[2, 2])
add("conv2d", "dilation 2", [1, 2, 6, 9], [3, 2, 2, 3], dilation=2)
add("conv2d", "dilation by axis, padding, stride", [1, 2, 7, 11], [4, 2, 3, 3], dilation=[1, 2], padding=[0, 2], stride=[2, 2])
add("conv2d", "dilation 3 and stride 2", [1, 1, 9, 13], [2, 1, 2, 3], dilation=3, stride=2, padding=1)
add("conv2d", "two groups", [2, 4, 4, 6], [6, 2, 3, 3], groups=2, padding=1)
add("conv2d", "depthwise", [2, 3, 5, 6], [3, 1, 3, 3], groups=3, padding=1)
add("conv2d", "depthwise, two outputs a channel, narrow", [1, 3, 4, 4], [6, 1, 3, 3], groups=3)
add("conv2d", "pointwise", [2, 5, 3, 3], [7, 5, 1, 1])
add("conv2d", "pointwise, stride 2", [2, 3, 5, 7], [4, 3, 1, 1], stride=2)
add("conv2d", "pointwise, narrow", [3, 5, 1, 3], [2, 5, 1, 1])
add("conv2d", "same", [1, 2, 4, 5], [3, 2, 3, 3], padding="same")
add("conv2d", "same, even kernel and dilation", [1, 2, 5, 6], [2, 2, 2, 4], padding="same", dilation=[1, 3])
add("conv2d", "valid", [1, 2, 4, 5], [3, 2, 3, 2], padding="valid")
add("conv2d", "padding for each side", [2, 2, 4, 6], [3, 2, 3, 3], padding=[[0, 1], [2, 0]])
add("conv2d", "padding for each side, stride 2, groups", [1, 4, 7, 8], [4, 2, 3, 3], padding=[[0, 1], [0, 1]], stride=2, groups=2)

add("conv1d", "length 17", [2, 3, 19], [5, 3, 3])
add("conv1d", "narrow", [3, 2, 4], [4, 2, 3])
add("conv1d", "stride, padding, dilation, groups", [2, 4, 15], [6, 2, 3], stride=2, padding=3, dilation=2, groups=2)
add("conv1d", "same", [1, 2, 9], [3, 2, 4], padding="same")
add("conv1d", "padding for each side", [2, 2, 7], [3, 2, 3], padding=[[2, 0]])

add("convTranspose1d", "length 17", [2, 3, 8], [3, 4, 3], stride=2)
add("convTranspose1d", "all options", [1, 4, 5], [4, 3, 3], stride=3, padding=1, outputPadding=1, dilation=2, groups=2)
add("convTranspose1d", "narrow, padding for each side", [9, 2, 2], [2, 3, 4], padding=[[1, 2]])

add("convTranspose2d", "one pixel", [1, 1, 1, 1], [1, 1, 1, 1])
add("convTranspose2d", "width 8", [2, 3, 2, 8], [3, 4, 3, 3])
add("convTranspose2d", "width 5, no bias", [1, 2, 3, 5], [2, 7, 2, 3], bias=False)
add("convTranspose2d", "narrow", [9, 2, 2, 3], [2, 3, 3, 3])
add("convTranspose2d", "stride 2", [1, 3, 3, 4], [3, 2, 2, 2], stride=2)
add("convTranspose2d", "stride 2, padding 1, output padding 1", [1, 2, 3, 5], [2, 3, 3, 3], stride=2, padding=1, outputPadding=1)
add("convTranspose2d", "output padding by axis, narrow", [2, 2, 2, 2], [2, 3, 3, 3], stride=[3, 2], outputPadding=[2, 0])
add("convTranspose2d", "output padding less than the dilation", [1, 2, 3, 4], [2, 2, 2, 2], dilation=2, outputPadding=1)
add("convTranspose2d", "dilation and groups", [1, 4, 3, 5], [4, 3, 2, 3], dilation=2, groups=2, padding=1)
add("convTranspose2d", "depthwise", [2, 3, 3, 4], [3, 1, 3, 3], groups=3, stride=2)
add("convTranspose2d", "padding for each side", [1, 2, 3, 4], [2, 3, 3, 3], padding=[[0, 1], [2, 1]], stride=2)

c.write()
