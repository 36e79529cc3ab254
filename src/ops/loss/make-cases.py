"""Vectors for the losses: python3 make-cases.py writes cases.json."""

import os
import sys

import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../test/conformance"))
from cases import Cases, integers, normal, tensor

c = Cases(__file__)


def cross_entropy(i, labelSmoothing=0.0, reduction="mean", ignoreIndex=-100):
    labels = i["labels"]
    return F.cross_entropy(i["x"], labels, label_smoothing=labelSmoothing, reduction=reduction, ignore_index=ignoreIndex)


def nll(i, reduction="mean", ignoreIndex=-100):
    return F.nll_loss(i["x"], i["labels"], reduction=reduction, ignore_index=ignoreIndex)


def mse(i, reduction="mean"):
    return F.mse_loss(i["x"], i["target"], reduction=reduction)


def bce(i, reduction="mean", posWeight=None):
    weight = i.get("posWeight", None if posWeight is None else torch.tensor(posWeight, dtype=torch.float64))
    return F.binary_cross_entropy_with_logits(i["x"], i["target"], reduction=reduction, pos_weight=weight)


def rows(shape, seed, std=2.0, mean=0.0):
    """Logits and labels of fitting shapes."""
    labels = integers([shape[0], *shape[2:]], seed + 1, 0, shape[1])
    return {"x": normal(shape, seed, mean, std), "labels": labels}


def ignoring(inputs, index, every):
    labels = inputs["labels"].clone()
    labels.reshape(-1)[::every] = index
    return {**inputs, "labels": labels}


for shape in [[1, 1], [3, 2], [5, 3], [4, 4], [7, 5], [17, 10], [2, 9], [3, 101]]:
    c.add("crossEntropy", f"{shape}", cross_entropy, rows(shape, 10))
for shape in [[2, 3, 1], [2, 3, 2], [2, 5, 4], [1, 10, 7], [3, 4, 3, 3], [2, 3, 2, 2, 3]]:
    c.add("crossEntropy", f"{shape}", cross_entropy, rows(shape, 20))
    c.add("crossEntropy", f"{shape}, one loss a row", cross_entropy, rows(shape, 20), {"reduction": "none"})
for reduction in ["mean", "sum", "none"]:
    for smoothing in [0.0, 0.1, 1.0]:
        attrs = {"reduction": reduction, "labelSmoothing": smoothing}
        c.add("crossEntropy", f"smoothing {smoothing}, {reduction}", cross_entropy, rows([9, 7], 30), attrs)
    attrs = {"reduction": reduction, "labelSmoothing": 0.25}
    c.add("crossEntropy", f"strided, smoothing 0.25, {reduction}", cross_entropy, rows([2, 6, 5], 31), attrs)
    for smoothing in [0.0, 0.1]:
        attrs = {"reduction": reduction, "ignoreIndex": -100, "labelSmoothing": smoothing}
        name = f"ignoring -100, smoothing {smoothing}, {reduction}"
        c.add("crossEntropy", name, cross_entropy, ignoring(rows([9, 7], 32), -100, 3), attrs)
        c.add("crossEntropy", f"strided, {name}", cross_entropy, ignoring(rows([3, 4, 5], 33), -100, 2), attrs)
    attrs = {"reduction": reduction, "ignoreIndex": 2}
    c.add("crossEntropy", f"ignoring class 2, {reduction}", cross_entropy, rows([11, 4], 34), attrs)
    c.add("crossEntropy", f"strided, ignoring class 2, {reduction}", cross_entropy, rows([2, 4, 6], 34), attrs)
c.add("crossEntropy", "logits far from zero", cross_entropy, rows([6, 10], 40, mean=10000.0))
c.add("crossEntropy", "logits far from zero, smoothing", cross_entropy, rows([6, 10], 40, mean=-10000.0), {"labelSmoothing": 0.1})
c.add("crossEntropy", "logits far apart", cross_entropy, rows([6, 10], 41, std=200.0), skip_gradcheck=True)
c.add("crossEntropy", "strided, logits far apart", cross_entropy, rows([2, 10, 3], 41, std=200.0), skip_gradcheck=True)
excluded = rows([5, 6], 42)
excluded["labels"] = integers([5], 43, 0, 3)
excluded["x"][:, 4] = -float("inf")
c.add("crossEntropy", "a class excluded by -infinity", cross_entropy, excluded, skip_gradcheck=True)
poisoned = rows([5, 6], 44)
poisoned["x"][2, 5] = float("nan")
c.add("crossEntropy", "NaN stays in its row", cross_entropy, poisoned, {"reduction": "none"}, skip_gradcheck=True)
c.add("crossEntropy", "no rows, sum", cross_entropy, rows([0, 4], 45), {"reduction": "sum"}, skip_gradcheck=True)
c.add("crossEntropy", "no rows, mean", cross_entropy, rows([0, 4], 45), skip_gradcheck=True)

for shape in [[1, 1], [7, 5], [17, 10], [2, 3, 5], [2, 4, 2, 3]]:
    for reduction in ["mean", "sum", "none"]:
        c.add("nllLoss", f"{shape}, {reduction}", nll, rows(shape, 50), {"reduction": reduction})
for reduction in ["mean", "sum", "none"]:
    attrs = {"reduction": reduction, "ignoreIndex": -1}
    c.add("nllLoss", f"ignoring -1, {reduction}", nll, ignoring(rows([9, 7], 51), -1, 3), attrs)
    c.add("nllLoss", f"ignoring class 0, {reduction}", nll, rows([3, 3, 4], 52), {"reduction": reduction, "ignoreIndex": 0})

for shape in [[], [1], [3], [5, 7], [4, 4], [2, 3, 17]]:
    for reduction in ["mean", "sum", "none"]:
        inputs = {"x": normal(shape, 60), "target": normal(shape, 61)}
        c.add("mseLoss", f"{shape}, {reduction}", mse, inputs, {"reduction": reduction})
c.add("mseLoss", "far from zero", mse, {"x": normal([33], 62, 10000), "target": normal([33], 63, 10000)})
c.add("mseLoss", "no elements, sum", mse, {"x": normal([0, 3], 1), "target": normal([0, 3], 1)}, {"reduction": "sum"})

for shape in [[], [1], [3], [5, 7], [4, 4], [2, 3, 17]]:
    for reduction in ["mean", "sum", "none"]:
        inputs = {"x": normal(shape, 70, 0, 3), "target": tensor(shape, 71, 0, 1)}
        c.add("bceWithLogits", f"{shape}, {reduction}", bce, inputs, {"reduction": reduction}, ["x"])
        hard = {**inputs, "target": integers(shape, 72, 0, 2).double()}
        attrs = {"reduction": reduction, "posWeight": 2.5}
        c.add("bceWithLogits", f"{shape}, hard targets, weight 2.5, {reduction}", bce, hard, attrs, ["x"])
weighted = {"x": normal([5, 7], 73, 0, 3), "target": tensor([5, 7], 74, 0, 1), "posWeight": tensor([7], 75, 0.25, 4)}
for reduction in ["mean", "sum", "none"]:
    c.add("bceWithLogits", f"a weight a class, {reduction}", bce, weighted, {"reduction": reduction}, ["x"])
steep = {
    "x": torch.tensor([-200.0, -90, -30, -12, -1e-3, 0, 1e-3, 12, 30, 90, 200], dtype=torch.float64).float().double().repeat(2),
    "target": torch.tensor([0.0] * 11 + [1.0] * 11, dtype=torch.float64),
}
c.add("bceWithLogits", "logits far from zero", bce, steep, {"reduction": "none"}, ["x"], skip_gradcheck=True)
c.write()
