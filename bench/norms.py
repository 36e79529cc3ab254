"""Norms in PyTorch, forward and backward for as long as each line on stdin ("case|seconds") says; prints the
milliseconds of the median round. Run by peer.mjs."""

import json
import statistics
import sys
import time

import torch
from torch.nn import functional as F

settings = json.loads(sys.argv[1])
torch.set_num_threads(settings["threads"])
torch.manual_seed(0)

cases = {
    "layer [256, 512]": ([256, 512], 512, lambda x, w, b: F.layer_norm(x, [512], w, b)),
    "layer [4096, 768]": ([4096, 768], 768, lambda x, w, b: F.layer_norm(x, [768], w, b)),
    "group(8) [32, 64, 28, 28]": ([32, 64, 28, 28], 64, lambda x, w, b: F.group_norm(x, 8, w, b)),
    "instance [32, 64, 28, 28]": ([32, 64, 28, 28], 64, lambda x, w, b: F.instance_norm(x, weight=w, bias=b)),
    "batch [64, 64, 56, 56]": ([64, 64, 56, 56], 64, lambda x, w, b: F.batch_norm(x, None, None, w, b, True)),
    # PyTorch's channels last: the same axes, laid out [N, H, W, C] in memory.
    "batch, channels last [64, 56, 56, 64]": ([64, 64, 56, 56], 64, lambda x, w, b: F.batch_norm(x, None, None, w, b, True)),
}


def prepare(name):
    shape, affine, fn = cases[name]
    layout = torch.channels_last if "channels last" in name else torch.contiguous_format
    x = torch.randn(shape).to(memory_format=layout).requires_grad_()
    dy = torch.randn(shape).to(memory_format=layout)
    weight = torch.full([affine], 1.1, requires_grad=True)
    bias = torch.zeros(affine, requires_grad=True)

    def step():
        fn(x, weight, bias).backward(dy)
        x.grad = weight.grad = bias.grad = None

    return step


current = (None, None)
print(f"PyTorch {torch.__version__}", flush=True)
for line in sys.stdin:
    name, seconds = line.strip().split("|")
    if current[0] != name:
        current = (name, prepare(name))
    step = current[1]
    times = []
    start = before = time.perf_counter()
    while before - start < float(seconds):
        step()
        now = time.perf_counter()
        times.append(now - before)
        before = now
    print(statistics.median(times) * 1000, flush=True)
