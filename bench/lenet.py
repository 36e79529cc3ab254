"""lenet-bn in PyTorch, trained for as long as each line on stdin says; prints examples a second. Run by peer.mjs."""

import json
import sys
import time

import torch
from torch import nn

settings = json.loads(sys.argv[1])
torch.set_num_threads(settings["threads"])
torch.manual_seed(0)


def load(name, shape):
    with open(f"{settings['folder']}/{name}", "rb") as file:
        return torch.frombuffer(bytearray(file.read()), dtype=torch.uint8).reshape(shape)


images = load("images", settings["shape"])
labels = load("labels", settings["shape"][:1]).long()
batch_size = settings["batchSize"]

net = nn.Sequential(
    nn.Conv2d(1, 6, 5), nn.BatchNorm2d(6), nn.Sigmoid(), nn.AvgPool2d(2),
    nn.Conv2d(6, 16, 5), nn.BatchNorm2d(16), nn.Sigmoid(), nn.AvgPool2d(2),
    nn.Flatten(),
    nn.Linear(256, 120), nn.BatchNorm1d(120), nn.Sigmoid(),
    nn.Linear(120, 84), nn.BatchNorm1d(84), nn.Sigmoid(),
    nn.Linear(84, 10),
)
optimizer = torch.optim.SGD(net.parameters(), lr=1.0)
criterion = nn.CrossEntropyLoss()


def batches():
    """Shuffled batches for ever; a last one that is not full is left out."""
    while True:
        order = torch.randperm(len(images))
        for begin in range(0, len(images) - batch_size + 1, batch_size):
            rows = order[begin : begin + batch_size]
            yield images[rows].float().div_(255), labels[rows]


def step(x, y):
    output = net(x)
    loss = criterion(output, y)
    with torch.no_grad():
        (output.argmax(1) == y).sum().item()
    loss.item()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


source = batches()
print(f"PyTorch {torch.__version__}", flush=True)
for line in sys.stdin:
    seconds = float(line)
    steps = 0
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        for _ in range(10):
            step(*next(source))
        steps += 10
    print(steps * batch_size / (time.perf_counter() - start), flush=True)
