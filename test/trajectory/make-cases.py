"""Trains presets for some steps in PyTorch, in float64 and in float32, and writes the losses.

Start and batches come from an integer hash that trajectory.test.ts computes as well, so nothing of
them is stored. All numbers are float32 before they are used, so both precisions start from the same.

    /usr/bin/python3 test/trajectory/make-cases.py
"""

import json
import math
import os

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(1)


def hash32(seed, count):
    """lowbias32 (https://github.com/skeeto/hash-prospector) of seed * 2^20 + i, for i < count."""
    x = (np.arange(count, dtype=np.uint64) + seed * (1 << 20)).astype(np.uint32)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    return x


def unit(seed, count):
    """Numbers in [-1, 1)."""
    return hash32(seed, count) / 2.0**31 - 1


def start(position, name, shape):
    """The parameter at `position`: a norm's scale near 1, all else uniform in ±1 / sqrt(fan in)."""
    u = unit(position, math.prod(shape))
    if len(shape) == 1:
        values = 1 + 0.2 * u if name.endswith("weight") else 0.1 * u
    else:
        values = u / math.sqrt(math.prod(shape[1:]))
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def batch(step, size):
    """Images of a class are its own pattern and noise, three to one; labels go round."""
    labels = (np.arange(size) + step * 7) % 10
    patterns = np.stack([hash32(1000 + label, 784) >> np.uint32(24) for label in range(10)])
    noise = np.stack([hash32(2000 + step * size + i, 784) >> np.uint32(24) for i in range(size)])
    pixels = (3 * patterns[labels] + noise) // 4
    return torch.from_numpy((pixels / 255.0).astype(np.float32).reshape(size, 1, 28, 28)), torch.from_numpy(labels)


def lenet_bn():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.BatchNorm2d(6), nn.Sigmoid(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), nn.BatchNorm2d(16), nn.Sigmoid(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(256, 120), nn.BatchNorm1d(120), nn.Sigmoid(),
        nn.Linear(120, 84), nn.BatchNorm1d(84), nn.Sigmoid(), nn.Linear(84, 10),
    )  # fmt: skip


def mlp_bn():
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 512), nn.BatchNorm1d(512), nn.ReLU(),
        nn.Linear(512, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Linear(256, 10),
    )  # fmt: skip


def conv_bn(c_in, c_out, kernel, stride):
    return nn.Conv2d(c_in, c_out, kernel, stride, (kernel - 1) // 2, bias=False), nn.BatchNorm2d(c_out)


class Block(nn.Module):
    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.body = nn.Sequential(*conv_bn(c_in, c_out, 3, stride), nn.ReLU(), *conv_bn(c_out, c_out, 3, 1))
        self.shortcut = nn.Sequential(*conv_bn(c_in, c_out, 1, stride)) if c_in != c_out else nn.Identity()

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x))


def resnet_mini():
    return nn.Sequential(
        *conv_bn(1, 16, 3, 1), nn.ReLU(), Block(16, 16, 1), Block(16, 32, 2), Block(32, 64, 2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
    )  # fmt: skip


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=0.1, momentum=0.9, weight_decay=5e-4)


def gentle_sgd(parameters):
    # Rounding decides on which side of zero a ReLU's input falls that is within 1e-7 of it, as some are in every few
    # steps of the residual network. At a rate of 0.1 the run then goes another way, in whichever precision it happens;
    # at this one it moves a loss by less than float32 can tell.
    return torch.optim.SGD(parameters, lr=1e-3, momentum=0.9, weight_decay=5e-4)


def adam(parameters):
    # With the default eps of 1e-8 the first step is lr times the sign of each gradient: whether an element goes up or
    # down would hang on the last bits of gradients near zero, in either precision.
    return torch.optim.Adam(parameters, lr=1e-3, eps=1e-4)


def train(build, optimizer, steps, size, dtype):
    net = build().to(dtype)
    with torch.no_grad():
        for position, (name, parameter) in enumerate(net.named_parameters()):
            parameter.copy_(start(position, name, list(parameter.shape)))
    opt = optimizer(net.parameters())
    losses = []
    for step in range(steps):
        x, labels = batch(step, size)
        loss = F.cross_entropy(net(x.to(dtype)), labels)
        losses.append(loss.item())
        opt.zero_grad()
        loss.backward()
        opt.step()
    return net, losses


def fingerprint(t, position):
    """A number that depends on every element: the sum of t times hashed numbers in [-1, 1)."""
    return float(np.dot(t.detach().double().reshape(-1).numpy(), unit(500 + position, t.numel())))


def vectors(name, build, optimizer, steps, size):
    net, exact = train(build, optimizer, steps, size, torch.float64)
    _, single = train(build, optimizer, steps, size, torch.float32)
    distance = math.sqrt(sum((a - b) ** 2 for a, b in zip(exact, single)) / steps)
    print(f"{name}: loss {exact[0]:.4f} -> {exact[-1]:.4f}, float32 off by {distance:.2e} (rms)")
    return {
        "network": name,
        "batchSize": size,
        "parameters": [
            {"name": key, "shape": list(p.shape), "norm": p.norm().item(), "fingerprint": fingerprint(p, position)}
            for position, (key, p) in enumerate(net.named_parameters())
        ],
        "buffers": {key: b.tolist() for key, b in net.named_buffers() if "running" in key},
        "losses": {"float64": exact, "float32": single},
    }


runs = [
    vectors("lenet-bn", lenet_bn, sgd, 20, 16),
    vectors("mlp-bn", mlp_bn, adam, 10, 16),
    vectors("resnet-mini", resnet_mini, gentle_sgd, 10, 3),
]
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases.json")
with open(path, "w", encoding="utf-8", newline="\n") as file:
    lines = ",\n".join(json.dumps(run, separators=(",", ":")) for run in runs)
    file.write(f'{{"script": "make-cases.py", "torch": "{torch.__version__}", "runs": [\n{lines}\n]}}\n')
print(f"{path}: {os.path.getsize(path)} bytes")
