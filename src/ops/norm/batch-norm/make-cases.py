"""PyTorch vectors for batch normalization, functional form: training and evaluation, every rank,
every option. Buffers are compared after the call."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../../../test/conformance"))

import torch
import torch.nn.functional as F
from cases import Cases, integers, normal, tensor

c = Cases(__file__)


def batch_norm(i, training=True, momentum=0.1, eps=1e-5, runningVariance="unbiased", decay=None):
    if decay is not None:
        momentum = 1 - decay
    mean, var = i.get("runningMean"), i.get("runningVar")
    before = None if var is None else var.clone()
    y = F.batch_norm(i["x"], mean, var, i.get("weight"), i.get("bias"), training, momentum, eps)
    if mean is None:
        return y
    if training and runningVariance == "biased":
        axes = [a for a in range(i["x"].ndim) if a != 1]
        batch = i["x"].detach().var(axes, unbiased=False)
        var = (1 - momentum) * before + momentum * batch
    return y, {"runningMean": mean, "runningVar": var}


def inputs(shape, seed, affine=True, bias=True, running=True, mean=0.5, std=2.0):
    channels = shape[1]
    i = {"x": normal(shape, seed, mean, std)}
    if affine:
        i["weight"] = tensor([channels], seed + 1, 0.5, 1.5)
        if bias:
            i["bias"] = tensor([channels], seed + 2)
    if running:
        i["runningMean"] = tensor([channels], seed + 3)
        i["runningVar"] = tensor([channels], seed + 4, 0.5, 2.0)
    return i


def add(name, i, **attrs):
    grads = [key for key in i if not key.startswith("running")]
    c.add("batchNorm", name, batch_norm, i, attrs, grads=grads)


for shape in ([5, 3], [7, 17], [40, 35], [33, 16], [4, 3, 9], [3, 2, 5, 5], [2, 5, 4, 4], [2, 3, 1, 7], [2, 2, 3, 2, 3], [1, 1, 33, 35], [6, 2, 1, 1]):
    add(f"training {shape}", inputs(shape, sum(shape)))
    add(f"evaluation {shape}", inputs(shape, sum(shape) + 50), training=False)
# With two values and a small eps dx all but vanishes, and float32 keeps nothing of it.
add("two values a channel", inputs([2, 1], 99), eps=0.5)
add("one example, many positions", inputs([1, 3, 4, 5], 100))
add("no parameters", inputs([4, 5], 101, affine=False))
add("no shift", inputs([4, 5, 3], 102, bias=False))
add("no running statistics", inputs([4, 5], 103, running=False))
add("no parameters in evaluation", inputs([4, 5, 2], 104, affine=False), training=False)
add("eps 1e-3", inputs([4, 6, 2, 2], 105), eps=1e-3)
add("momentum 1", inputs([4, 6], 106), momentum=1.0)
add("momentum 0", inputs([4, 6], 107), momentum=0.0)
add("decay 0.9, biased, as Keras and the textbooks", inputs([10, 5], 108), decay=0.9, runningVariance="biased")
add("decay 0.99, biased, in space", inputs([3, 4, 3, 3], 109), decay=0.99, runningVariance="biased", eps=1e-3)
add("mean ten times the deviation", inputs([8, 3, 5, 5], 110, mean=20.0, std=2.0))



def channels_last(i, channelAxis, training=True):
    x = i["x"].movedim(channelAxis, 1)
    y = F.batch_norm(x, i["runningMean"], i["runningVar"], i["weight"], i["bias"], training)
    return y.movedim(1, channelAxis), {"runningMean": i["runningMean"], "runningVar": i["runningVar"]}


def last(shape, axis, seed):
    return {**inputs([2, shape[axis]], seed), "x": normal(shape, seed, 0.5, 2.0)}


for shape, axis in (([3, 4, 5], -1), ([2, 5, 3, 17], 3), ([4, 2, 3, 5], 2)):
    for training in (True, False):
        i = last(shape, axis, sum(shape))
        grads = ["x", "weight", "bias"]
        c.add("batchNorm", f"channels at axis {axis} of {shape}, training {training}", channels_last, i, {"channelAxis": axis, "training": training}, grads=grads)


def masked(i, momentum=0.1, eps=1e-5):
    """Statistics over the positions where the mask is 1; Keras's masked batch normalization."""
    x, shape = i["x"], [1, -1] + [1] * (i["x"].ndim - 2)
    m = i["mask"].double().unsqueeze(1)
    count, axes = m.sum(), [a for a in range(x.ndim) if a != 1]
    mean = (x * m).sum(axes) / count
    var = ((x - mean.reshape(shape)) ** 2 * m).sum(axes) / count
    y = (x - mean.reshape(shape)) / (var.reshape(shape) + eps).sqrt() * i["weight"].reshape(shape) + i["bias"].reshape(shape)
    state = {
        "runningMean": (1 - momentum) * i["runningMean"] + momentum * mean.detach(),
        "runningVar": (1 - momentum) * i["runningVar"] + momentum * var.detach() * count / (count - 1),
    }
    return y, state


for shape, seed in (([3, 4, 7], 1), ([2, 3, 17], 2), ([9, 5], 3), ([2, 2, 3, 3], 4)):
    i = inputs(shape, 120 + seed)
    i["mask"] = integers([shape[0], *shape[2:]], seed, 0, 2, torch.uint8)
    c.add("batchNorm", f"masked {shape}", masked, i, {}, grads=["x", "weight", "bias"])


def ghosts(i, virtualBatchSize):
    state = {"runningMean": i["runningMean"], "runningVar": i["runningVar"]}
    parts = i["x"].split(virtualBatchSize)
    return torch.cat([F.batch_norm(x, *state.values(), i["weight"], i["bias"], True) for x in parts]), state


for shape, size in (([8, 3], 4), ([7, 2, 5], 3), ([6, 17, 2, 2], 2), ([4, 2, 3], 9)):
    i = inputs(shape, 130 + size)
    c.add("batchNorm", f"virtual batches of {size} in {shape}", ghosts, i, {"virtualBatchSize": size}, grads=["x", "weight", "bias"])

# Constant channels: x - mean is 0, and so is dx but for the rounding of sums.
constant = inputs([4, 3, 2, 2], 111)
constant["x"] = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64).reshape(1, 3, 1, 1).expand(4, 3, 2, 2).clone()
c.add("batchNorm", "constant channels", batch_norm, constant, {}, grads=["weight", "bias"])

c.write()
