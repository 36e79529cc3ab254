"""Vectors for pooling: python3 make-cases.py writes cases.json."""

import os
import sys

import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../test/conformance"))
from cases import Cases, distinct, normal

c = Cases(__file__)
GAP = 1 / 64


def average(pool):
    def run(i, kernelSize, stride=None, padding=0, ceilMode=False, countIncludePad=True):
        return pool(i["x"], kernelSize, stride, padding, ceilMode, countIncludePad)

    return run


def maximum(pool):
    def run(i, kernelSize, stride=None, padding=0, dilation=1, ceilMode=False):
        return pool(i["x"], kernelSize, stride, padding, dilation, ceilMode)

    return run


def label(shape, attrs):
    return ", ".join([str(shape), *(f"{key} {value}" for key, value in attrs.items())])


def avg1(shape, **attrs):
    c.add("avgPool1d", label(shape, attrs), average(F.avg_pool1d), {"x": normal(shape, 1)}, attrs)


def avg2(shape, **attrs):
    c.add("avgPool2d", label(shape, attrs), average(F.avg_pool2d), {"x": normal(shape, 2)}, attrs)


def max1(shape, **attrs):
    c.add("maxPool1d", label(shape, attrs), maximum(F.max_pool1d), {"x": distinct(shape, 3, GAP)}, attrs)


def max2(shape, **attrs):
    c.add("maxPool2d", label(shape, attrs), maximum(F.max_pool2d), {"x": distinct(shape, 4, GAP)}, attrs)


# Windows of 2 x 2: outputs of 1 to 17 columns, odd remainders on either axis.
for shape in [[1, 1, 2, 2], [2, 3, 2, 8], [2, 2, 3, 9], [1, 3, 4, 7], [2, 1, 5, 10], [1, 2, 6, 24], [1, 1, 2, 35], [2, 2, 8, 8]]:
    avg2(shape, kernelSize=2)
    max2(shape, kernelSize=2)
avg2([0, 2, 4, 4], kernelSize=2)
max2([0, 2, 4, 4], kernelSize=2)

for avg_or_max in [avg2, max2]:
    avg_or_max([1, 2, 5, 7], kernelSize=1)
    avg_or_max([2, 1, 7, 9], kernelSize=3)
    avg_or_max([2, 1, 7, 9], kernelSize=3, stride=1)
    avg_or_max([2, 1, 7, 9], kernelSize=3, stride=2, padding=1)
    avg_or_max([1, 2, 7, 9], kernelSize=2, stride=1)
    avg_or_max([1, 2, 7, 9], kernelSize=2, stride=2, padding=1)
    avg_or_max([1, 1, 9, 7], kernelSize=[3, 2], stride=[1, 3], padding=[1, 0])
    avg_or_max([1, 1, 9, 7], kernelSize=[2, 5], stride=[3, 2], padding=[1, 2])
    avg_or_max([1, 2, 8, 7], kernelSize=2, stride=4)
    avg_or_max([1, 2, 7, 9], kernelSize=2, ceilMode=True)
    avg_or_max([1, 2, 8, 8], kernelSize=2, ceilMode=True)
    avg_or_max([1, 2, 6, 8], kernelSize=3, stride=2, ceilMode=True)
    avg_or_max([1, 2, 6, 8], kernelSize=3, stride=2, padding=1, ceilMode=True)
    avg_or_max([1, 1, 5, 5], kernelSize=2, stride=3, padding=1, ceilMode=True)
    avg_or_max([2, 3, 5, 7], kernelSize=[5, 7])
    avg_or_max([1, 1, 17, 18], kernelSize=17, stride=1)
    avg_or_max([1, 1, 16, 17], kernelSize=16, stride=1)
for shape, attrs in [
    ([2, 1, 7, 9], {"kernelSize": 3, "stride": 2, "padding": 1}),
    ([1, 1, 9, 7], {"kernelSize": [2, 5], "stride": [3, 2], "padding": [1, 2]}),
    ([1, 2, 6, 8], {"kernelSize": 3, "stride": 2, "padding": 1, "ceilMode": True}),
    ([1, 2, 6, 8], {"kernelSize": 2, "stride": 2, "padding": 1, "ceilMode": True}),
    ([1, 2, 6, 8], {"kernelSize": 2}),
]:
    avg2(shape, **attrs, countIncludePad=False)
max2([1, 1, 9, 11], kernelSize=3, stride=1, dilation=2)
max2([1, 1, 9, 11], kernelSize=[2, 3], stride=2, padding=1, dilation=[3, 2])
max2([1, 1, 9, 11], kernelSize=2, stride=2, dilation=2, ceilMode=True)
max2([1, 1, 9, 11], kernelSize=3, stride=3, padding=1, dilation=2, ceilMode=True)

for avg_or_max in [avg1, max1]:
    for shape in [[1, 1, 3], [2, 3, 17], [2, 2, 8]]:
        avg_or_max(shape, kernelSize=2)
        avg_or_max(shape, kernelSize=3, stride=2, padding=1)
        avg_or_max(shape, kernelSize=3, stride=1, padding=1)
        avg_or_max(shape, kernelSize=3, stride=2, padding=1, ceilMode=True)
avg1([2, 3, 17], kernelSize=4, stride=3, padding=2, countIncludePad=False)
max1([2, 3, 17], kernelSize=3, stride=2, padding=1, dilation=3)


def special(name, values, **attrs):
    x = torch.tensor(values, dtype=torch.float64).reshape(1, 1, len(values), -1)
    c.add("maxPool2d", name, maximum(F.max_pool2d), {"x": x}, attrs, skip_gradcheck=True)


nan, inf = float("nan"), float("inf")
rows = [
    [1, 2, 3, nan, 5, 6, 7, 8, 4, 4, -inf, -inf],
    [nan, 0, 9, 9, 6, 6, -inf, inf, 4, 4, -inf, -inf],
    [nan, nan, 0, -1, -1, 0, 2, nan, 1, 1, 0, nan],
    [nan, nan, -1, 0, 0, -1, nan, 2, 1, 1, nan, 0],
]
special("NaN, infinities and ties, windows that touch", rows, kernelSize=2)
special("NaN, infinities and ties, short rows", [row[6:] for row in rows], kernelSize=2)
special("NaN, infinities and ties, windows that overlap", rows, kernelSize=3, stride=1, padding=1)

for size in [1, 2, 3, 7, [1, 5], [3, None], [None, None], [9, 11]]:
    for shape in [[2, 1, 7, 9], [1, 2, 6, 8]]:
        run = lambda i, outputSize: F.adaptive_avg_pool2d(i["x"], outputSize)
        c.add("adaptiveAvgPool2d", f"{shape} to {size}", run, {"x": normal(shape, 5)}, {"outputSize": size})
far = {"x": normal([2, 3, 7, 9], 6, 10000, 1)}
c.add("adaptiveAvgPool2d", "global, mean far larger than deviation", run, far, {"outputSize": 1})
for size in [1, 3, 4]:
    run1 = lambda i, outputSize: F.adaptive_avg_pool1d(i["x"], outputSize)
    c.add("adaptiveAvgPool1d", f"[2, 3, 17] to {size}", run1, {"x": normal([2, 3, 17], 7)}, {"outputSize": size})
c.write()
