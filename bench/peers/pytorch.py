"""PyTorch as one side of a comparison: answers the jobs that come on stdin. Run by side.mjs."""

import json
import resource
import statistics
import sys
import time

import torch
from torch import nn

settings = json.loads(sys.argv[1])
torch.set_num_threads(settings["threads"])


def load(name):
    with open(f"{settings['folder']}/{name}", "rb") as file:
        return torch.frombuffer(bytearray(file.read()), dtype=torch.uint8)


labels = load("labels").long()
images = load("images").reshape(len(labels), 1, 28, 28)


def lenet(norm):
    bn2 = nn.BatchNorm2d if norm else lambda _: nn.Identity()
    bn1 = nn.BatchNorm1d if norm else lambda _: nn.Identity()
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), bn2(6), nn.Sigmoid(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), bn2(16), nn.Sigmoid(), nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(256, 120), bn1(120), nn.Sigmoid(),
        nn.Linear(120, 84), bn1(84), nn.Sigmoid(),
        nn.Linear(84, 10),
    )


def mlp():
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, 512), nn.BatchNorm1d(512), nn.ReLU(inplace=True),
        nn.Linear(512, 256), nn.BatchNorm1d(256), nn.ReLU(inplace=True),
        nn.Linear(256, 10),
    )


def conv_bn(a, b, k, stride):
    return [nn.Conv2d(a, b, k, stride, (k - 1) // 2, bias=False), nn.BatchNorm2d(b)]


class Block(nn.Module):
    def __init__(self, a, b, stride):
        super().__init__()
        self.body = nn.Sequential(*conv_bn(a, b, 3, stride), nn.ReLU(inplace=True), *conv_bn(b, b, 3, 1))
        self.shortcut = nn.Identity() if a == b and stride == 1 else nn.Sequential(*conv_bn(a, b, 1, stride))
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.relu(self.body(x) + self.shortcut(x))


def resnet():
    return nn.Sequential(
        *conv_bn(1, 16, 3, 1), nn.ReLU(inplace=True),
        Block(16, 16, 1), Block(16, 32, 2), Block(32, 64, 2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
    )


def network(job):
    torch.manual_seed(0)
    name = job["network"]
    if name == "lenet-bn":
        net = lenet(not job.get("folded"))
        return net, torch.optim.SGD(net.parameters(), lr=1.0)
    if name == "mlp-bn":
        net = mlp()
        return net, torch.optim.Adam(net.parameters(), lr=1e-3)
    net = resnet()
    decayed = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 5e-4}, {"params": others, "weight_decay": 0}]
    return net, torch.optim.SGD(groups, lr=0.1, momentum=0.9)


def batches(size):
    """Shuffled batches for ever; a last one that is not full is left out."""
    while True:
        order = torch.randperm(len(images))
        for begin in range(0, len(images) - size + 1, size):
            rows = order[begin : begin + size]
            yield images[rows].float().div_(255), labels[rows]


def trainer(job):
    net, optimizer = network(job)
    criterion = nn.CrossEntropyLoss()
    source = batches(job["batch"])

    def step():
        x, y = next(source)
        optimizer.zero_grad(set_to_none=True)
        output = net(x)
        loss = criterion(output, y)
        with torch.no_grad():
            (output.argmax(1) == y).sum().item()
        loss.item()
        loss.backward()
        optimizer.step()

    return step


def timed(seconds, step):
    """Mean milliseconds of a call, over about `seconds`."""
    steps = 0
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        for _ in range(2):
            step()
        steps += 2
    return 1000 * (time.perf_counter() - start) / steps


def train(job):
    step = trainer(job)
    timed(0.5, step)
    return lambda seconds: {"step": timed(seconds, step)}


def infer(job):
    net, _ = network(job)
    net.eval()
    x = images[: job["batch"]].float().div_(255)

    def step():
        with torch.inference_mode():
            net(x)

    timed(0.3, step)
    return lambda seconds: {"step": timed(seconds, step)}


def batchnorm_tensors(shape):
    torch.manual_seed(0)
    x = torch.randn(shape, requires_grad=True)
    layer = (nn.BatchNorm1d if len(shape) == 2 else nn.BatchNorm2d)(shape[1])
    return x, torch.randn(shape), layer


def batchnorm(job):
    x, dy, layer = batchnorm_tensors(job["shape"])
    forward, backward = [], []

    def step():
        x.grad = layer.weight.grad = layer.bias.grad = None
        start = time.perf_counter()
        y = layer(x)
        between = time.perf_counter()
        y.backward(dy)
        forward.append(1000 * (between - start))
        backward.append(1000 * (time.perf_counter() - between))

    timed(0.3, step)

    def run(seconds):
        forward.clear()
        backward.clear()
        timed(seconds, step)
        return {"forward": statistics.median(forward), "backward": statistics.median(backward)}

    return run


def status_bytes(field):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field)) * 1024


def most_ever():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def reset_peak():
    """Starts the count of the peak anew, where the system can (Linux); the bytes resident."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
        return status_bytes("VmRSS")
    except OSError:
        return most_ever()


def peak_resident():
    try:
        return status_bytes("VmHWM")
    except OSError:
        return most_ever()


def memory(job):
    if "shape" in job:
        x, dy, layer = batchnorm_tensors(job["shape"])
        before = reset_peak()
        layer(x).backward(dy)
    else:
        step = trainer(job)
        before = reset_peak()
        for _ in range(20):
            step()
    growth = peak_resident() - before
    return lambda _: {"growth": growth}


kinds = {"train": train, "infer": infer, "batchnorm": batchnorm, "memory": memory}
print(json.dumps({"label": f"PyTorch {torch.__version__}"}), flush=True)
key, run = None, None
for line in sys.stdin:
    request = json.loads(line)
    if request["job"] != key:
        run = None
        run = kinds[request["job"]["kind"]](request["job"])
        key = request["job"]
    print(json.dumps(run(request["seconds"])), flush=True)
